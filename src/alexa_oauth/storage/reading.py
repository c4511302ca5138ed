"""Reading for pages and commands: who is linked and what happened, on a connection of its own."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import asdict
from pathlib import Path
from typing import Final

import aiosqlite

from alexa_oauth.protocol.activity import HOUR, Activity
from alexa_oauth.protocol.reading import EventQuery, History, HistoryQuery, Lifetime, Link, RecordedEvent
from alexa_oauth.storage.errors import is_storage_failure, unavailable
from alexa_oauth.storage.events import COLUMNS, read_recorded
from alexa_oauth.storage.folder import DATABASE
from alexa_oauth.storage.histories import read_histories, read_strays
from alexa_oauth.storage.keys import KeyRing

_LIVING: Final = "FROM grants WHERE ended_at IS NULL AND (ends_at IS NULL OR ends_at > ?)"
_LINKS: Final = f"""SELECT grant_id, client_id, created_at, last_used_at, used_in_doubt, ends_at, payload {_LIVING}
    ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?"""
_COUNT: Final = f"SELECT count(*) {_LIVING}"
_LIFETIMES: Final = f"SELECT created_at, last_used_at, used_in_doubt, ends_at {_LIVING}"
_AT_ONCE: Final = 64
"""So many payloads are opened before requests get their turn."""
_ACTIVITY: Final = "SELECT hour, counted, count FROM activity WHERE hour > ? ORDER BY hour"
_PENDING: Final = "SELECT count(*) FROM pending_requests WHERE expires_at > ?"
_EVENTS: Final = f"""SELECT {COLUMNS} FROM events
    WHERE (:attempt IS NULL OR attempt = :attempt) AND (:name IS NULL OR event = :name)
    AND (:grant_id IS NULL OR grant_id = :grant_id) AND (:subject IS NULL OR subject = :subject)
    AND (:client_id IS NULL OR client_id = :client_id)
    AND (:after IS NULL OR sequence > :after) AND (:before IS NULL OR sequence < :before) ORDER BY sequence DESC LIMIT :limit"""  # noqa: S608 - the names are ours


class Reader:
    """Questions to the database, each of them one snapshot."""

    def __init__(self, connection: aiosqlite.Connection, ring: KeyRing) -> None:
        """Use `open_reader`."""
        self._connection = connection
        self._ring = ring

    async def links(self, now: int, limit: int = -1, skip: int = 0) -> list[Link]:
        """The living grants, newest first: all of them, or so many after those that are skipped. `RowDamaged`."""
        rows = await self._connection.execute_fetchall(_LINKS, (now, limit, skip))
        links: list[Link] = []
        for grant_id, client_id, created_at, last_used_at, used_in_doubt, ends_at, payload in rows:
            if len(links) % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            body = self._ring.payloads.open("grants", grant_id, payload)
            used_at = _used_at(last_used_at, used_in_doubt, now)
            links.append(Link(grant_id, body["subject"], client_id, tuple(body["scope"]), created_at, used_at, ends_at))
        return links

    async def count_links(self, now: int) -> int:
        """How many living grants there are."""
        ((count,),) = await self._connection.execute_fetchall(_COUNT, (now,))
        return int(count)

    async def lifetimes(self, now: int) -> list[Lifetime]:
        """Those of the living grants. No payload is opened for it, so that it can be asked for every minute."""
        rows = await self._connection.execute_fetchall(_LIFETIMES, (now,))
        return [Lifetime(created_at, _used_at(last, in_doubt, now), ends_at) for created_at, last, in_doubt, ends_at in rows]

    async def activity(self, since: int) -> list[Activity]:
        """The hours in which something was counted, from the one in which `since` lies, the oldest first."""
        hours: dict[int, dict[str, int]] = {}
        for hour, counted, count in await self._connection.execute_fetchall(_ACTIVITY, (since - HOUR,)):
            hours.setdefault(hour, {})[counted] = count
        return [Activity(hour, counts) for hour, counts in hours.items()]

    async def pending_requests(self, now: int) -> int:
        """How many authorization requests wait for a person."""
        ((count,),) = await self._connection.execute_fetchall(_PENDING, (now,))
        return int(count)

    async def events(self, query: EventQuery) -> list[RecordedEvent]:
        """The newest events that the query asks for, newest first."""
        return [read_recorded(row) for row in await self._connection.execute_fetchall(_EVENTS, asdict(query))]

    async def histories(self, query: HistoryQuery) -> list[History]:
        """The link attempts that the query asks for, newest first."""
        return await read_histories(self._connection, query)

    async def strays(self, since: int, until: int) -> list[RecordedEvent]:
        """Refused calls of that time which name no attempt, oldest first."""
        return await read_strays(self._connection, since, until)


def _used_at(last_used_at: int, in_doubt: int, now: int) -> int:
    return max(last_used_at, now) if in_doubt else last_used_at


@asynccontextmanager
async def open_reader(folder: Path, ring: KeyRing) -> AsyncIterator[Reader]:
    """A reader on that data folder; `StorageUnavailable` if it cannot be read now."""
    path = f"{(folder / DATABASE).absolute().as_uri()}?mode=ro"
    try:
        # Opened here rather than by aiosqlite, which forgets what it is just opening for somebody who goes away.
        with closing(sqlite3.connect(path, uri=True, check_same_thread=False)) as opened:
            async with aiosqlite.Connection(lambda: opened, _AT_ONCE) as connection:
                yield Reader(connection, ring)
    except sqlite3.Error as error:
        raise (unavailable(error) if is_storage_failure(error) else error) from error
