"""The audit trail."""

import json
from collections.abc import Iterable
from typing import Any, Final

from alexa_oauth.protocol.events import EVENTS_OF_GRANTS, Event, EventName, Reason
from alexa_oauth.protocol.reading import RecordedEvent
from alexa_oauth.storage.connection import Connection

_OF_GRANTS: Final = frozenset(map(str, EVENTS_OF_GRANTS))
_RECORD: Final = """INSERT INTO events
    (at, event, reason, client_id, subject, grant_id, address, attempt, count, detail, doubtful, of_grant)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


COLUMNS: Final = "sequence, at, doubtful, event, attempt, client_id, subject, grant_id, reason, address, count, detail"
"""What `read_recorded` reads."""


def read_recorded(row: Iterable[Any]) -> RecordedEvent:
    """The event of a row of `COLUMNS`."""
    sequence, at, doubtful, event, attempt, client_id, subject, grant_id, reason, address, count, detail = row
    told = Event(
        EventName(event),
        attempt,
        client_id,
        subject,
        grant_id,
        None if reason is None else Reason(reason),
        address,
        count,
        json.loads(detail) if detail else {},
    )
    return RecordedEvent(sequence, at, bool(doubtful), told)


class EventRows:
    """Events, written with the change that they tell of."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        self._connection = connection
        self._recorded: list[Event] = []

    def record(self, event: Event) -> None:
        """Write the event with this transaction, at its instant."""
        self.record_told(event)
        self._recorded.append(event)

    def record_told(self, event: Event) -> None:
        """Write the event, of which nobody is to be told after the commit."""
        instant = self._connection.instant
        # SQLite's module looks for a way to adapt whatever is no plain string or number, which takes a microsecond each.
        name = str(event.name)
        row = (
            instant.now,
            name,
            None if event.reason is None else str(event.reason),
            event.client_id,
            event.subject,
            event.grant_id,
            event.address,
            event.attempt,
            event.count,
            json.dumps(dict(event.detail)) if event.detail else None,
            int(instant.doubtful),
            int(name in _OF_GRANTS),
        )
        self._connection.execute(_RECORD, row)

    def take(self) -> list[Event]:
        """What was recorded since this was last asked: to be told of after the commit, or dropped with a rollback."""
        recorded, self._recorded = self._recorded, []
        return recorded
