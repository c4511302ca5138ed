"""The transaction that a rule is given: every table, at one instant."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeVar

from alexa_oauth.protocol.models import Client, Instant
from alexa_oauth.storage.accounts import AccountRows
from alexa_oauth.storage.activity import ActivityRows
from alexa_oauth.storage.admin_links import AdminLinkRows
from alexa_oauth.storage.authorizations import AuthorizationRows
from alexa_oauth.storage.clients import ClientRows
from alexa_oauth.storage.connection import Connection
from alexa_oauth.storage.events import EventRows
from alexa_oauth.storage.grants import GrantRows
from alexa_oauth.storage.keys import KeyRing
from alexa_oauth.storage.pairing_codes import PairingCodeRows
from alexa_oauth.storage.people import PeopleRows

Outcome = TypeVar("Outcome")
Rule = Callable[["SqliteTransaction"], Outcome]


class SqliteTransaction:
    """The port's transaction on one connection. It is made once and used for one transaction after another."""

    def __init__(
        self,
        sqlite: sqlite3.Connection,
        ring: KeyRing,
        clock: Callable[[], Instant],
        definitions: Callable[[], Mapping[str, Client]],
    ) -> None:
        """`clock` is read once for each transaction, however many requests share it."""
        self._clock = clock
        self.connection = Connection(sqlite, ring, clock())
        self.clients = ClientRows(self.connection, definitions)
        self.authorizations = AuthorizationRows(self.connection)
        self.grants = GrantRows(self.connection)
        self.pairing_codes = PairingCodeRows(self.connection)
        self.admin_links = AdminLinkRows(self.connection)
        self.people = PeopleRows(self.connection)
        self.accounts = AccountRows(self.connection)
        self.activity = ActivityRows(self.connection)
        self.events = EventRows(self.connection)

    def begin(self) -> None:
        """Take the instant of the transaction that now begins."""
        self.connection.instant = self._clock()

    @property
    def instant(self) -> Instant:
        """The one instant of this transaction."""
        return self.connection.instant

    @property
    def now(self) -> int:
        """`instant.now`."""
        return self.connection.instant.now
