"""The data folder: who may look into it, which server owns it, and the key file in it."""

import base64
import contextlib
import fcntl
import os
import re
import select
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.storage.keys import MASTER_KEY_BYTES

DATABASE: Final = "oauth.db"
KEY: Final = "encryption.key"
NEXT_KEY: Final = "encryption.key.next"
"""A master key on its way: the database says which of the two it is wrapped under."""
LOCK: Final = "server.lock"
BACKUPS: Final = "backups"
_A_LOOK_SECONDS: Final = 0.05
"""Longer than a command holds the lock that only looks whether somebody has it."""
RESTORE: Final = "restore"
"""What is about to take the place of the database."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_KEY_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{43}=")


def make_private(folder: Path) -> None:
    """Make the folder if need be, and take everybody else's access from it and from what is in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A sticky folder, such as /tmp, belongs to all: closing it would harm the machine.
    if not folder.stat().st_mode & stat.S_ISVTX:
        _close_to_others(folder)
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", KEY, NEXT_KEY, LOCK):
        with contextlib.suppress(FileNotFoundError):
            _close_to_others(folder / name)


def lock(folder: Path) -> int:
    """Become the one server of this folder: the descriptor that holds the lock until it is closed or the process ends."""
    for patience in (_A_LOOK_SECONDS, 0):
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            select.select([], [], [], patience)
        except OSError:
            os.close(descriptor)
            raise
        else:
            return descriptor
    raise StartRefused(f"another server already runs on {folder}")


def is_served(folder: Path) -> bool:
    """Whether a server runs on this folder."""
    try:
        os.close(lock(folder))
    except StartRefused:
        return True
    return False


def read_key(folder: Path, name: str = KEY) -> bytes | None:
    """The master key in the folder, if there is one."""
    path = folder / name
    try:
        text = path.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    if not _KEY_TEXT.fullmatch(text):
        raise StartRefused(f"{path} does not hold a key: 44 characters are expected, as in the file made with the database")
    return base64.urlsafe_b64decode(text)


def make_key(folder: Path, entropy: Entropy) -> bytes:
    """A new master key, on disk whole before it is used: a database must never outlive its key."""
    secret = entropy(MASTER_KEY_BYTES)
    write_key(folder / KEY, secret)
    return secret


def write_key(path: Path, secret: bytes) -> None:
    """A master key as a file that is whole, for the owner's eyes."""
    write_private(path, base64.urlsafe_b64encode(secret))


def write_private(path: Path, content: bytes) -> None:
    """A file that is whole, on disk, and for the owner's eyes."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    unfinished.rename(path)
    flush(path.parent)


def adopt_next_key(folder: Path) -> None:
    """The next master key becomes the key, now that the database is wrapped under it; another process may be quicker."""
    with contextlib.suppress(FileNotFoundError):
        (folder / NEXT_KEY).rename(folder / KEY)
        flush(folder)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else is within such a block on that folder, in whatever process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def flush(folder: Path) -> None:
    """Make the names in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _close_to_others(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        # Some file systems know no modes (vfat, SMB shares); a home that keeps its data there still deserves a server.
        with contextlib.suppress(PermissionError):
            path.chmod(mode & ~_OTHERS)
