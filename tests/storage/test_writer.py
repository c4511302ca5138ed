"""The writer: one commit for all who wait, and whatever fails fails for those alone whom it concerns."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import pytest

from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.storage.store import SqliteStore
from tests.storage.conftest import OpenStore, Surroundings
from tests.storage.records import NOW, code, grant, pending_request


def add(number: int) -> Callable[[Transaction], None]:
    return lambda tx: tx.grants.add(grant(number))


def is_kept(store: SqliteStore, number: int) -> bool:
    return store.read(lambda tx: tx.grants.find(grant(number).grant_id)) is not None


@contextmanager
def statements(store: SqliteStore) -> Iterator[list[str]]:
    """What the writer's connection is told while the block runs, without its parameters."""
    said: list[str] = []
    store._writer._sqlite.set_trace_callback(said.append)
    yield said
    store._writer._sqlite.set_trace_callback(None)


class AtCommit:
    """A connection that acts before it commits."""

    def __init__(self, sqlite: sqlite3.Connection, act: Callable[[], None]) -> None:
        self._sqlite = sqlite
        self._act = act

    def execute(self, statement: str) -> sqlite3.Cursor:
        if statement == "COMMIT":
            self._act()
        return self._sqlite.execute(statement)

    def __getattr__(self, name: str) -> object:
        return getattr(self._sqlite, name)


@asynccontextmanager
async def held_up(store: SqliteStore) -> AsyncIterator[None]:
    """Keep the writer at a flush, so that what is asked for within the block waits together, and shares the next one."""
    writer, flushing, release = store._writer, threading.Event(), threading.Event()

    def hold() -> None:
        flushing.set()
        release.wait()

    sqlite, writer._sqlite = writer._sqlite, AtCommit(writer._sqlite, hold)  # type: ignore[assignment]  # it acts as one
    holding = asyncio.create_task(store.write(lambda _: None))
    while not flushing.is_set():  # noqa: ASYNC110 - a thread sets it
        await asyncio.sleep(0)
    writer._sqlite = sqlite
    try:
        yield
        await asyncio.sleep(0)
    finally:
        release.set()
        await asyncio.gather(holding, return_exceptions=True)


async def test_who_waits_together_shares_one_commit(store: SqliteStore) -> None:
    with statements(store) as said:
        async with held_up(store):
            waiting = [asyncio.create_task(store.write(add(number))) for number in range(63)]
        await asyncio.gather(*waiting)
    assert said.count("COMMIT") == 1 + 1  # what held them up, and theirs
    assert all(is_kept(store, number) for number in range(63))


async def test_the_first_to_come_back_does_not_have_a_flush_to_itself(store: SqliteStore) -> None:
    """Who was just answered asks again some turns of the loop later, one sooner, one later."""

    async def come_twice(number: int) -> None:
        await store.write(add(number))
        for _ in range(number):
            await asyncio.sleep(0)
        await store.write(add(100 + number))

    with statements(store) as said:
        await asyncio.gather(*(come_twice(number) for number in range(30)))
    first = said.index("COMMIT")
    second = said[first + 1 : said.index("COMMIT", first + 1)]
    assert len([statement for statement in second if statement.startswith("INSERT")]) > 10
    assert all(is_kept(store, 100 + number) for number in range(30))


async def test_a_commit_serves_sixty_four_at_most(store: SqliteStore) -> None:
    with statements(store) as said:
        async with held_up(store):
            waiting = [asyncio.create_task(store.write(add(number))) for number in range(130)]
        await asyncio.gather(*waiting)
    assert said.count("COMMIT") == 1 + 3  # what held them up; 64, 64, and 2


async def test_nobody_is_answered_before_the_commit(store: SqliteStore, surroundings: Surroundings) -> None:
    """The answers of a batch go out together, each of them already visible to another connection."""
    seen: list[bool] = []

    async def ask(number: int) -> None:
        await store.write(add(number))
        with closing(sqlite3.connect(surroundings.folder / "oauth.db")) as other:
            rows = other.execute("SELECT 1 FROM grants WHERE grant_id = ?", (grant(number).grant_id,)).fetchall()
            seen.append(len(rows) == 1)

    await asyncio.gather(*(ask(number) for number in range(20)))
    assert seen == [True] * 20


class NotEvenAnExceptionError(BaseException):
    pass


async def test_a_rule_that_fails_after_writing_costs_its_batch_nothing(store: SqliteStore) -> None:
    def fail(tx: Transaction) -> None:
        tx.grants.add(grant(2))
        raise NotEvenAnExceptionError

    async with held_up(store):
        tasks = [asyncio.create_task(store.write(rule)) for rule in (add(1), fail, add(3))]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[1], NotEvenAnExceptionError)
    assert [is_kept(store, number) for number in (1, 2, 3)] == [True, False, True]
    assert store.checks() == {"database": "ok", "encryption_key": "ok"}


