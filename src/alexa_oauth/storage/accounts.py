"""Accounts of other services that an administrator let in."""

from typing import Final

from alexa_oauth.protocol.models import Person
from alexa_oauth.storage.connection import Connection

_IS_CONFIRMED: Final = "SELECT 1 FROM confirmed_accounts WHERE subject = ?"
_CONFIRMED: Final = "SELECT subject, name FROM confirmed_accounts ORDER BY confirmed_at, subject"
_CONFIRM: Final = """INSERT INTO confirmed_accounts (subject, name, confirmed_at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET name = excluded.name"""
_FORGET: Final = "DELETE FROM confirmed_accounts WHERE subject = ?"


class AccountRows:
    """Accounts as their service named them when they were confirmed."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        self._connection = connection

    def is_confirmed(self, subject: str) -> bool:
        """Whether the account of that subject was let in."""
        return self._connection.execute(_IS_CONFIRMED, (subject,)).fetchone() is not None

    def confirmed(self) -> tuple[Person, ...]:
        """Everybody who was let in, in that order."""
        return tuple(Person(subject, name) for subject, name in self._connection.execute(_CONFIRMED))

    def confirm(self, person: Person) -> None:
        """Let the account in from now on."""
        self._connection.execute(_CONFIRM, (person.subject, person.name, self._connection.now))

    def forget(self, subject: str) -> bool:
        """Let the account in no longer; false if it was not."""
        return self._connection.execute(_FORGET, (subject,)).rowcount == 1
