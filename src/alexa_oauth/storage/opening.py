"""Opening a data folder: lock, key, database, key ring, in the order in which nothing half-made can be left behind."""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alexa_oauth.metrics import Metrics
from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.models import Client, Instant
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.storage import database, folder
from alexa_oauth.storage.backups import copying
from alexa_oauth.storage.backups.copied_keys import rewrap_copies
from alexa_oauth.storage.backups.swapping import put_in_place
from alexa_oauth.storage.keys import MASTER_KEY_BYTES, KeyRing, MasterKey, fresh_data_keys

_SERVER_BUSY_SECONDS: Final = 2
"""Alexa gives up after 4.5 s; a request that waits for a lock must be refused before."""
_COMMAND_BUSY_SECONDS: Final = 5
_READER_BUSY_SECONDS: Final = 0.1
"""Reads run on the event loop, where everybody waits with them; with a write-ahead log they hardly ever meet a lock."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the store is given.

    `master_key` is 32 bytes from the settings, `None` for the key file in the folder. `definitions` gives the clients as
    configured; a confidential one without secret digests has its secret in the database. `on_commit` is called on the event
    loop with the events of each commit. `serving` takes the server's lock and may create and migrate; without it, for a
    command beside a running server, an existing and current database is needed.
    """

    master_key: bytes | None = field(repr=False)
    instant: Callable[[], Instant]
    entropy: Entropy
    definitions: Callable[[], Mapping[str, Client]]
    on_commit: Callable[[Sequence[Event]], None]
    serving: bool
    metrics: Metrics = field(default_factory=Metrics)


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """An opened data folder: `resources` closes both connections, then gives up the lock.

    `writing` does not wait for a lock by itself; `busy_seconds` is how long it should be waited for.
    `first_start` says that the database was just made, `adopted` that it was missing and its copy took its place; `replaced`
    is where the state is that a restored backup took the place of.
    """

    writing: sqlite3.Connection
    reading: sqlite3.Connection
    busy_seconds: float
    ring: KeyRing
    master: MasterKey
    first_start: bool
    adopted: bool
    replaced: Path | None
    newest_instant: int | None
    resources: ExitStack


def open_folder(path: Path, opening: Opening) -> OpenFolder:
    """Open the data folder; `StartRefused` or `StorageUnavailable` if that cannot be."""
    file, copy = path / folder.DATABASE, copying.copy_of(path)
    busy_seconds = _SERVER_BUSY_SECONDS if opening.serving else _COMMAND_BUSY_SECONDS
    with database.failures_in_words(file), ExitStack() as resources:
        if opening.serving:
            folder.make_private(path)
            resources.callback(os.close, folder.lock(path))
        replaced = put_in_place(path) if opening.serving else None
        is_missing = _is_missing(file)
        if is_missing and not opening.serving:
            raise StartRefused(f"there is no database in {path}; start the server first")
        first_start, adopted = is_missing and not copy.exists(), is_missing and copy.exists()
        if first_start:
            master = (configured_masters(path, opening) or [MasterKey(folder.make_key(path, opening.entropy))])[0]
            database.create(file, master, fresh_data_keys(opening.entropy), opening.instant().now)
        if adopted:
            _adopt(copy, path, opening)
        ring, master = _inspect(file, path, opening)
        writing = _connect(resources, file, busy_seconds)
        if opening.serving:
            database.migrate(writing, database.migrations())
            rewrap_copies(path)  # should a rotation of the master key have been broken off before them
        writing.execute("PRAGMA busy_timeout = 0")  # from now on the writer says where it waits
        reading = _connect(resources, file, _READER_BUSY_SECONDS)
        reading.execute("PRAGMA query_only = ON")
        newest = database.newest_instant(reading)
        return OpenFolder(
            writing, reading, busy_seconds, ring, master, first_start, adopted, replaced, newest, resources.pop_all()
        )


def _is_missing(file: Path) -> bool:
    """Whether there is no database. `StartRefused` if its log is there: SQLite would write that into whatever takes its place."""
    if file.exists():
        return False
    log = file.with_name(f"{file.name}-wal")
    if log.exists() and log.stat().st_size:
        raise StartRefused(f"{file} is missing, but its latest changes are in {log}; put the database back, or move the log away")
    return True


def read_keys(connection: database.Executes, path: Path, opening: Opening) -> tuple[KeyRing, MasterKey]:
    """Both layers of keys as they now are; a rotation that was broken off before its last step is brought to its end."""
    try:
        master = _master(connection, path, opening)
    except StartRefused:
        # A command beside us may have changed the key between our look at the file and our look at the database.
        master = _master(connection, path, opening)
    if opening.master_key is None and folder.read_key(path) != master.secret:
        folder.adopt_next_key(path)
    return KeyRing(database.unwrap_keys(connection, master)), master


def configured_masters(path: Path, opening: Opening) -> list[MasterKey]:
    """The master key; two of them, if a rotation of it was broken off: the database says which one it is."""
    if opening.master_key is not None:
        if len(opening.master_key) != MASTER_KEY_BYTES:
            raise StartRefused(f"the encryption key must be {MASTER_KEY_BYTES} bytes long")
        return [MasterKey(opening.master_key)]
    kept = [folder.read_key(path, name) for name in (folder.KEY, folder.NEXT_KEY)]
    return [MasterKey(secret) for secret in kept if secret is not None]


def _adopt(copy: Path, path: Path, opening: Opening) -> None:
    with database.failures_in_words(copy):
        _inspect(copy, path, opening)
        copying.adopt_copy(path)


def _connect(resources: ExitStack, file: Path, busy_seconds: float) -> sqlite3.Connection:
    return resources.enter_context(closing(database.connect(file, busy_seconds)))


def _master(connection: database.Executes, path: Path, opening: Opening) -> MasterKey:
    masters = configured_masters(path, opening)
    if not masters:
        raise StartRefused(
            f"{path / folder.KEY} is missing, and the database wants key {database.wanted_master(connection)}; "
            "put the key back, or set the encryption key that this database was made with; a sealed backup brings it along: "
            "alexa-oauth restore --key-only FILE. Without it nothing can be saved: move the folder away, and link each skill anew"
        )
    return database.master_of(connection, masters)


def _inspect(file: Path, path: Path, opening: Opening) -> tuple[KeyRing, MasterKey]:
    """Look at the database without changing a byte: whole, of a known version, and of this key."""
    # After a crash the write-ahead log is still there, and a connection that may write would fold it in at its end. Without
    # a log there is nothing to fold in, and only a connection that may write clears away the empty one that SQLite makes.
    mode = "ro" if file.with_name(f"{file.name}-wal").exists() else "rw"
    with closing(database.connect(file, _SERVER_BUSY_SECONDS, mode)) as connection:
        version = database.check(connection, file, thoroughly=opening.serving)
        if not opening.serving and version < len(database.migrations()):
            raise StartRefused(f"{file} is of an older version of this server; start the server once, it brings it up to date")
        return read_keys(connection, path, opening)
