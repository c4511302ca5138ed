"""What can be wrong with a data folder, in words."""

import errno
import os
import sqlite3
from typing import Final

from alexa_oauth.protocol.errors import StorageUnavailable

_SQLITE_REASONS: Final = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_FULL: "disk full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_IOERR: "input/output error",
    sqlite3.SQLITE_IOERR_SHMSIZE: "disk full",  # no room for the index of the write-ahead log
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}
_PRIMARY_CODE: Final = 0xFF
"""SQLite's extended result codes carry the plain one in their low byte."""


def unavailable(error: sqlite3.Error | OSError) -> StorageUnavailable:
    """The failure as the rules know it: a short reason, such as `disk full`, without paths or contents."""
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return StorageUnavailable("disk full" if full else os.strerror(error.errno or 0).lower())
    reason = _SQLITE_REASONS.get(_code(error)) or _SQLITE_REASONS.get(_primary_code(error))
    return StorageUnavailable(reason or "failing")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the database file itself is damaged, or is none at all."""
    return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another program holds the lock that was asked for."""
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_storage_failure(error: BaseException) -> bool:
    """Whether disk or locks failed, rather than our own SQL: a broken constraint or a closed connection is a defect."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError


def _primary_code(error: sqlite3.Error) -> int:
    return _code(error) & _PRIMARY_CODE


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0)
