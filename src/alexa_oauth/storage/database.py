"""The database file: opening a connection, the numbered migrations, and what can be wrong with a file found there."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final, Protocol

from alexa_oauth.protocol.errors import RowDamaged, StartRefused
from alexa_oauth.storage.errors import is_damage, is_storage_failure, unavailable
from alexa_oauth.storage.folder import BACKUPS, flush
from alexa_oauth.storage.keys import DataKey, MasterKey

_SETTINGS: Final = (
    "PRAGMA synchronous = FULL",  # an answer that was sent survives a power cut
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 8388608",
    "PRAGMA cache_size = -512",  # KiB: what a household asks for again and again is less, and each connection has its own
)
_UNFINISHED: Final = ".new"
_ADD_KEY: Final = "INSERT INTO data_keys (key_id, purpose, wrapped, wrapped_by, created_at) VALUES (?, ?, ?, ?, ?)"
_NEWEST: Final = """SELECT max(at) FROM (
    SELECT at FROM (SELECT at FROM events WHERE NOT doubtful ORDER BY at DESC LIMIT 1)
    UNION ALL SELECT max(last_used_at) FROM grants WHERE NOT used_in_doubt)"""
_KEYS: Final = "SELECT key_id, wrapped, retired_at IS NOT NULL FROM data_keys ORDER BY sequence DESC"
_KEYS_BEFORE_ROTATION: Final = "SELECT key_id, wrapped, 0 FROM data_keys ORDER BY sequence DESC"
_WRAPPED_BY: Final = "SELECT DISTINCT wrapped_by FROM data_keys ORDER BY wrapped_by"
_KNOWS_ROTATION: Final = "SELECT count(*) FROM pragma_table_info('data_keys') WHERE name = 'retired_at'"


class Executes(Protocol):
    """Whatever runs statements: a connection, or the transaction that runs on it."""

    @property
    def execute(self) -> Callable[..., sqlite3.Cursor]:
        """Run a statement with its values."""


def connect(path: Path, busy_seconds: float, mode: str = "rw") -> sqlite3.Connection:
    """A connection in SQLite's autocommit mode: transactions begin and end where we say so.

    `mode` is that of SQLite's URIs: `rw`, `ro`, or `rwc` to make the file.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    with ExitStack() as unless_it_works:
        unless_it_works.callback(connection.close)
        for setting in _SETTINGS:
            connection.execute(setting)
        unless_it_works.pop_all()
    return connection


def migrations() -> list[str]:
    """The scripts that make the tables, in order; the number of a database's version is how many it has seen."""
    found = resources.files(__package__).joinpath("migrations").iterdir()
    return [script.read_text("utf-8") for script in sorted(found, key=lambda script: script.name) if script.name.endswith(".sql")]


def migrate(connection: sqlite3.Connection, scripts: Sequence[str], keys: Sequence[tuple[DataKey, MasterKey, int]] = ()) -> None:
    """Run the scripts that the database has not seen, and add the data keys, in one transaction.

    With nothing to do it still writes, and so finds out whether the disk takes writes.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.executescript("\n".join(["BEGIN IMMEDIATE;", *scripts[version:], f"PRAGMA user_version = {len(scripts)};"]))
    for key, master, now in keys:
        add_key(connection, key, master, now)
    connection.execute("COMMIT")


def create(path: Path, master: MasterKey, keys: Sequence[DataKey], now: int) -> None:
    """Make the database, keys included."""
    with made_whole(path) as unfinished, closing(connect(unfinished, 0)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, migrations(), [(key, master, now) for key in keys])


@contextmanager
def made_whole(path: Path) -> Iterator[Path]:
    """An empty file beside the place, moved there when the block ends well: a database that exists is complete."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    _remove(unfinished)
    try:
        unfinished.touch(0o600, exist_ok=False)
        yield unfinished
        unfinished.rename(path)
    except BaseException:
        _remove(unfinished)
        raise
    flush(path.parent)


def master_of(connection: Executes, masters: Sequence[MasterKey]) -> MasterKey:
    """Which of them wrapped the data keys; `StartRefused` if it was another one."""
    wanted = wanted_master(connection)
    for master in masters:
        if wanted == master.key_id:
            return master
    raise StartRefused(f"wrong encryption key: the database wants key {wanted}, this is key {masters[0].key_id}")


def wanted_master(connection: Executes) -> str:
    """The id of the master key that wrapped the data keys; several with commas between, which none fits."""
    return ", ".join(wrapped_by for (wrapped_by,) in connection.execute(_WRAPPED_BY))


def unwrap_keys(connection: Executes, master: MasterKey) -> list[DataKey]:
    """The data keys, newest first."""
    (knows_rotation,) = connection.execute(_KNOWS_ROTATION).fetchone()
    rows = connection.execute(_KEYS if knows_rotation else _KEYS_BEFORE_ROTATION)
    return [replace(master.unwrap(key_id, wrapped), is_retired=bool(retired)) for key_id, wrapped, retired in rows]


def add_key(connection: Executes, key: DataKey, master: MasterKey, now: int) -> None:
    """Add a data key, which is the newest of its purpose from now on."""
    connection.execute(_ADD_KEY, (key.key_id, key.purpose, master.wrap(key), master.key_id, now))


def newest_instant(connection: sqlite3.Connection) -> int | None:
    """The newest instant in the database that no doubt was cast on: the clock cannot be earlier."""
    newest: int | None = connection.execute(_NEWEST).fetchone()[0]
    return newest


def check(connection: sqlite3.Connection, path: Path, *, thoroughly: bool) -> int:
    """The version of a database that is whole and not from the future; else `StartRefused`."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations()):
        raise StartRefused(f"{path} was written by a newer version of this server (schema {version}); install that version again")
    if version == 0 or (thoroughly and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)):
        raise StartRefused(_damage(path))
    return int(version)


@contextmanager
def failures_in_words(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk say of that file into `StartRefused` or, if waiting may help, `StorageUnavailable`."""
    try:
        yield
    except RowDamaged as error:
        raise StartRefused(_damage(path)) from error
    except sqlite3.Error as error:
        if is_damage(error):
            raise StartRefused(_damage(path)) from error
        if is_storage_failure(error):
            raise unavailable(error) from error
        raise
    except (FileExistsError, NotADirectoryError) as error:
        raise StartRefused(f"{path.parent} is not a folder") from error
    except OSError as error:
        raise unavailable(error) from error


def _damage(path: Path) -> str:
    backups = sorted((path.parent / BACKUPS).glob("*.db"), key=lambda file: file.stat().st_mtime, reverse=True)
    good = next(filter(_is_good, backups), None)
    cure = f"restore the newest good backup with: alexa-oauth restore {good}" if good else "there is no good backup"
    return f"{path} is damaged and was left as it is; {cure}"


def _is_good(file: Path) -> bool:
    try:
        with closing(connect(file, 0)) as connection:  # one that may not write leaves files beside it
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            return bool(version) and connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.Error:
        return False


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
