"""The last step of a restore: what waits beside the database takes its place, whole or not at all.

A living database becomes the restored one in a single transaction of SQLite's, since a command may have it open: to rename
files under it would lose what it writes. One that is missing or damaged has nobody who reads it, and is put aside.
"""

import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.storage import database
from alexa_oauth.storage.backups import copying
from alexa_oauth.storage.errors import is_damage
from alexa_oauth.storage.folder import BACKUPS, DATABASE, RESTORE, flush

STAGED: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}\.db")
"""The instant, and a few random digits: a clock that was put back must not make two restores one."""

_BUSY_SECONDS: Final = 5
_IS_IN_PLACE: Final = "SELECT count(*) FROM events WHERE event = 'backup.restored' AND json_extract(detail, '$.stamp') = ?"
_KEYS: Final = "SELECT key_id, purpose, wrapped, wrapped_by, created_at, retired_at FROM data_keys ORDER BY sequence"
_ADD_KEY: Final = """INSERT INTO data_keys (key_id, purpose, wrapped, wrapped_by, created_at, retired_at)
    VALUES (?, ?, ?, ?, ?, ?)"""
_PEOPLE: Final = (
    "SELECT subject, name, administrator_since FROM people",
    "INSERT OR REPLACE INTO people (subject, name, administrator_since) VALUES (?, ?, ?)",
)
"""Who administers stays so: whoever was removed must not come back, and whoever restores must not be shut out."""
_VENDOR_IDS: Final = ("SELECT vendor_id FROM vendor_ids", "INSERT OR IGNORE INTO vendor_ids (vendor_id) VALUES (?)")
_SECRETS: Final = (
    "SELECT client_id, sealed FROM client_secrets",
    "INSERT OR REPLACE INTO client_secrets (client_id, sealed) VALUES (?, ?)",
)
"""What the developer console has. On another machine that is what the backup brings."""

_Key = tuple[str, str, bytes, str, int, int | None]


def staged_in(folder: Path) -> Path | None:
    """What waits to take the place of the database."""
    return next((file for file in (folder / RESTORE).glob("*.db") if STAGED.fullmatch(file.name)), None)


def kept_for(folder: Path, staged: Path) -> Path:
    """Where the state that it replaces is kept."""
    return folder / BACKUPS / f"before-{staged.stem}.db"


def put_in_place(folder: Path) -> Path | None:
    """Let what waits take the place of the database; where the former state is, `None` if nothing waits.

    Killed at any point, it is done over at the next start, unless it was done already.
    """
    staged = staged_in(folder)
    if staged is None:
        return None
    living, kept = folder / DATABASE, kept_for(folder, staged)
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    if not _is_whole(living):
        _put_aside(living, kept)
        copying.copy_whole(staged, living)
    elif not _is_in_place(living, staged.stem):
        if not kept.exists():
            copying.copy_whole(living, kept)
        _merge(living, staged)
        copying.copy_into(staged, living)
    discard(folder)
    return kept


def discard(folder: Path) -> None:
    """Take away what waits, and what was left of attempts."""
    for file in (folder / RESTORE).glob("*"):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        (folder / RESTORE).rmdir()
    flush(folder)


def _is_whole(living: Path) -> bool:
    """Whether SQLite can be asked to replace its content. A lock is no damage: it is waited for elsewhere."""
    if not living.exists():
        return False
    try:
        with closing(database.connect(living, _BUSY_SECONDS)) as connection:
            database.check(connection, living, thoroughly=True)
    except StartRefused:
        return False
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise
    return True


def _put_aside(living: Path, kept: Path) -> None:
    """The log goes first: without it the database is still found damaged, and this is done over."""
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            living.with_name(living.name + suffix).rename(kept.with_name(kept.name + suffix))


def _is_in_place(living: Path, stamp: str) -> bool:
    with closing(database.connect(living, _BUSY_SECONDS)) as connection:
        return bool(connection.execute(_IS_IN_PLACE, (stamp,)).fetchone()[0])


def _merge(living: Path, staged: Path) -> None:
    """No key is dropped: every token that a key of either state made must be recognised."""
    with (
        closing(database.connect(living, _BUSY_SECONDS)) as present,
        closing(database.connect(staged, _BUSY_SECONDS)) as restored,
    ):
        own, brought = present.execute(_KEYS).fetchall(), restored.execute(_KEYS).fetchall()
        if {key[3] for key in own} != {key[3] for key in brought}:
            return  # the present keys are under a master key that is lost, which was told before this was made ready
        restored.execute("PRAGMA foreign_keys = OFF")
        restored.execute("BEGIN IMMEDIATE")
        restored.execute("DELETE FROM data_keys")
        restored.executemany(_ADD_KEY, _united(own, brought))
        is_same_installation = bool({key[0] for key in own} & {key[0] for key in brought})
        kept = (_PEOPLE, _VENDOR_IDS, _SECRETS) if is_same_installation else (_PEOPLE, _VENDOR_IDS)
        for read, write in kept:
            restored.executemany(write, present.execute(read).fetchall())
        restored.execute("COMMIT")


def _united(own: list[_Key], brought: list[_Key]) -> list[_Key]:
    """The keys of both, in order of age: what makes new tokens now goes on to do so. What one state needs is not retired."""
    needed = {key[0] for key in brought if key[5] is None}
    present = {key[0] for key in own}
    return [
        *(key for key in brought if key[0] not in present),
        *((*key[:5], None if key[0] in needed else key[5]) for key in own),
    ]