async def test_a_defect_of_our_own_is_no_storage_failure(store: SqliteStore) -> None:
    """Answered with "try again later" it would be tried for ever."""
    await store.write(add(1))
    with pytest.raises(sqlite3.IntegrityError):
        await store.write(add(1))
    assert store.checks()["database"] == "ok"


async def test_a_caller_that_has_gone_away_does_not_disturb_the_others(store: SqliteStore) -> None:
    async with held_up(store):
        gone = asyncio.create_task(store.write(add(1)))
        staying = asyncio.create_task(store.write(add(2)))
        await asyncio.sleep(0)
        gone.cancel()
    await staying
    assert gone.cancelled()
    assert is_kept(store, 2)
    await store.write(add(3))


class TestFullDisk:
    @pytest.fixture
    async def full(self, store: SqliteStore) -> SqliteStore:
        """A store with a code in it and no room for anything more."""
        await store.write(lambda tx: tx.authorizations.fulfil(pending_request("1"), code(1), "ha:anna", NOW + 300))
        sqlite = store._writer._sqlite
        pages = sqlite.execute("PRAGMA page_count").fetchone()[0]
        sqlite.execute(f"PRAGMA max_page_count = {pages}")
        return store

    async def test_nothing_is_used_up_and_it_gets_well_by_itself(self, full: SqliteStore) -> None:
        def redeem(tx: Transaction) -> None:
            issued = tx.authorizations.find_code(code(1))
            assert issued is not None
            tx.authorizations.mark_used(issued, grant().grant_id)
            for number in range(100):
                tx.grants.add(grant(number))

        with pytest.raises(StorageUnavailable, match="disk full"):
            await full.write(redeem)
        assert full.checks()["database"] == "disk full"
        issued = full.read(lambda tx: tx.authorizations.find_code(code(1)))
        assert issued is not None
        assert issued.used_at is None
        assert not is_kept(full, 1)

        full._writer._sqlite.execute("PRAGMA max_page_count = 1000000")
        await full.probe()
        assert full.checks()["database"] == "ok"
        await full.write(redeem)
        assert is_kept(full, 99)

    async def test_who_shares_the_batch_is_told_the_truth(self, full: SqliteStore) -> None:
        """SQLite may undo the whole transaction by itself: then nobody in it may be told that it was kept."""

        def fill(tx: Transaction) -> None:
            for number in range(10, 200):
                tx.grants.add(grant(number))

        async with held_up(full):
            rules = [lambda tx: tx.pairing_codes.current("ha:anna", "BCDFGHJK"), fill, add(500)]
            tasks = [asyncio.create_task(full.write(rule)) for rule in rules]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(outcomes[1], StorageUnavailable)
        kept = full.read(lambda tx: tx.pairing_codes.find("BCDFGHJK")) is not None
        assert kept == (not isinstance(outcomes[0], StorageUnavailable))
        assert is_kept(full, 500) == (not isinstance(outcomes[2], StorageUnavailable))

    async def test_reading_alone_does_not_make_a_full_disk_well(self, full: SqliteStore) -> None:
        with pytest.raises(StorageUnavailable):
            await full.write(lambda tx: [tx.grants.add(grant(number)) for number in range(100)])  # type: ignore[func-returns-value]
        await full.write(lambda tx: tx.grants.find("0" * 16))
        assert full.checks()["database"] == "disk full"


