"""Link attempts as they are read back from the audit trail."""

from dataclasses import replace
from functools import partial

import pytest

from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.reading import History, HistoryQuery, RecordedEvent
from alexa_oauth.storage import authorizations, histories
from alexa_oauth.storage.histories import FIRST_EVENTS, LAST_EVENTS
from alexa_oauth.storage.store import SqliteStore
from tests.storage.conftest import Surroundings
from tests.storage.records import NOW, access_token, grant


async def record(store: SqliteStore, *events: Event) -> None:
    def write(event: Event, tx: Transaction) -> None:
        tx.events.record(event)

    for event in events:
        await store.write(partial(write, event))


async def read(store: SqliteStore, query: HistoryQuery) -> list[History]:
    async with store.reader() as reader:
        return await reader.histories(query)


def asked(attempt: str) -> Event:
    return Event(EventName.AUTHORIZE_REQUEST, attempt, "other", address="192.0.2.1", detail={"pkce": "yes"})


def approved(attempt: str, subject: str = "ha:anna") -> Event:
    return Event(EventName.CONSENT_APPROVED, attempt, "other", subject)


async def test_an_attempt_comes_back_with_its_events_in_their_order(store: SqliteStore) -> None:
    events = [asked("a1"), asked("a2"), approved("a1"), Event(EventName.TOKEN_REFUSED, "a1", reason=Reason.CODE_USED, count=3)]
    await record(store, *events, Event(EventName.CLOCK_DOUBTED))
    first, second, third, fourth = (
        RecordedEvent(place, NOW, doubtful=False, event=event) for place, event in enumerate(events, 1)
    )
    assert await read(store, HistoryQuery(10)) == [History("a2", (second,)), History("a1", (first, third, fourth))]
    assert await read(store, HistoryQuery(10, attempt="a2")) == [History("a2", (second,))]
    assert await read(store, HistoryQuery(10, attempt="a3")) == []


async def test_pages_go_on_from_where_the_last_one_ended(store: SqliteStore) -> None:
    await record(store, *(asked(f"a{number}") for number in range(7)), approved("a0"))
    seen: list[str] = []
    before = None
    while found := await read(store, HistoryQuery(3, before=before)):
        seen += [history.attempt for history in found]
        before = found[-1].events[0].sequence
    assert seen == [f"a{number}" for number in reversed(range(7))]


async def test_a_person_is_told_of_what_they_approved_and_not_of_where_they_only_failed(store: SqliteStore) -> None:
    refused = Event(EventName.SIGN_IN_FAILED, "a2", "other", "ha:anna", reason=Reason.NOT_AN_APPROVER)
    await record(store, asked("a1"), approved("a1"), asked("a2"), refused, approved("a2", "ha:bert"), asked("a3"))
    assert [history.attempt for history in await read(store, HistoryQuery(10, subject="ha:anna"))] == ["a1"]


async def test_years_of_refreshes_and_refusals_are_told_in_short(store: SqliteStore) -> None:
    await record(store, asked("a1"), *[Event(EventName.TOKEN_REFRESHED, "a1")] * 30)
    refused = Event(EventName.TOKEN_REFUSED, "a1", reason=Reason.REFRESH_TOKEN_EXPIRED)
    await record(store, *[refused] * (FIRST_EVENTS + LAST_EVENTS + 20), Event(EventName.GRANT_ENDED, "a1"))
    (history,) = await read(store, HistoryQuery(10))
    names = [told.event.name for told in history.events]
    assert (names[0], names[-1], len(names)) == (EventName.AUTHORIZE_REQUEST, EventName.GRANT_ENDED, FIRST_EVENTS + LAST_EVENTS)
    assert EventName.TOKEN_REFRESHED not in names


async def test_the_first_use_of_a_token_is_told(store: SqliteStore, surroundings: Surroundings) -> None:
    linked = replace(grant(), attempt="a1")

    def link(tx: Transaction) -> None:
        tx.events.record(asked("a1"))
        tx.grants.add(linked)
        tx.grants.issue(linked, access_token())

    await store.write(link)
    assert [history.first_used_at for history in await read(store, HistoryQuery(10))] == [None]
    surroundings.advance(7)
    await store.write(lambda tx: tx.grants.use_head(linked))
    assert [history.first_used_at for history in await read(store, HistoryQuery(10))] == [NOW + 7]


@pytest.mark.parametrize(("since", "until", "found"), [(0, 9, 3), (1, 9, 2), (0, 0, 1), (3, 9, 0)])
async def test_refused_calls_that_name_no_attempt_are_found_by_their_time(
    store: SqliteStore, surroundings: Surroundings, since: int, until: int, found: int
) -> None:
    strays = [
        Event(EventName.TOKEN_REFUSED, reason=Reason.SECRET_WRONG),
        Event(EventName.REQUEST_MISDIRECTED, reason=Reason.PATH_UNKNOWN),
        Event(EventName.TOKEN_REFUSED, reason=Reason.CODE_UNKNOWN),
    ]
    for stray in strays:
        await record(store, stray, replace(stray, attempt="a1"), Event(EventName.REVOCATION_REFUSED))
        surroundings.advance(1)
    async with store.reader() as reader:
        told = await reader.strays(NOW + since, NOW + until)
    assert [event.event for event in told] == [stray for at, stray in enumerate(strays) if since <= at <= until][:found]
    assert len(told) == found


@pytest.mark.parametrize(
    ("statement", "values", "index"),
    [
        (histories._EVENTS, ("[]", 1, 1), "events_of_attempts"),
        (histories._BEGUN, {"limit": 1, "attempt": None, "subject": None, "before": None}, "events_of_attempts"),
        (authorizations._WAITING, (0, 1, 1), "COVERING INDEX pending_requests_by_end"),
        (authorizations._COUNT_WAITING, (0,), "COVERING INDEX pending_requests_by_end"),
        (authorizations._FIND_WAITING, ("a1", 0), "pending_requests_of_attempt"),
    ],
)
async def test_pages_that_refresh_themselves_read_no_more_than_they_show(
    store: SqliteStore, statement: str, values: dict[str, object] | tuple[object, ...], index: str
) -> None:
    """While strangers keep twelve thousand requests waiting, and a link has been refreshed for years."""
    plan = store.read(lambda tx: tx.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())
    assert any(index in row[3] for row in plan), plan
