"""What pages and commands read."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import RefreshProfile
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.reading import EventQuery, Link, RecordedEvent
from alexa_oauth.storage import reading
from alexa_oauth.storage.store import SqliteStore
from tests.storage.conftest import Surroundings
from tests.storage.records import DAY, NOW, access_token, grant


async def test_links_are_the_living_grants_the_newest_first(store: SqliteStore, surroundings: Surroundings) -> None:
    def link(tx: Transaction) -> None:
        tx.grants.add(grant(1))
        tx.grants.add(replace(grant(2), ends_at=NOW + 600))
        tx.grants.add(replace(grant(3), ends_at=NOW + 60))
        tx.grants.add(grant(4))
        tx.grants.end(grant(4))

    await store.write(link)
    surroundings.advance(60)
    await store.write(lambda tx: tx.grants.use_head(grant(1)))
    async with store.reader() as reader:
        links = await reader.links(NOW + 60)
        assert await reader.links(NOW + 60, 1, 1) == links[1:]
        assert await reader.links(NOW + 60, 1) == links[:1]
        assert await reader.count_links(NOW + 60) == 2
    scope = ("music.read", "music.control")
    assert links == [
        Link(grant(2).grant_id, "ha:user-2", "other", scope, NOW, NOW, NOW + 600),
        Link(grant(1).grant_id, "ha:user-1", "other", scope, NOW, NOW + 60, None),
    ]


async def test_a_link_that_was_used_in_doubt_counts_as_used_now(store: SqliteStore, surroundings: Surroundings) -> None:
    await store.write(lambda tx: tx.grants.add(grant()))
    surroundings.doubt(NOW - 900 * DAY)
    await store.write(lambda tx: tx.grants.rotate(grant(), RefreshProfile.OVERLAP, access_token()))
    async with store.reader() as reader:
        assert [link.last_used_at for link in await reader.links(NOW + 5)] == [NOW + 5]


async def test_many_links_are_read_while_requests_get_their_turn(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_AT_ONCE", 2)

    def link(tx: Transaction) -> None:
        for number in range(1, 10):
            tx.grants.add(grant(number))

    await store.write(link)
    turns = []

    async def turn(seconds: float) -> None:
        turns.append(seconds)

    monkeypatch.setattr("alexa_oauth.storage.reading.asyncio.sleep", turn)
    async with store.reader() as reader:
        assert len(await reader.links(NOW)) == 9
    assert turns == [0] * 4


async def test_events_come_back_as_they_were_recorded_the_newest_first(store: SqliteStore, surroundings: Surroundings) -> None:
    first = Event(EventName.AUTHORIZE_REQUEST, "0badcafe", "other", address="192.0.2.1", detail={"pkce": "yes"})
    second = Event(EventName.TOKEN_REFUSED, None, "other", "ha:anna", "0" * 16, Reason.CODE_USED, "192.0.2.1", 7)
    await store.write(lambda tx: tx.events.record(first))
    surroundings.doubt(NOW + 5)
    await store.write(lambda tx: tx.events.record(second))
    async with store.reader() as reader:
        newest = RecordedEvent(2, NOW + 5, doubtful=True, event=second)
        assert await reader.events(EventQuery(10)) == [newest, RecordedEvent(1, NOW, doubtful=False, event=first)]
        assert await reader.events(EventQuery(1)) == [newest]
        assert [recorded.event for recorded in await reader.events(EventQuery(10, "0badcafe"))] == [first]
        assert [recorded.event for recorded in await reader.events(EventQuery(10, name=second.name))] == [second]
        assert [recorded.event for recorded in await reader.events(EventQuery(10, grant_id="0" * 16))] == [second]


async def test_a_command_reads_beside_the_server(store: SqliteStore) -> None:
    async with store.reader() as reader:
        await store.write(lambda tx: tx.grants.add(grant()))
        assert len(await reader.links(NOW)) == 1


@pytest.mark.parametrize("times", [1, 2])
async def test_who_goes_away_while_a_reader_is_opened_leaves_nothing_open(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The server ends amid one of its own duties, or a visitor hangs up; the end of the event loop cancels once more."""
    opened: list[sqlite3.Connection] = []
    real, begun = sqlite3.connect, asyncio.Event()

    def connect(*values: object, **named: object) -> sqlite3.Connection:
        opened.append(real(*values, **named))  # type: ignore[call-overload]  # whatever it was asked
        begun.set()
        return opened[-1]

    monkeypatch.setattr("alexa_oauth.storage.reading.sqlite3.connect", connect)

    async def read() -> None:
        async with store.reader():
            pytest.fail("nobody waits for it any more")

    asked = asyncio.create_task(read())
    await begun.wait()
    for _ in range(times):
        asked.cancel()
        await asyncio.wait([asked], timeout=0)
    with pytest.raises(asyncio.CancelledError):
        await asked
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