async def test_when_sqlite_has_undone_the_whole_batch_everybody_is_refused(
    store: SqliteStore, surroundings: Surroundings
) -> None:
    """Some failures of the disk take the transaction with them, and with it what the others in it had written."""

    def fail(_: Transaction) -> None:
        store._writer._sqlite.execute("ROLLBACK")
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
        raise error

    def tell(tx: Transaction) -> None:
        tx.events.record(Event(EventName.TOKEN_ISSUED))

    async with held_up(store):
        tasks = [asyncio.create_task(store.write(rule)) for rule in (add(1), tell, fail)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["input/output error"] * 3
    assert not is_kept(store, 1)
    await asyncio.sleep(0)
    assert surroundings.told == []
    await store.write(add(1))


async def test_a_failed_commit_refuses_all_and_leaves_everything_as_it_was(
    store: SqliteStore, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(tx: Transaction) -> None:
        tx.events.record(Event(EventName.TOKEN_ISSUED))

    def break_off() -> None:
        """As the disk does in the middle of a flush."""
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(store._writer, "_sqlite", AtCommit(store._writer._sqlite, break_off))
        outcomes = await asyncio.gather(store.write(add(1)), store.write(tell), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable, StorageUnavailable]
    assert store.checks()["database"] == "input/output error"
    assert not is_kept(store, 1)
    await asyncio.sleep(0)
    assert surroundings.told == []
    await store.write(add(1))
    assert is_kept(store, 1)
    assert store.checks()["database"] == "ok"


class TestLockedDatabase:
    @pytest.fixture
    def locked(self, store: SqliteStore, surroundings: Surroundings) -> Iterator[sqlite3.Connection]:
        """Another program holds the database's write lock."""
        assert store._writer._busy_milliseconds == 2_000
        store._writer._busy_milliseconds = 20
        with closing(sqlite3.connect(surroundings.folder / "oauth.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield other

    async def test_all_who_wait_are_refused_after_one_wait(self, store: SqliteStore, locked: sqlite3.Connection) -> None:
        """Alexa gives up after 4.5 s: who came while the first waited must not wait a whole time again."""
        with statements(store) as said:
            async with held_up_by_lock(store) as first:
                waiting = [asyncio.create_task(store.write(add(number))) for number in range(100)]
            outcomes = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert {str(outcome) for outcome in outcomes} == {"locked"}
        assert said.count("BEGIN IMMEDIATE") <= 2 * 2  # at once, then aside
        assert store.checks()["database"] == "locked"
        locked.execute("ROLLBACK")
        await store.probe()
        assert store.checks()["database"] == "ok"

    async def test_nothing_but_writing_waits_for_the_lock(self, store: SqliteStore, locked: sqlite3.Connection) -> None:
        """The wait is not on the event loop, and who waits is served as soon as the lock is free."""
        store._writer._busy_milliseconds = 20_000
        writing = asyncio.create_task(store.write(add(1)))
        for _ in range(100):
            await asyncio.sleep(0)
            assert not is_kept(store, 1)
        assert not writing.done()
        locked.execute("ROLLBACK")
        await writing
        assert is_kept(store, 1)

    async def test_reading_goes_on(self, store: SqliteStore, locked: sqlite3.Connection) -> None:
        assert locked.in_transaction
        assert store.read(lambda tx: tx.grants.find("0" * 16)) is None


@asynccontextmanager
async def held_up_by_lock(store: SqliteStore) -> AsyncIterator[asyncio.Task[None]]:
    first = asyncio.create_task(store.write(add(1_000)))
    await asyncio.sleep(0)
    yield first


async def test_a_clock_that_fails_does_not_end_the_writer(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store._writer._transaction, "_clock", lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            await store.write(add(1))
    await store.write(add(1))
    assert is_kept(store, 1)


async def test_events_are_told_on_the_event_loop_and_no_answer_waits_for_that(
    open_store: OpenStore, surroundings: Surroundings
) -> None:
    threads: list[int] = []
    surroundings.told = ThreadNotes(threads)
    store = open_store()
    await store.write(lambda tx: tx.events.record(Event(EventName.TOKEN_ISSUED)))
    assert threads == []
    await asyncio.sleep(0)
    assert threads == [threading.get_ident()]


class ThreadNotes(list[Event]):
    def __init__(self, threads: list[int]) -> None:
        super().__init__()
        self._threads = threads

    def extend(self, _: object) -> None:
        self._threads.append(threading.get_ident())


async def test_pruning_holds_up_nobody_but_writers(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may walk through whole tables: it has a transaction of its own, and is not on the event loop."""
    threads: list[int] = []

    def sweep(_: Transaction) -> bool:
        threads.append(threading.get_ident())
        return False

    monkeypatch.setattr("alexa_oauth.storage.store.sweep_batch", sweep)
    with statements(store) as said:
        async with held_up(store):
            tasks = [asyncio.create_task(task) for task in (store.write(add(1)), store.sweep(), store.write(add(2)))]
        await asyncio.gather(*tasks)
    assert threads
    assert threads[0] != threading.get_ident()
    assert said.count("COMMIT") == 1 + 3


async def test_closing_finishes_what_waits_and_refuses_what_comes_later(
    open_store: OpenStore, surroundings: Surroundings
) -> None:
    store = open_store()
    waiting = [asyncio.create_task(store.write(add(number))) for number in range(100)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*waiting)
    with pytest.raises(StorageUnavailable):
        await store.write(add(100))
    await store.close()
    assert sorted(file.name for file in surroundings.folder.iterdir()) == ["encryption.key", "oauth.db", "server.lock"]
    again = open_store()
    assert all(is_kept(again, number) for number in range(100))


async def test_a_rule_that_only_reads_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StorageUnavailable, match="read-only"):
        store.read(add(1))
