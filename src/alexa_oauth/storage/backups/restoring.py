"""Restoring: a good backup is made ready beside the database, where whoever opens the folder to serve finds it.

Ready means: of the present version of the tables, under the present master key, without what works only once, and with an
event that tells of it. It waits under a name that says when; that name in the event is how one knows that it is in place.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import Instant
from alexa_oauth.protocol.revocation import end_links
from alexa_oauth.storage import database
from alexa_oauth.storage.backups.candidate import Candidate
from alexa_oauth.storage.backups.swapping import STAGED, kept_for
from alexa_oauth.storage.folder import DATABASE, KEY, RESTORE, alone_in, flush, write_key
from alexa_oauth.storage.keys import MasterKey
from alexa_oauth.storage.opening import Opening, configured_masters
from alexa_oauth.storage.rotation import rewrap
from alexa_oauth.storage.transaction import SqliteTransaction

_WORK_ONCE: Final = (
    "DELETE FROM pending_requests",
    "DELETE FROM codes WHERE used_at IS NULL",
    "DELETE FROM pairing_codes",
    "DELETE FROM admin_links",
)
"""What was used since the backup would work a second time."""
_LIVING: Final = "SELECT grant_id FROM grants WHERE ended_at IS NULL AND (ends_at IS NULL OR ends_at > ?)"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who restores, and whether every link of the backup ends at once."""

    subject: str
    ends_all: bool = False


def stage(found: Candidate, folder: Path, opening: Opening, wish: Wish) -> Path:
    """Make the backup ready; where the present state will be kept. What waited before goes. `StorageUnavailable`."""
    instant = opening.instant()
    at, chance = datetime.fromtimestamp(instant.now, UTC), opening.entropy(2).hex()
    staged = folder / RESTORE / f"{at:%Y%m%dT%H%M%SZ}-{chance}.db"
    with database.failures_in_words(found.file):
        master = _target_master(found, folder, opening)
        with closing(database.connect(found.file, 0)) as connection:
            database.migrate(connection, database.migrations())
            _make_ready(connection, found, master, _Story(instant, staged.stem, wish))
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with alone_in(folder / RESTORE):
            for former in (folder / RESTORE).glob("*.db"):
                if STAGED.fullmatch(former.name):
                    former.unlink()
            found.file.rename(staged)
            flush(staged.parent)
        flush(folder)
    return kept_for(folder, staged)


@dataclass(frozen=True, slots=True)
class _Story:
    instant: Instant
    stamp: str
    wish: Wish


def _make_ready(connection: sqlite3.Connection, found: Candidate, master: MasterKey, story: _Story) -> None:
    tx = SqliteTransaction(connection, found.ring, lambda: story.instant, dict)
    connection.execute("BEGIN IMMEDIATE")
    for statement in _WORK_ONCE:
        connection.execute(statement)
    rewrap(tx, found.master, master)
    as_of = datetime.fromtimestamp(found.contents.made_at, UTC).isoformat()
    detail = {"stamp": story.stamp, "as_of": as_of, "links": str(found.contents.links)}
    tx.events.record(Event(EventName.BACKUP_RESTORED, detail=detail).by(story.wish.subject))
    if story.wish.ends_all:
        living = [grant_id for (grant_id,) in connection.execute(_LIVING, (story.instant.now,))]
        end_links(tx, living, story.wish.subject)
        tx.events.record(Event(EventName.LINKS_REVIEWED).by(story.wish.subject))
    connection.execute("COMMIT")


def _target_master(found: Candidate, folder: Path, opening: Opening) -> MasterKey:
    """The master key in use here; where there is none, that of the backup, which becomes the file in the folder."""
    masters = configured_masters(folder, opening)
    if not masters:
        write_key(folder / KEY, found.master.secret)
        return found.master
    return next((master for master in masters if master.key_id in _wrapped_by(folder / DATABASE)), masters[0])


def _wrapped_by(file: Path) -> set[str]:
    try:
        with closing(database.connect(file, 1)) as connection:
            return {wrapped_by for (wrapped_by,) in connection.execute("SELECT wrapped_by FROM data_keys")}
    except sqlite3.Error:
        return set()
