"""Authorization requests that wait for a person, and the codes that come of them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from alexa_oauth.protocol.models import (
    AuthorizationCode,
    AuthorizationRequest,
    Departure,
    PendingRequest,
    Person,
    WaitingRequest,
)
from alexa_oauth.protocol.policy import CODES_PER_SUBJECT, PENDING_LIMIT, WAITING_PER_ADDRESS
from alexa_oauth.storage.connection import Connection

_ADD: Final = """INSERT INTO pending_requests (digest, address, attempt, created_at, expires_at, payload)
    VALUES (?, ?, ?, ?, ?, ?)"""
_COUNT: Final = "SELECT count(*) FROM pending_requests"
_DROP_FROM_BUSIEST: Final = """DELETE FROM pending_requests
    WHERE sequence = (SELECT oldest FROM pending_addresses ORDER BY waiting DESC, oldest LIMIT 1)"""
_FIND: Final = "SELECT digest, address, attempt, created_at, expires_at, payload FROM pending_requests WHERE digest = ?"
_FIND_DEPARTED: Final = """SELECT digest, address, attempt, created_at, expires_at, payload FROM pending_requests
    WHERE state_digest = ?"""
_FIND_WAITING: Final = """SELECT digest, address, attempt, created_at, expires_at, payload FROM pending_requests
    WHERE attempt = ? AND expires_at > ?"""
_WAITING: Final = """SELECT digest, address, attempt, created_at, expires_at, payload, of_address
    FROM (
        SELECT sequence, of_address FROM (
            SELECT sequence, count(*) OVER (PARTITION BY address) AS of_address,
                row_number() OVER (PARTITION BY address ORDER BY sequence DESC) AS place
            FROM pending_requests INDEXED BY pending_requests_by_end WHERE expires_at > ?
        ) WHERE place <= ? ORDER BY sequence DESC LIMIT ?
    ) JOIN pending_requests USING (sequence) ORDER BY sequence DESC"""
_COUNT_WAITING: Final = "SELECT count(*) FROM pending_requests WHERE expires_at > ?"
_REWRITE: Final = "UPDATE pending_requests SET state_digest = ?, payload = ? WHERE digest = ?"
_DROP: Final = "DELETE FROM pending_requests WHERE digest = ?"

_ADD_CODE: Final = """INSERT INTO codes (digest, holder, client_id, attempt, issued_at, expires_at, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_SURPLUS_CODE: Final = """SELECT sequence FROM codes WHERE holder = ? AND used_at IS NULL
    ORDER BY sequence DESC LIMIT 1 OFFSET ?"""
_DROP_CODE: Final = "DELETE FROM codes WHERE sequence = ?"
_FIND_CODE: Final = """SELECT client_id, attempt, issued_at, expires_at, used_at, grant_id, wrong_verifiers, payload
    FROM codes WHERE digest = ?"""
_MARK_USED: Final = "UPDATE codes SET used_at = ?, grant_id = ? WHERE digest = ?"
_COUNT_WRONG_VERIFIER: Final = "UPDATE codes SET wrong_verifiers = wrong_verifiers + 1 WHERE digest = ?"


class AuthorizationRows:
    """Pending requests and codes; both are found by keyed digest, since whoever reads an id or a code could use it."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        self._connection = connection

    def add(self, pending: PendingRequest) -> None:
        """Keep a request; beyond `PENDING_LIMIT` the oldest of the busiest address goes first."""
        if self._connection.execute(_COUNT).fetchone()[0] >= PENDING_LIMIT:
            self._connection.execute(_DROP_FROM_BUSIEST)
        digest = self._connection.ring.digest("pending_requests", pending.request_id)
        payload = self._seal_pending(pending, digest)
        self._connection.execute(
            _ADD, (digest, pending.address, pending.attempt, pending.created_at, pending.expires_at, payload)
        )

    def find(self, request_id: str) -> PendingRequest | None:
        """The pending request of that id, its age not judged."""
        return self._find(_FIND, self._connection.ring.digests("pending_requests", request_id))

    def find_waiting(self, attempt: str) -> PendingRequest | None:
        """The pending request of that attempt, unless it is too old."""
        row = self._connection.execute(_FIND_WAITING, (attempt, self._connection.now)).fetchone()
        return None if row is None else self._read_pending(row)

    def waiting(self, limit: int) -> tuple[WaitingRequest, ...]:
        """Those that wait, newest first, at most `WAITING_PER_ADDRESS` of an address, so that no flood hides the others."""
        rows = self._connection.execute(_WAITING, (self._connection.now, WAITING_PER_ADDRESS, limit)).fetchall()
        return tuple(WaitingRequest(self._read_pending(row[:-1]), row[-1]) for row in rows)

    def count_waiting(self) -> int:
        """How many wait; those that are too old do not."""
        return int(self._connection.execute(_COUNT_WAITING, (self._connection.now,)).fetchone()[0])

    def find_departed(self, state: str) -> PendingRequest | None:
        """The pending request whose browser was sent to another service with that `state`, come back or not."""
        return self._find(_FIND_DEPARTED, self._connection.ring.digests("departures", state))

    def note_departure(self, pending: PendingRequest, departure: Departure) -> PendingRequest:
        """Keep where the browser went, and that it came back; an earlier departure of the request is forgotten."""
        return self._rewrite(replace(pending, departure=departure))

    def remember_person(self, pending: PendingRequest, person: Person) -> PendingRequest:
        """Keep who has signed in, in place of whoever did before."""
        return self._rewrite(replace(pending, person=person))

    def drop(self, request_id: str) -> None:
        """Forget a request."""
        for digest in self._connection.ring.digests("pending_requests", request_id):
            self._connection.execute(_DROP, (digest,))

    def fulfil(self, pending: PendingRequest, code: str, subject: str, expires_at: int) -> None:
        """Turn a pending request into a code; beyond `CODES_PER_SUBJECT` the oldest unredeemed one goes first."""
        self.drop(pending.request_id)
        ring, request = self._connection.ring, pending.request
        digest = ring.digest("codes", code)
        holder = ring.digest("code holders", f"{request.client_id} {subject}")
        body = {
            "redirect_uri": request.redirect_uri,
            "scope": request.scope,
            "code_challenge": request.code_challenge,
            "subject": subject,
        }
        payload = ring.payloads.seal("codes", digest.hex(), body)
        self._connection.execute(
            _ADD_CODE, (digest, holder, request.client_id, pending.attempt, self._connection.now, expires_at, payload)
        )
        surplus = self._connection.execute(_SURPLUS_CODE, (holder, CODES_PER_SUBJECT)).fetchone()
        if surplus is not None:
            self._connection.execute(_DROP_CODE, surplus)

    def find_code(self, code: str) -> AuthorizationCode | None:
        """The code, used or not, its age not judged."""
        for digest in self._connection.ring.digests("codes", code):
            row = self._connection.execute(_FIND_CODE, (digest,)).fetchone()
            if row is not None:
                client_id, attempt, issued_at, expires_at, used_at, grant_id, wrong_verifiers, payload = row
                body = self._connection.ring.payloads.open("codes", digest.hex(), payload)
                return AuthorizationCode(
                    digest=digest,
                    client_id=client_id,
                    redirect_uri=body["redirect_uri"],
                    scope=tuple(body["scope"]),
                    code_challenge=body["code_challenge"],
                    subject=body["subject"],
                    attempt=attempt,
                    issued_at=issued_at,
                    expires_at=expires_at,
                    used_at=used_at,
                    grant_id=grant_id,
                    wrong_verifiers=wrong_verifiers,
                )
        return None

    def mark_used(self, code: AuthorizationCode, grant_id: str) -> None:
        """Spend the code; it knows what became of it."""
        self._connection.execute(_MARK_USED, (self._connection.now, grant_id, code.digest))

    def count_wrong_verifier(self, code: AuthorizationCode) -> None:
        """Remember one more wrong verifier."""
        self._connection.execute(_COUNT_WRONG_VERIFIER, (code.digest,))

    def _find(self, statement: str, digests: Iterable[bytes]) -> PendingRequest | None:
        for wanted in digests:
            row = self._connection.execute(statement, (wanted,)).fetchone()
            if row is not None:
                return self._read_pending(row)
        return None

    def _read_pending(self, row: tuple[Any, ...]) -> PendingRequest:
        digest, address, attempt, created_at, expires_at, payload = row
        body = self._connection.ring.payloads.open("pending_requests", digest.hex(), payload)
        return PendingRequest(
            request_id=body["request_id"],
            browser=body["browser"],
            csrf=body["csrf"],
            request=_read_request(body["request"]),
            attempt=attempt,
            address=address,
            user_agent=body["user_agent"],
            created_at=created_at,
            expires_at=expires_at,
            departure=Departure(**body["departure"]) if body.get("departure") else None,
            person=Person(**body["person"]) if body.get("person") else None,
        )

    def _rewrite(self, pending: PendingRequest) -> PendingRequest:
        ring, departure = self._connection.ring, pending.departure
        state = ring.digest("departures", departure.state) if departure else None
        for digest in ring.digests("pending_requests", pending.request_id):
            self._connection.execute(_REWRITE, (state, self._seal_pending(pending, digest), digest))
        return pending

    def _seal_pending(self, pending: PendingRequest, digest: bytes) -> bytes:
        body = {
            "request_id": pending.request_id,
            "browser": pending.browser,
            "csrf": pending.csrf,
            "user_agent": pending.user_agent,
            "request": asdict(pending.request),
            "departure": asdict(pending.departure) if pending.departure else None,
            "person": asdict(pending.person) if pending.person else None,
        }
        return self._connection.ring.payloads.seal("pending_requests", digest.hex(), body)


def _read_request(body: Mapping[str, Any]) -> AuthorizationRequest:
    return AuthorizationRequest(
        client_id=body["client_id"],
        redirect_uri=body["redirect_uri"],
        scope=tuple(body["scope"]),
        dropped_scope=tuple(body["dropped_scope"]),
        state=body["state"],
        code_challenge=body["code_challenge"],
    )
