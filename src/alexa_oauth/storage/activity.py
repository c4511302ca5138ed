"""How busy the server was: one row for each hour and each thing that is counted."""

from collections.abc import Mapping
from typing import Final

from alexa_oauth.protocol.activity import HOUR
from alexa_oauth.storage.connection import Connection

_ADD: Final = """INSERT INTO activity (hour, counted, count) VALUES (?, ?, ?)
    ON CONFLICT (hour, counted) DO UPDATE SET count = count + excluded.count"""


class ActivityRows:
    """The counts; the sweep forgets the old ones."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        self._connection = connection

    def add(self, counts: Mapping[str, int]) -> None:
        """Add to the present hour's counts."""
        now = self._connection.now
        for counted, count in counts.items():
            self._connection.execute(_ADD, (now - now % HOUR, counted, count))
