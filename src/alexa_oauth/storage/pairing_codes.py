"""The short one-time codes that a person reads off the panel or the terminal."""

from typing import Final

from alexa_oauth.protocol.clock import TOLERANCE_SECONDS
from alexa_oauth.protocol.policy import PAIRING_CODE_SECONDS
from alexa_oauth.storage.connection import Connection

_FOR_EVER: Final = 2**62
_CURRENT: Final = "SELECT expires_at, sealed FROM pairing_codes WHERE subject = ? AND expires_at > ? AND expires_at <= ?"
_KEEP: Final = "INSERT OR REPLACE INTO pairing_codes (subject, digest, expires_at, sealed) VALUES (?, ?, ?, ?)"
_FIND: Final = "SELECT subject FROM pairing_codes WHERE digest = ? AND expires_at > ? AND expires_at <= ?"
_SPEND: Final = "DELETE FROM pairing_codes WHERE subject = ?"


class PairingCodeRows:
    """One code a subject; it can be shown again until it is spent or over."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        self._connection = connection

    def current(self, subject: str, fresh: str) -> tuple[str, int]:
        """The subject's code and the instant at which it ends; `fresh` becomes it if there is none."""
        ring, now = self._connection.ring, self._connection.now
        row = self._connection.execute(_CURRENT, (subject, *self._ends_between())).fetchone()
        if row is not None:
            return ring.sealing.open("pairing_codes", subject, row[1])["code"], row[0]
        expires_at = now + PAIRING_CODE_SECONDS
        sealed = ring.sealing.seal("pairing_codes", subject, {"code": fresh})
        self._connection.execute(_KEEP, (subject, ring.digest("pairing_codes", fresh), expires_at, sealed))
        return fresh, expires_at

    def find(self, code: str) -> str | None:
        """The subject that the code was shown to, or `None` for a wrong or old code."""
        for digest in self._connection.ring.digests("pairing_codes", code):
            row = self._connection.execute(_FIND, (digest, *self._ends_between())).fetchone()
            if row is not None:
                return str(row[0])
        return None

    def spend(self, code: str) -> str | None:
        """Use the code up; the subject that it was shown to, or `None` for a wrong or old code."""
        subject = self.find(code)
        if subject is not None:
            self._connection.execute(_SPEND, (subject,))
        return subject

    def _ends_between(self) -> tuple[int, int]:
        """When a living code ends. One that ends much later was made while the clock was ahead: it is old, too.

        A command beside the server goes by a clock of its own, so a little later is no proof, and in doubt nothing is.
        """
        instant = self._connection.instant
        if instant.doubtful:
            return 0, _FOR_EVER
        return instant.now, instant.now + PAIRING_CODE_SECONDS + TOLERANCE_SECONDS
