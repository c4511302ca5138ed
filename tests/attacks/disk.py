"""The data folder as a power cut, a full disk, another program or a thief meets it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from tests.rig import Rig

DATABASE: Final = "oauth.db"
_ON_DISK: Final = (DATABASE, f"{DATABASE}-wal", "encryption.key", "oauth_clients.json")
"""All but the shared memory, which is gone after a power cut."""


def folder_of(rig: Rig) -> Path:
    return rig.server.settings.data_dir


def power_cut(rig: Rig, copy: Path) -> Path:
    """What would be found after a power cut at this moment, in a folder of its own."""
    copy.mkdir(mode=0o700)
    for name in _ON_DISK:
        shutil.copy(folder_of(rig) / name, copy / name)
    return copy


def octets_in(folder: Path) -> bytes:
    """All that is in all files."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def rows_in(folder: Path, table: str) -> int:
    """How many rows a table has."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own word


@contextmanager
def writing_locked(rig: Rig) -> Iterator[None]:
    """Another program is writing, and does not end."""
    rig.store._writer._busy_milliseconds = 0
    with closing(sqlite3.connect(folder_of(rig) / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def disk_full(rig: Rig, beginning: str) -> Iterator[None]:
    """From the first statement that begins so, the disk is full."""

    def fail(statement: str) -> None:
        if statement.startswith(beginning):
            raise failure(sqlite3.SQLITE_FULL)

    with before_each_statement(rig, fail):
        yield


@contextmanager
def before_each_statement(rig: Rig, act: Callable[[str], None]) -> Iterator[None]:
    """Act before each of the writer's statements, and in its place if that raises."""
    writer = rig.store._writer
    sqlite = writer._sqlite
    watched: Any = _Watched(sqlite, act)
    writer._sqlite, writer._transaction.connection.execute = watched, watched.execute
    try:
        yield
    finally:
        writer._sqlite, writer._transaction.connection.execute = sqlite, sqlite.execute


@contextmanager
def statements_written(rig: Rig) -> Iterator[list[str]]:
    """The statements that the writer runs meanwhile, with their values."""
    seen: list[str] = []
    sqlite = rig.store._writer._sqlite
    sqlite.set_trace_callback(seen.append)
    try:
        yield seen
    finally:
        sqlite.set_trace_callback(None)


def failure(code: int) -> sqlite3.OperationalError:
    """What SQLite raises with that result code."""
    error = sqlite3.OperationalError("the disk fails")
    error.sqlite_errorcode = code
    return error


class _Watched:
    """A connection whose statements are told of first."""

    def __init__(self, sqlite: sqlite3.Connection, act: Callable[[str], None]) -> None:
        self._sqlite = sqlite
        self._act = act

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:  # noqa: ANN401 - as SQLite has it
        self._act(statement)
        return self._sqlite.execute(statement, values)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        return getattr(self._sqlite, name)
