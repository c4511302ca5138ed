"""Link attempts as the audit trail tells of them: which there were, and what belongs to each."""

import json
from collections import defaultdict
from dataclasses import asdict
from typing import Final

import aiosqlite

from alexa_oauth.protocol.reading import History, HistoryQuery, RecordedEvent
from alexa_oauth.storage.events import COLUMNS, read_recorded

FIRST_EVENTS: Final = 40
LAST_EVENTS: Final = 10
"""How many events of an attempt are told: a client that does not give up is refused again and again."""
STRAYS: Final = 500

_OF_ATTEMPTS: Final = "attempt IS NOT NULL AND event <> 'token.refreshed'"
"""As the index `events_of_attempts` says it: a link that lives for years is refreshed ten thousand times."""
_BEGUN: Final = f"""SELECT attempt, min(sequence) AS begun FROM events
    WHERE {_OF_ATTEMPTS} GROUP BY attempt
    HAVING (:before IS NULL OR begun < :before) AND (:attempt IS NULL OR attempt = :attempt)
    AND (:subject IS NULL OR max(event = 'consent.approved' AND subject = :subject) = 1) ORDER BY begun DESC LIMIT :limit"""  # noqa: S608 - the names are ours
_EVENTS: Final = f"""SELECT {COLUMNS} FROM (
        SELECT *, row_number() OVER (PARTITION BY attempt ORDER BY sequence) AS place,
            row_number() OVER (PARTITION BY attempt ORDER BY sequence DESC) AS place_from_end
        FROM events WHERE {_OF_ATTEMPTS} AND attempt IN (SELECT value FROM json_each(?))
    ) WHERE place <= ? OR place_from_end <= ? ORDER BY sequence"""  # noqa: S608 - the names are ours
_USED: Final = """SELECT attempt, min(first_used_at) FROM grants
    WHERE first_used_at IS NOT NULL AND attempt IN (SELECT value FROM json_each(?)) GROUP BY attempt"""
_STRAYS: Final = f"""SELECT {COLUMNS} FROM events WHERE at BETWEEN ? AND ? AND attempt IS NULL
    AND event IN ('token.refused', 'request.misdirected') ORDER BY sequence DESC LIMIT ?"""  # noqa: S608 - the names are ours


async def read_histories(connection: aiosqlite.Connection, query: HistoryQuery) -> list[History]:
    """The attempts that the query asks for, newest first, each with its events."""
    attempts = [attempt for attempt, _ in await connection.execute_fetchall(_BEGUN, asdict(query))]
    wanted = json.dumps(attempts)
    events: defaultdict[str, list[RecordedEvent]] = defaultdict(list)
    for row in await connection.execute_fetchall(_EVENTS, (wanted, FIRST_EVENTS, LAST_EVENTS)):
        told = read_recorded(row)
        events[told.event.attempt or ""].append(told)
    used = {str(attempt): int(at) for attempt, at in await connection.execute_fetchall(_USED, (wanted,))}
    return [History(attempt, tuple(events[attempt]), used.get(attempt)) for attempt in attempts]


async def read_strays(connection: aiosqlite.Connection, since: int, until: int) -> list[RecordedEvent]:
    """Refused calls of that time which name no attempt, the newest of them, oldest first."""
    rows = await connection.execute_fetchall(_STRAYS, (since, until, STRAYS))
    return [read_recorded(row) for row in rows][::-1]
