"""What else befalls a data folder: a disk that is full, a disk that takes no writes, and somebody who holds the lock."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

_AS_ROOT: Final = () if os.geteuid() == 0 else ("sudo", "-n")
_BLOCK: Final = bytes(4_096)
_SIZE: Final = 16 * 1024 * 1024
"""Room enough for the write-ahead log, which grows to four megabytes before it is folded in."""


class MountRefused(Exception):
    """We are not root, or a root who may not mount; the message is for the report of skipped tests."""


class SmallDisk:
    """A disk in memory, mounted on a new folder until the block ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={_SIZE},uid={os.getuid()},gid={os.getgid()},mode=700", "tmpfs", str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*_AS_ROOT, "umount", "--lazy", self.folder], check=True)

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
        _mount("-o", "remount,ro", str(self.folder))

    def allow_writes(self) -> None:
        _mount("-o", "remount,rw", str(self.folder))


def _mount(*arguments: str) -> None:
    mounted = subprocess.run([*_AS_ROOT, "mount", *arguments], capture_output=True, text=True, check=False)
    if mounted.returncode:
        raise MountRefused(f"no disk can be mounted here: {mounted.stderr.strip()}")


@contextmanager
def locked(folder: Path) -> Iterator[sqlite3.Connection]:
    """Another program is writing into the database, until it ends its transaction or the block ends."""
    with closing(sqlite3.connect(folder / "oauth.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
