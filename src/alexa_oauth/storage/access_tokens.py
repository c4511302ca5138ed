"""Access tokens: opaque, each with a row until it expires, so that revoking one works at once."""

from typing import Final

from alexa_oauth.protocol.models import AccessToken, Grant, IssuedAccessToken
from alexa_oauth.protocol.policy import ACCESS_TOKENS_PER_GRANT
from alexa_oauth.storage.connection import Connection

_ISSUE: Final = """INSERT INTO access_tokens (digest, grant_id, generation, issued_at, expires_at, payload)
    VALUES (?, ?, ?, ?, ?, ?)"""
_DROP_SURPLUS: Final = """DELETE FROM access_tokens WHERE sequence = (
    SELECT sequence FROM access_tokens WHERE grant_id = ? ORDER BY sequence DESC LIMIT 1 OFFSET ?)"""
_FIND: Final = """SELECT access_tokens.grant_id, grants.client_id, access_tokens.generation, issued_at, expires_at, used_at,
    access_tokens.payload
    FROM access_tokens JOIN grants USING (grant_id)
    WHERE digest = ? AND ended_at IS NULL AND (ends_at IS NULL OR ends_at > ?)"""
_EXPIRY: Final = "SELECT expires_at FROM access_tokens WHERE digest = ?"
_MARK_USED: Final = "UPDATE access_tokens SET used_at = ? WHERE digest = ? AND used_at IS NULL"
_NOTE_RECEIVED: Final = """UPDATE grants SET first_used_at = coalesce(first_used_at, :now), head_used_at = CASE
    WHEN rotated_profile = 'strict_window' AND generation = :generation THEN coalesce(head_used_at, :now)
    ELSE head_used_at END WHERE grant_id = :grant_id"""
_DROP: Final = "DELETE FROM access_tokens WHERE digest = ?"
_DROP_ALL_OF: Final = "DELETE FROM access_tokens WHERE grant_id = ?"


class AccessTokenRows:
    """Access tokens, found by keyed digest. The rules meet them as a part of `tx.grants`."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        self._connection = connection

    def issue(self, grant: Grant, access_token: IssuedAccessToken) -> None:
        """Keep an access token of the grant's generation; beyond `ACCESS_TOKENS_PER_GRANT` the oldest goes first."""
        digest = self._connection.ring.digest("access_tokens", access_token.value)
        body = {"scope": access_token.scope, "subject": grant.subject}
        payload = self._connection.ring.payloads.seal("access_tokens", digest.hex(), body)
        now = self._connection.now
        self._connection.execute(_ISSUE, (digest, grant.grant_id, grant.generation, now, access_token.expires_at, payload))
        self._connection.execute(_DROP_SURPLUS, (grant.grant_id, ACCESS_TOKENS_PER_GRANT))

    def find_access_token(self, value: str) -> AccessToken | None:
        """The access token if its grant is live, its own age not judged."""
        for digest in self._connection.ring.digests("access_tokens", value):
            row = self._connection.execute(_FIND, (digest, self._connection.now)).fetchone()
            if row is not None:
                grant_id, client_id, generation, issued_at, expires_at, used_at, payload = row
                body = self._connection.ring.payloads.open("access_tokens", digest.hex(), payload)
                return AccessToken(
                    digest=digest,
                    grant_id=grant_id,
                    client_id=client_id,
                    subject=body["subject"],
                    scope=tuple(body["scope"]),
                    generation=generation,
                    issued_at=issued_at,
                    expires_at=expires_at,
                    used_at=used_at,
                )
        return None

    def mark_access_token_used(self, access_token: AccessToken) -> bool:
        """Note the first use; whether it was the first.

        The client has the answer that carried this token, so under `strict_window` the predecessor closes.
        """
        now = self._connection.now
        if not self._connection.execute(_MARK_USED, (now, access_token.digest)).rowcount:
            return False
        note = {"now": now, "generation": access_token.generation, "grant_id": access_token.grant_id}
        self._connection.execute(_NOTE_RECEIVED, note)
        return True

    def drop_access_token(self, access_token: AccessToken) -> None:
        """Revoke one access token; its grant stays."""
        self._connection.execute(_DROP, (access_token.digest,))

    def _expiry(self, value: str) -> int | None:
        for digest in self._connection.ring.digests("access_tokens", value):
            row = self._connection.execute(_EXPIRY, (digest,)).fetchone()
            if row is not None:
                return int(row[0])
        return None

    def _drop_all_of(self, grant_id: str) -> None:
        self._connection.execute(_DROP_ALL_OF, (grant_id,))
