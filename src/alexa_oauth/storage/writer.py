"""The writer: one thread, one connection, and one commit for all requests that are waiting.

A flush to disk costs more than everything else a request does, so requests that wait together share one. Each runs in a
savepoint of its own: what goes wrong in one is undone for that one. Nobody is answered before the commit.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final, Generic

from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import Event
from alexa_oauth.storage.errors import is_storage_failure, unavailable
from alexa_oauth.storage.transaction import Outcome, Rule, SqliteTransaction

BATCH_LIMIT: Final = 64
WELL: Final = "ok"


class _Job(Generic[Outcome]):
    """A rule that waits for its turn, and what came of it."""

    __slots__ = ("done", "error", "events", "outcome", "rule")

    outcome: Outcome

    def __init__(self, rule: Rule[Outcome], done: asyncio.Future[None]) -> None:
        self.rule = rule
        self.done = done
        self.error: BaseException | None = None
        self.events: list[Event] = []


class Writer:
    """Runs rules in its own thread. `condition` is what the last commit said: `ok`, or why writing failed."""

    def __init__(
        self, sqlite: sqlite3.Connection, transaction: SqliteTransaction, on_commit: Callable[[Sequence[Event]], None]
    ) -> None:
        """Start the thread. `on_commit` is called on the event loop with what a batch recorded."""
        self.condition = WELL
        self._sqlite = sqlite
        self._transaction = transaction
        self._on_commit = on_commit
        self._queue: queue.SimpleQueue[_Job[object] | None] = queue.SimpleQueue()
        self._closed = False
        self._ending = False
        # A daemon, since a root that fails before it closes the store must be able to end; SQLite survives any end.
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, rule: Rule[Outcome]) -> Outcome:
        """Run the rule and return its outcome once it is on disk; its exception is raised here, its changes undone."""
        if self._closed:
            raise StorageUnavailable("closed")
        job = _Job(rule, asyncio.get_running_loop().create_future())
        self._queue.put(job)  # type: ignore[arg-type]  # a queue of jobs of every outcome
        await job.done
        try:
            if job.error is not None:
                raise job.error
            return job.outcome
        finally:
            del job  # breaks the circle from the exception's traceback over this frame to the job and back

    async def close(self) -> None:
        """Finish what is waiting and end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (job := self._next(wait=True)) is not None:
            batch = [job]
            try:
                self._commit(batch)
            except Exception as error:  # noqa: BLE001 - a thread that dies would leave everybody waiting for ever
                self._fail(batch, error)
            # A closed loop has nobody left who waits.
            with suppress(RuntimeError):
                job.done.get_loop().call_soon_threadsafe(self._answer, batch)

    def _next(self, *, wait: bool) -> _Job[object] | None:
        if self._ending:
            return None
        try:
            job = self._queue.get(block=wait)
        except queue.Empty:
            return None
        self._ending = job is None
        return job

    def _commit(self, batch: list[_Job[object]]) -> None:
        """Run the batch's first job and what comes while it runs, in one transaction."""
        changes = self._sqlite.total_changes
        self._begin(batch)
        for job in self._arriving(batch):
            self._run(job)
        self._sqlite.execute("COMMIT")
        failures = [job.error for job in batch if isinstance(job.error, StorageUnavailable)]
        if failures:
            self.condition = str(failures[-1])
        elif self._sqlite.total_changes != changes:
            self.condition = WELL

    def _begin(self, batch: list[_Job[object]]) -> None:
        try:
            self._sqlite.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            # What came meanwhile has waited for the same lock; Alexa gives up before a second wait would end.
            batch.extend(iter(lambda: self._next(wait=False), None))
            raise
        self._transaction.begin()

    def _arriving(self, batch: list[_Job[object]]) -> Iterator[_Job[object]]:
        yield batch[0]
        while len(batch) < BATCH_LIMIT and (job := self._next(wait=False)) is not None:
            batch.append(job)
            yield job

    def _run(self, job: _Job[object]) -> None:
        self._sqlite.execute("SAVEPOINT request")
        try:
            job.outcome = job.rule(self._transaction)
            job.events = self._transaction.events.take()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is this request's own, and is raised there
            self._undo(job, error)
        self._sqlite.execute("RELEASE request")

    def _undo(self, job: _Job[object], error: BaseException) -> None:
        self._transaction.events.take()
        if isinstance(error, sqlite3.Error) and not self._sqlite.in_transaction:
            raise error  # SQLite has rolled back the whole batch already
        self._sqlite.execute("ROLLBACK TO request")
        job.error = _as_told(error)

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
            self._on_commit(events)


def _as_told(error: BaseException) -> BaseException:
    """What a request is told: a failing disk is `StorageUnavailable`, and everything else is what it is."""
    if isinstance(error, sqlite3.Error) and is_storage_failure(error):
        return unavailable(error)
    return error
