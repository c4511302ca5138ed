"""What the tables' classes share: one SQLite connection, the key ring, and the instant of the running transaction."""

import sqlite3

from alexa_oauth.protocol.models import Instant
from alexa_oauth.storage.keys import KeyRing


class Connection:
    """A connection on which one transaction runs at a time; `instant` is that transaction's."""

    __slots__ = ("execute", "instant", "ring")

    def __init__(self, sqlite: sqlite3.Connection, ring: KeyRing, instant: Instant) -> None:
        """Stand on an open connection. Statements are constant strings, so that SQLite's cache knows them again."""
        self.execute = sqlite.execute
        self.ring = ring
        self.instant = instant

    @property
    def now(self) -> int:
        """The instant of the transaction, in seconds since 1970."""
        return self.instant.now
