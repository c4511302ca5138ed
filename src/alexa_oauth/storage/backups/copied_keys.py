"""The data keys in copies of the database, which a rotation of the master key leaves under one that is gone.

The present database has the same data keys, wrapped under the present master. A copy can take them over as they stand there, for
which no key is needed, and which may be done over whenever it was broken off.
"""

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from alexa_oauth.storage import database
from alexa_oauth.storage.backups.daily import copies
from alexa_oauth.storage.folder import BACKUPS, DATABASE, alone_in

_KEYS: Final = "SELECT key_id, wrapped, wrapped_by FROM data_keys"
_TAKE_OVER: Final = "UPDATE data_keys SET wrapped = ?, wrapped_by = ? WHERE key_id = ?"

WrappedKeys = Mapping[str, tuple[bytes, str]]
"""By the id of each data key: how it is wrapped, and the id of the master key under which it is."""


def present_keys(folder: Path) -> WrappedKeys:
    """Those of the database in that folder; none if it cannot be read."""
    try:
        with closing(database.connect(folder / DATABASE, 1)) as connection:
            return _keys(connection)
    except sqlite3.Error:
        return {}


def take_over(connection: sqlite3.Connection, present: WrappedKeys) -> bool:
    """Wrap the data keys of a copy as they are wrapped at present; false, and nothing is changed, if one is not there."""
    ids = _keys(connection).keys()
    if not ids <= present.keys():
        return False
    connection.executemany(_TAKE_OVER, [(*present[key_id], key_id) for key_id in ids])
    return True


def rewrap_copies(folder: Path) -> None:
    """Bring the copies in the folder of backups under the present master key, so that they can take a damaged database's place.

    A copy that cannot be brought there, and every one while the disk takes no writes, stays as it is.
    """
    present = present_keys(folder)
    if not present or not copies(folder):
        return
    with suppress(OSError), alone_in(folder / BACKUPS):
        for copy in copies(folder):
            with suppress(OSError, sqlite3.Error):
                _rewrap_copy(folder / BACKUPS / copy.name, present)


def _rewrap_copy(copy: Path, present: WrappedKeys) -> None:
    with closing(database.connect(copy, 0)) as connection:
        keys = _keys(connection)
    if not keys.keys() <= present.keys() or all(present[key_id][1] == master for key_id, (_, master) in keys.items()):
        return  # under the present master they open as they are: a damaged file that was put aside stays what it was
    status = copy.stat()
    with database.made_whole(copy) as unfinished:
        shutil.copyfile(copy, unfinished)
        with closing(database.connect(unfinished, 0)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            take_over(connection, present)
            connection.execute("COMMIT")
        os.utime(unfinished, ns=(status.st_atime_ns, status.st_mtime_ns))  # it says when the copy was made


def _keys(connection: sqlite3.Connection) -> dict[str, tuple[bytes, str]]:
    return {key_id: (wrapped, wrapped_by) for key_id, wrapped, wrapped_by in connection.execute(_KEYS)}
