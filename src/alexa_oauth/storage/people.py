"""Who opened the panel inside Home Assistant, and who of them administers it."""

from typing import Final

from alexa_oauth.protocol.models import Resident
from alexa_oauth.storage.connection import Connection

_FIND: Final = "SELECT subject, name, administrator_since IS NOT NULL FROM people WHERE subject = ?"
_KNOWN: Final = "SELECT subject, name, administrator_since IS NOT NULL FROM people ORDER BY name COLLATE NOCASE, subject"
_REMEMBER: Final = "INSERT INTO people (subject, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name"
_APPOINT: Final = "UPDATE people SET administrator_since = ? WHERE subject = ? AND administrator_since IS NULL"
_DISMISS: Final = "UPDATE people SET administrator_since = NULL WHERE subject = ?"


class PeopleRows:
    """People as Home Assistant named them last."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        self._connection = connection

    def find(self, subject: str) -> Resident | None:
        """The person of that subject."""
        row = self._connection.execute(_FIND, (subject,)).fetchone()
        return None if row is None else Resident(row[0], row[1], bool(row[2]))

    def known(self) -> tuple[Resident, ...]:
        """Everybody, by name."""
        rows = self._connection.execute(_KNOWN)
        return tuple(Resident(subject, name, bool(is_administrator)) for subject, name, is_administrator in rows)

    def remember(self, subject: str, name: str) -> None:
        """Keep the person, or the name that they have now."""
        self._connection.execute(_REMEMBER, (subject, name))

    def appoint(self, subject: str) -> None:
        """Make a known person an administrator."""
        self._connection.execute(_APPOINT, (self._connection.now, subject))

    def dismiss(self, subject: str) -> None:
        """Let an administrator be one no longer."""
        self._connection.execute(_DISMISS, (subject,))
