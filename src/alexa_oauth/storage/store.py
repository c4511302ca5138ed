"""The store: the port that the rules ask for, on SQLite in a data folder."""

import asyncio
import sqlite3
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Final, Self

from alexa_oauth.storage.backups.copying import make_copy
from alexa_oauth.storage.backups.daily import make_daily_copy
from alexa_oauth.storage.backups.swapping import staged_in
from alexa_oauth.storage.database import connect
from alexa_oauth.storage.errors import is_storage_failure, unavailable
from alexa_oauth.storage.folder import DATABASE
from alexa_oauth.storage.keyholder import Keyholder
from alexa_oauth.storage.opening import OpenFolder, Opening, open_folder
from alexa_oauth.storage.reading import Reader, open_reader
from alexa_oauth.storage.sweeping import sweep_batch
from alexa_oauth.storage.transaction import Outcome, Rule, SqliteTransaction
from alexa_oauth.storage.writer import WELL, Writer

__all__ = ["Opening", "SqliteStore"]

_PROBE: Final = "UPDATE probe SET probed_at = ?"


class SqliteStore:
    """`protocol.ports.Store` on SQLite: writes go through one writer, reads run at once; both on the event loop.

    `newest_instant` is the newest instant in the database, at opening, that no doubt was cast on. `first_start` says that
    the database was just made, `adopted` that it was missing and its copy took its place. `replaced`
    is where the state is that a restored backup took the place of. `keys` holds both layers of keys.
    """

    def __init__(self, path: Path, opened: OpenFolder, opening: Opening) -> None:
        """Use `open`."""
        self.folder: Final = path
        self.keys: Final = Keyholder(self, path, opening, (opened.ring, opened.master))
        self.first_start: Final = opened.first_start
        self.adopted: Final = opened.adopted
        self.replaced: Final = opened.replaced
        self.newest_instant: Final = opened.newest_instant
        self._resources = opened.resources
        self._sqlite = opened.reading
        self._reading = SqliteTransaction(opened.reading, opened.ring, opening.instant, opening.definitions)
        writing = SqliteTransaction(opened.writing, opened.ring, opening.instant, opening.definitions)
        self._writer = Writer(opened.writing, writing, opening.on_commit, opened.busy_seconds, opening.metrics)

    @classmethod
    def open(cls, folder: Path, opening: Opening) -> Self:
        """Open the data folder. `StartRefused`: no restart cures it. `StorageUnavailable`: it may work later."""
        return cls(folder, open_folder(folder, opening), opening)

    async def write(self, rule: Rule[Outcome]) -> Outcome:
        """Run the rule in a transaction of its own and return its outcome after the commit.

        An exception of the rule rolls its changes back. `StorageUnavailable`: nothing was changed.
        """
        return await self._writer.run(rule)

    def read(self, rule: Rule[Outcome]) -> Outcome:
        """Run a rule that only reads, at once, on one snapshot of what is committed."""
        try:
            self._sqlite.execute("BEGIN DEFERRED")
            try:
                self._reading.begin()
                return rule(self._reading)
            finally:
                self._sqlite.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise (unavailable(error) if is_storage_failure(error) else error) from error

    def reader(self) -> AbstractAsyncContextManager[Reader]:
        """A connection of its own for pages and commands, whose longer reads must not hold up the event loop."""
        return open_reader(self.folder, self.keys.ring)

    def checks(self) -> dict[str, str]:
        """What `/health` reports of the store, without a write: each thing that is looked at, `ok` or a short reason."""
        return {"database": self._writer.condition, "encryption_key": WELL}

    @property
    def instance(self) -> str:
        """What tells this database from others to whoever asks `/health`: 8 hex digits that say nothing else."""
        return self.keys.ring.digest("instance", "").hex()[:8]

    async def probe(self) -> None:
        """Write a few bytes, so that a store that was not well finds out that it is well again.

        `StorageUnavailable` if it is not; `checks` says so then, too.
        """
        await self.write(lambda tx: tx.connection.execute(_PROBE, (tx.now,)))

    async def sweep(self) -> None:
        """Prune what is of no use any more, batch by batch, then empty the write-ahead log of its traces."""
        while await self._writer.run(sweep_batch, is_lengthy=True):
            pass
        await asyncio.to_thread(self._truncate_log)

    async def copy(self) -> Path:
        """Copy the database into `backups/`, for programs that archive the folder; where the copy is. `StorageUnavailable`."""
        return await asyncio.to_thread(make_copy, self.folder)

    def is_to_be_replaced(self) -> bool:
        """Whether a backup waits to take the place of this database, as soon as it is opened anew."""
        return staged_in(self.folder) is not None

    async def daily_copy(self) -> Path | None:
        """Make today's copy unless it is there; where it is. `StorageUnavailable`, `StartRefused`."""
        now = self.read(lambda tx: tx.now)
        return await asyncio.to_thread(make_daily_copy, self.folder, now)

    async def close(self) -> None:
        """Finish what is waiting, close the database, give up the lock."""
        await self._writer.close()
        self._resources.close()

    def _truncate_log(self) -> None:
        try:
            with closing(connect(self.folder / DATABASE, 0)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            raise unavailable(error) from error
