"""The writer: one connection, and one commit for all requests that are waiting.

A flush to disk costs more than everything else a request does, so requests that wait together share one. Rules run on the
event loop: they are short, and in a thread each of their statements would let go of the interpreter and have to win it back
from the loop. What blocks runs in a thread of the writer's own: the flush, and waiting for another program's lock. Nobody is
answered before the commit.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Generic

from alexa_oauth.metrics import Metrics
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import Event
from alexa_oauth.storage.errors import is_locked, is_storage_failure, unavailable
from alexa_oauth.storage.side_thread import SideThread
from alexa_oauth.storage.transaction import Outcome, Rule, SqliteTransaction

BATCH_LIMIT: Final = 64
WELL: Final = "ok"
_TURNS_TO_ARRIVE: Final = 4
"""Turns of the event loop from octets on a socket to a rule that waits here."""


class _Job(Generic[Outcome]):
    """A rule that waits for its turn, and what came of it."""

    __slots__ = ("done", "error", "events", "is_lengthy", "outcome", "rule")

    outcome: Outcome

    def __init__(self, rule: Rule[Outcome], done: asyncio.Future[None], *, is_lengthy: bool) -> None:
        self.rule = rule
        self.done = done
        self.is_lengthy = is_lengthy
        self.error: BaseException | None = None
        self.events: list[Event] = []


class Writer:
    """Runs rules, a batch at a time. `condition` is what the last commit said: `ok`, or why writing failed."""

    def __init__(
        self,
        sqlite: sqlite3.Connection,
        transaction: SqliteTransaction,
        on_commit: Callable[[Sequence[Event]], None],
        busy_seconds: float,
        metrics: Metrics,
    ) -> None:
        """`on_commit` is called on the event loop with what a batch recorded; `metrics` learns how long each took.

        `sqlite` does not wait for locks by itself. Another program's lock is waited for aside, at most `busy_seconds`.
        """
        self.condition = WELL
        self._sqlite = sqlite
        self._transaction = transaction
        self._on_commit = on_commit
        self._metrics = metrics
        self._busy_milliseconds = round(busy_seconds * 1_000)
        self._thread = SideThread("store-writer")
        self._waiting: deque[_Job[object]] = deque()
        self._turns: asyncio.Task[None] | None = None
        self._served = 0
        self._closed = False

    async def run(self, rule: Rule[Outcome], *, is_lengthy: bool = False) -> Outcome:
        """Run the rule and return its outcome once it is on disk; its exception is raised here, its changes undone.

        A lengthy rule has a transaction of its own and runs aside, so that it holds up writers but nobody else.
        """
        if self._closed:
            raise StorageUnavailable("closed")
        job = _Job(rule, asyncio.get_running_loop().create_future(), is_lengthy=is_lengthy)
        self._waiting.append(job)  # type: ignore[arg-type]  # a queue of jobs of every outcome
        if self._turns is None:
            self._turns = asyncio.create_task(self._take_turns())
        await job.done
        try:
            if job.error is not None:
                raise job.error
            return job.outcome
        finally:
            del job  # breaks the circle from the exception's traceback over this frame to the job and back

    async def close(self) -> None:
        """Finish what is waiting and end the thread."""
        self._closed = True
        if self._turns is not None:
            await self._turns
        await self._thread.end()

    async def _take_turns(self) -> None:
        """Carry out batches as long as somebody waits. While one is flushed, the next one gathers.

        Who is answered goes on while the next batch is flushed, too.
        """
        while self._waiting:
            await self._gather()
            batch = self._next_batch()
            self._served = len(batch)
            try:
                await self._carry_out(batch)
            except Exception as error:  # noqa: BLE001 - a task that dies would leave everybody waiting for ever
                self._fail(batch, error)
            self._answer(batch)
        self._turns = None

    async def _gather(self) -> None:
        """Let some of those who were just answered come back, until half of all wait: then one half is flushed, one is served.

        Without this the first to come back has a flush to itself, and every second commit serves one request.
        """
        half, waiting = (self._served + len(self._waiting)) // 2, 0
        while waiting < len(self._waiting) < half:
            waiting = len(self._waiting)
            for _ in range(_TURNS_TO_ARRIVE):
                await asyncio.sleep(0)

    def _next_batch(self) -> list[_Job[object]]:
        batch = [self._waiting.popleft()]
        while self._waiting and len(batch) < BATCH_LIMIT and not (batch[0].is_lengthy or self._waiting[0].is_lengthy):
            batch.append(self._waiting.popleft())
        return batch

    async def _carry_out(self, batch: list[_Job[object]]) -> None:
        changes, begun = self._sqlite.total_changes, self._metrics.clock()
        await self._begin(batch)
        if batch[0].is_lengthy:
            await self._thread.make(lambda: self._run_all(batch))
        else:
            self._run_all(batch)
        ran = self._metrics.clock()
        await self._thread.make(lambda: self._sqlite.execute("COMMIT"))
        self._metrics.committed(ran - begun, self._metrics.clock() - ran)
        failures = [job.error for job in batch if isinstance(job.error, StorageUnavailable)]
        if failures:
            self.condition = str(failures[-1])
        elif self._sqlite.total_changes != changes:
            self.condition = WELL

    async def _begin(self, batch: list[_Job[object]]) -> None:
        try:
            self._sqlite.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if not is_locked(error):
                raise
            await self._begin_patiently(batch)
        self._transaction.begin()

    async def _begin_patiently(self, batch: list[_Job[object]]) -> None:
        self._sqlite.execute(f"PRAGMA busy_timeout = {self._busy_milliseconds}")
        try:
            await self._thread.make(lambda: self._sqlite.execute("BEGIN IMMEDIATE"))
        except sqlite3.Error:
            # What came meanwhile has waited for the same lock; Alexa gives up before a second wait would end.
            batch.extend(self._waiting)
            self._waiting.clear()
            raise
        finally:
            self._sqlite.execute("PRAGMA busy_timeout = 0")

    def _run_all(self, batch: list[_Job[object]]) -> None:
        """Run the rules. They decide before they write, so that what one raises rarely leaves anything to undo."""
        for job in batch:
            changes = self._sqlite.total_changes
            self._run(job)
            if job.error is not None and self._sqlite.total_changes != changes:
                self._run_apart(batch)
                return

    def _run_apart(self, batch: list[_Job[object]]) -> None:
        """Undo all and run the rules again, each in a savepoint: whatever goes wrong in one is undone for that one."""
        self._sqlite.execute("ROLLBACK")
        self._sqlite.execute("BEGIN IMMEDIATE")
        for job in batch:
            self._sqlite.execute("SAVEPOINT request")
            self._run(job)
            if job.error is not None:
                self._sqlite.execute("ROLLBACK TO request")
            self._sqlite.execute("RELEASE request")

    def _run(self, job: _Job[object]) -> None:
        job.error = None
        try:
            job.outcome = job.rule(self._transaction)
        except BaseException as error:  # whatever it is, it is this request's own, and is raised there
            self._transaction.events.take()
            if isinstance(error, sqlite3.Error) and not self._sqlite.in_transaction:
                raise  # SQLite has rolled back the whole batch already
            job.error = _as_told(error)
        else:
            job.events = self._transaction.events.take()

    def _fail(self, batch: list[_Job[object]], error: Exception) -> None:
        with suppress(sqlite3.Error):
            if self._sqlite.in_transaction:
                self._sqlite.execute("ROLLBACK")
        for job in batch:
            job.error = _as_told(error)
            job.events = []
        self.condition = str(_as_told(error))

    def _answer(self, batch: list[_Job[object]]) -> None:
        for job in batch:
            if not job.done.done():
                job.done.set_result(None)
        events = [event for job in batch for event in job.events]
        if events:
            # Later, so that no answer waits for the log.
            asyncio.get_running_loop().call_soon(self._on_commit, events)


def _as_told(error: BaseException) -> BaseException:
    """What a request is told: a failing disk is `StorageUnavailable`, and everything else is what it is."""
    if isinstance(error, sqlite3.Error) and is_storage_failure(error):
        return unavailable(error)
    return error
