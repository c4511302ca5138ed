"""What befalls a data folder: a disk that is full, one that takes no writes, one that fails, and somebody who holds the lock."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

_AS_ROOT: Final = () if os.geteuid() == 0 else ("sudo", "-n")
_MENDED: Final = 1
"""What `e2fsck` ends with when it mended something."""
_BLOCK: Final = bytes(4_096)
_SIZE: Final = 16 * 1024 * 1024
"""Room enough for the write-ahead log, which grows to four megabytes before it is folded in."""


class MountRefused(Exception):
    """We are not root, or a root who may not mount."""


class SmallDisk:
    """A disk in memory, mounted on a new folder until the block ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir()
        _as_root("mount", "-t", "tmpfs", "-o", f"size={_SIZE},uid={os.getuid()},gid={os.getgid()},mode=700", "tmpfs", str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _as_root("umount", "--lazy", str(self.folder))

    def fill(self) -> None:
        """Take what room there is."""
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(_BLOCK)

    def make_room(self) -> None:
        """Give it back."""
        self._ballast.unlink()

    def stop_writes(self) -> None:
        """As a system does with a disk that it does not trust any more."""
        _as_root("mount", "-o", "remount,ro", str(self.folder))

    def allow_writes(self) -> None:
        _as_root("mount", "-o", "remount,rw", str(self.folder))


class DistrustedDisk:
    """A file system in a file of its own, which the system can stop writing to although files on it are open for writing.

    That is what a real disk's first error comes to; a mount that is merely made read-only is refused while such files are open.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._image = folder.with_suffix(".img")
        folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(2 * _SIZE)
        _as_root("mkfs.ext4", "-q", "-E", f"root_owner={os.getuid()}:{os.getgid()}", str(self._image))
        self._mount()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _as_root("umount", "--lazy", str(self.folder))

    def fail(self) -> None:
        """From now on nothing is written."""
        _as_root("mount", "-o", "remount,abort", str(self.folder))

    def repair(self) -> None:
        """What a start of the machine does: check the file system, and mount it again. Nobody may have a file open on it."""
        _as_root("umount", str(self.folder))
        _as_root("e2fsck", "-p", "-f", str(self._image), good=(0, _MENDED))
        self._mount()

    def _mount(self) -> None:
        _as_root("mount", "-o", "loop", str(self._image), str(self.folder))


def _as_root(*command: str, good: tuple[int, ...] = (0,)) -> None:
    ran = subprocess.run([*_AS_ROOT, *command], capture_output=True, text=True, check=False)
    if ran.returncode not in good:
        raise MountRefused(f"no disk can be mounted here: {ran.stderr.strip()}")


@contextmanager
def locked(folder: Path) -> Iterator[sqlite3.Connection]:
    """Another program is writing into the database, until it ends its transaction or the block ends."""
    with closing(sqlite3.connect(folder / "oauth.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
