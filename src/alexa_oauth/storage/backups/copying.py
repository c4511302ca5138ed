"""The copy of the database: one file that is whole, for archives of the data folder, since the live files change under them.

Whoever archives the folder leaves the live database out and takes the copy along. A start that finds the copy and no database
is what a restored archive looks like.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.storage import database
from alexa_oauth.storage.folder import BACKUPS, DATABASE, alone_in

COPY: Final = "copy.db"

_BUSY_SECONDS: Final = 5
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def copy_of(folder: Path) -> Path:
    """Where the copy of that folder's database is, if there is one."""
    return folder / BACKUPS / COPY


def make_copy(folder: Path) -> Path:
    """Copy the database beside a running server; where the copy is.

    The copy shows one instant, however much is written meanwhile, and takes the place of the former copy only when it is
    whole. `StorageUnavailable` and `StartRefused` leave the former copy as it was.
    """
    with database.failures_in_words(folder / DATABASE):
        (folder / BACKUPS).mkdir(mode=0o700, exist_ok=True)
        # Two copies at a time would write into one unfinished file.
        with alone_in(folder / BACKUPS):
            copy_whole(folder / DATABASE, copy_of(folder))
    return copy_of(folder)


def adopt_copy(folder: Path) -> None:
    """Put the copy in the place of the database, which is missing; the copy stays."""
    copy_whole(copy_of(folder), folder / DATABASE)


def copy_whole(original: Path, place: Path) -> None:
    """Copy a database as it is at one instant; the place holds all of it, or what it held before."""
    with (
        closing(database.connect(original, _BUSY_SECONDS)) as source,
        database.made_whole(place) as unfinished,
        closing(database.connect(unfinished, 0)) as target,
    ):
        # In one step: a copy in several would begin anew whenever somebody writes, and never end on a busy server.
        source.backup(target, pages=-1, progress=_refuse_to_wait)
        database.check(target, original, thoroughly=True)


def copy_into(original: Path, living: Path) -> None:
    """Make a living database what the original is, in one transaction of SQLite's own: whoever has it open sees either."""
    with (
        closing(database.connect(original, _BUSY_SECONDS)) as source,
        closing(database.connect(living, _BUSY_SECONDS)) as target,
    ):
        source.backup(target, pages=-1, progress=_refuse_to_wait)


def _refuse_to_wait(status: int, _remaining: int, _total: int) -> None:
    """SQLite has waited for the lock already; Python would go on for ever."""
    if status in _BUSY:
        raise StorageUnavailable("locked")
