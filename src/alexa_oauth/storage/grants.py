"""Grants: one row each, and a refresh is one UPDATE of it. Their access tokens are in `access_tokens.py`."""

import base64
from dataclasses import replace
from typing import Final

from alexa_oauth.protocol.models import Grant, IssuedAccessToken, PresentedRefreshToken, RefreshProfile
from alexa_oauth.storage.access_tokens import AccessTokenRows
from alexa_oauth.storage.clock_doubt import settle
from alexa_oauth.storage.connection import Connection

_FIND: Final = """SELECT client_id, attempt, created_at, generation, rotated_at, rotated_profile, head_used_at, first_used_at,
    last_used_at, used_in_doubt, ends_at, ended_at, payload, token_key_id FROM grants WHERE grant_id = ?"""
_ADD: Final = """INSERT INTO grants (grant_id, client_id, attempt, created_at, generation, token_key_id, rotated_at,
    rotated_profile, head_used_at, first_used_at, last_used_at, used_in_doubt, ends_at, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_TOKEN_KEY: Final = "SELECT generation, token_key_id FROM grants WHERE grant_id = ?"

# Pieces of our own text are put together here, never a value.
_USE: Final = """first_used_at = coalesce(first_used_at, :now), last_used_at = max(last_used_at, :certain),
    used_in_doubt = max(used_in_doubt, :doubtful)"""
_ROTATE: Final = f"""UPDATE grants SET generation = :generation, predecessor_key_id = token_key_id,
    token_key_id = :token_key_id, rotated_at = :now,
    rotated_profile = :profile, head_used_at = NULL, sealed_window = :sealed_window, {_USE} WHERE grant_id = :grant_id"""  # noqa: S608
_USE_HEAD: Final = f"""UPDATE grants SET head_used_at = coalesce(head_used_at, :now), {_USE}
    WHERE grant_id = :grant_id"""  # noqa: S608
_USE_PREDECESSOR: Final = f"UPDATE grants SET {_USE} WHERE grant_id = :grant_id"  # noqa: S608
_HEAL: Final = f"""UPDATE grants SET generation = :generation, predecessor_key_id = CASE
    WHEN :generation = generation + 1 THEN token_key_id ELSE :token_key_id END,
    token_key_id = :token_key_id, rotated_at = :now,
    rotated_profile = :profile, head_used_at = :now, sealed_window = NULL, {_USE} WHERE grant_id = :grant_id"""  # noqa: S608

_WINDOW: Final = "SELECT sealed_window FROM grants WHERE grant_id = ?"
_END: Final = "UPDATE grants SET ended_at = coalesce(ended_at, ?), sealed_window = NULL WHERE grant_id = ?"


class GrantRows(AccessTokenRows):
    """Grants and their generations of refresh tokens, of which no trace but a number is kept."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        super().__init__(connection)
        self._connection = connection

    def find(self, grant_id: str) -> Grant | None:
        """The grant, ended or not. One that was used in doubt counts as used now, until the doubt is settled."""
        row = self._connection.execute(_FIND, (grant_id,)).fetchone()
        if row is None:
            return None
        body = self._connection.ring.payloads.open("grants", grant_id, row[12])
        counts_from_now = row[9] and not self._connection.instant.doubtful
        return Grant(
            grant_id=grant_id,
            client_id=row[0],
            subject=body["subject"],
            scope=tuple(body["scope"]),
            seed=base64.b64decode(body["seed"]),
            attempt=row[1],
            created_at=row[2],
            generation=row[3],
            rotated_at=row[4],
            rotated_profile=None if row[5] is None else RefreshProfile(row[5]),
            head_used_at=row[6],
            first_used_at=row[7],
            last_used_at=max(row[8], self._connection.now) if counts_from_now else row[8],
            ends_at=row[10],
            ended_at=row[11],
            on_former_key=row[13] != self._connection.ring.newest_token_key_id,
        )

    def add(self, grant: Grant) -> None:
        """Begin a grant."""
        ring = self._connection.ring
        body = {"subject": grant.subject, "scope": grant.scope, "seed": base64.b64encode(grant.seed).decode()}
        row = (
            grant.grant_id,
            grant.client_id,
            grant.attempt,
            grant.created_at,
            grant.generation,
            ring.newest_token_key_id,
            grant.rotated_at,
            grant.rotated_profile,
            grant.head_used_at,
            grant.first_used_at,
            grant.last_used_at,
            self._connection.instant.doubtful,
            grant.ends_at,
            ring.payloads.seal("grants", grant.grant_id, body),
        )
        self._connection.execute(_ADD, row)

    def refresh_token(self, grant: Grant, generation: int) -> str:
        """The refresh token of that generation. The head's key is remembered, so that a retry gets the same string."""
        content = PresentedRefreshToken(grant.grant_id, generation, grant.seed)
        return self._connection.ring.refresh_token(self._token_key_id(grant, generation), content)

    def first_access_token(self, grant: Grant, code: str) -> str:
        """The access token that the code is redeemed for, made with the key of the first refresh token."""
        return self._connection.ring.first_access_token(self._token_key_id(grant, 1), grant.grant_id, code)

    def read_refresh_token(self, value: str) -> PresentedRefreshToken | None:
        """What the token says of itself if this server made it; needs no look-up."""
        return self._connection.ring.read_refresh_token(value)

    def rotate(self, grant: Grant, profile: RefreshProfile, access_token: IssuedAccessToken) -> None:
        """Make the next generation the head; the access token, still to be issued, is kept sealed for the window."""
        ring = self._connection.ring
        body = {"value": access_token.value, "scope": access_token.scope}
        changes = {
            **self._use(grant),
            "generation": grant.generation + 1,
            "token_key_id": ring.newest_token_key_id,
            "profile": profile,
            "sealed_window": ring.sealing.seal("grants", grant.grant_id, body),
        }
        self._connection.execute(_ROTATE, changes)

    def use_head(self, grant: Grant) -> None:
        """Note a use of the head, which stays."""
        self._connection.execute(_USE_HEAD, self._use(grant))

    def use_predecessor(self, grant: Grant) -> None:
        """Note a use of the predecessor, which closes nothing."""
        self._connection.execute(_USE_PREDECESSOR, self._use(grant))

    def heal(self, grant: Grant, presented: PresentedRefreshToken, profile: RefreshProfile) -> Grant:
        """Move a restored grant forward to a token that it issued before, its key included; the grant as it then is."""
        changes = {
            **self._use(grant),
            "generation": presented.generation,
            "token_key_id": presented.key_id,
            "profile": profile,
        }
        self._connection.execute(_HEAL, changes)
        now = self._connection.now
        return replace(
            grant,
            generation=presented.generation,
            rotated_at=now,
            rotated_profile=profile,
            head_used_at=now,
            first_used_at=grant.first_used_at or now,
            last_used_at=max(grant.last_used_at, now),
        )

    def find_window_answer(self, grant: Grant) -> IssuedAccessToken | None:
        """The access token of the last rotation, while it is kept and still live."""
        row = self._connection.execute(_WINDOW, (grant.grant_id,)).fetchone()
        if row is None or row[0] is None:
            return None
        body = self._connection.ring.sealing.open("grants", grant.grant_id, row[0])
        # The token's own row knows its end: it moves when a doubted clock is put right.
        expires_at = self._expiry(body["value"])
        if expires_at is None or expires_at <= self._connection.now:
            return None
        return IssuedAccessToken(body["value"], tuple(body["scope"]), expires_at)

    def end(self, grant: Grant) -> None:
        """End the grant; its access tokens are dead at once, the answer kept for a retry forgotten."""
        self._connection.execute(_END, (self._connection.now, grant.grant_id))
        self._drop_all_of(grant.grant_id)

    def settle_instants(self, now: int, shift: int) -> None:
        """The clock is believed again: uses in doubt count from `now`, and nothing lies ahead of it any more."""
        settle(self._connection, now, shift)

    def _token_key_id(self, grant: Grant, generation: int) -> str:
        """Which key makes the tokens of that generation: a head that is there keeps its own, whatever keys came since."""
        ring = self._connection.ring
        row = self._connection.execute(_TOKEN_KEY, (grant.grant_id,)).fetchone() if ring.has_former_token_keys else None
        return ring.newest_token_key_id if row is None or generation > row[0] else str(row[1])

    def _use(self, grant: Grant) -> dict[str, object]:
        """What a use changes. An instant in doubt is not written as the last use: it could shorten the grant's life."""
        instant = self._connection.instant
        return {
            "grant_id": grant.grant_id,
            "now": instant.now,
            "certain": 0 if instant.doubtful else instant.now,
            "doubtful": instant.doubtful,
        }
