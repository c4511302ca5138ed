"""A backup on its way in: unpacked beside the database, and looked at from all sides before anything is believed of it."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from alexa_oauth.protocol.errors import RowDamaged, StartRefused
from alexa_oauth.protocol.keeping import BackupContents, BackupRefused
from alexa_oauth.storage import database
from alexa_oauth.storage.backups.copied_keys import present_keys, take_over
from alexa_oauth.storage.backups.export import Manifest, unpack
from alexa_oauth.storage.backups.sealed import FIRST_LINE, is_sealed
from alexa_oauth.storage.errors import is_damage, is_storage_failure, unavailable
from alexa_oauth.storage.folder import RESTORE
from alexa_oauth.storage.keys import KeyRing, MasterKey
from alexa_oauth.storage.opening import Opening, configured_masters

DAMAGED: Final = "the backup is damaged"
_NOT_OURS: Final = "this is no backup of this server"
_SQLITE: Final = b"SQLite format 3\0"
_SCHEMA: Final = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
_LIVING: Final = """SELECT grant_id, payload FROM grants
    WHERE ended_at IS NULL AND (ends_at IS NULL OR ends_at > ?)"""
_ANOTHER_KEY: Final = (
    "this copy wants the encryption key {wanted}, which is not here, and holds data keys that the present database lacks: "
    "put that key into {key} or into the settings first, or restore a sealed backup, which brings its key along"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A backup that was found good. `file` is its database, `master` wraps its data keys, `manifest` is a sealed one's."""

    file: Path
    contents: BackupContents
    ring: KeyRing
    master: MasterKey
    manifest: Manifest | None


@contextmanager
def candidate(source: BinaryIO, passphrase: str | None, folder: Path, opening: Opening) -> Iterator[Candidate]:
    """Unpack a backup and check everything; it is gone after the block, unless it was put elsewhere. `BackupRefused`.

    `passphrase` is asked for a sealed backup only; a copy of the database needs the key that this folder has.
    """
    (folder / RESTORE).mkdir(mode=0o700, exist_ok=True)
    place = folder / RESTORE / f"{opening.entropy(8).hex()}.candidate"
    try:
        with _in_words():
            manifest = _unpack(source, passphrase, place)
            found = _examine(place, manifest, folder, opening)
        yield found
    finally:
        for suffix in ("", "-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        with suppress(OSError):
            place.parent.rmdir()


def beginning_of(source: BinaryIO) -> bytes:
    """What tells a sealed backup from a copy; `BackupRefused` if it is neither."""
    beginning = source.read(max(len(FIRST_LINE) + 8, len(_SQLITE)))
    source.seek(0)
    if not is_sealed(beginning) and not beginning.startswith(_SQLITE):
        raise BackupRefused(_NOT_OURS)
    return beginning


def _unpack(source: BinaryIO, passphrase: str | None, place: Path) -> Manifest | None:
    sealed = is_sealed(beginning_of(source))
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        if not sealed:
            shutil.copyfileobj(source, target)
            return None
        if passphrase is None:
            raise BackupRefused("this backup is sealed: its passphrase is needed")
        return unpack(source, passphrase, target)


def _examine(place: Path, manifest: Manifest | None, folder: Path, opening: Opening) -> Candidate:
    with closing(database.connect(place, 0)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        _check_tables(connection, place)
        master = MasterKey(manifest.master) if manifest else _master_of_copy(connection, folder, opening)
        database.master_of(connection, [master])
        ring = KeyRing(database.unwrap_keys(connection, master))
        links = _open_all(connection, ring, opening.instant().now)
        made_at = manifest.made_at if manifest else database.newest_instant(connection) or int(place.stat().st_mtime)
    return Candidate(place, _contents(made_at, links, manifest), ring, master, manifest)


def _contents(made_at: int, links: int, manifest: Manifest | None) -> BackupContents:
    if manifest is None:
        return BackupContents(made_at, links, is_sealed=False)
    return BackupContents(
        made_at,
        links,
        is_sealed=True,
        version=manifest.version,
        settings=manifest.settings,
        has_clients_file=manifest.clients_file is not None,
    )


def _check_tables(connection: sqlite3.Connection, place: Path) -> None:
    """Whole, of a known version, and with the tables of that version alone: a trigger would be run by our own statements."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    known = database.migrations()
    if version > len(known):
        raise BackupRefused(
            f"this backup was made by a newer version of this server (schema {version}); install that version again"
        )
    if version == 0:
        raise BackupRefused(_NOT_OURS)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as own:
        database.migrate(own, known[:version])
        if own.execute(_SCHEMA).fetchall() != connection.execute(_SCHEMA).fetchall():
            raise BackupRefused(_NOT_OURS)
    database.check(connection, place, thoroughly=True)


def _master_of_copy(connection: sqlite3.Connection, folder: Path, opening: Opening) -> MasterKey:
    """The key of this folder opens the copy, perhaps by way of the present database, which has the same data keys."""
    masters = configured_masters(folder, opening)
    (wanted,) = connection.execute("SELECT min(wrapped_by) FROM data_keys").fetchone()
    for master in masters:
        if master.key_id == wanted:
            return master
    present = present_keys(folder)
    for master in masters:
        if all(wrapped_by == master.key_id for _, wrapped_by in present.values()) and take_over(connection, present):
            return master
    raise BackupRefused(_ANOTHER_KEY.format(wanted=wanted, key=folder / "encryption.key"))


def _open_all(connection: sqlite3.Connection, ring: KeyRing, now: int) -> int:
    """How many links live; each of them opens."""
    links = 0
    for grant_id, payload in connection.execute(_LIVING, (now,)):
        ring.payloads.open("grants", grant_id, payload)
        links += 1
    return links


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (RowDamaged, StartRefused) as error:
        raise BackupRefused(DAMAGED) from error
    except sqlite3.Error as error:
        if is_damage(error) or not is_storage_failure(error):
            raise BackupRefused(DAMAGED) from error
        raise unavailable(error) from error
    except OSError as error:
        raise unavailable(error) from error
