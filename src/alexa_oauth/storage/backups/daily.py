"""The copies in the folder of backups: one a day, and the state before each restore; the oldest go."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alexa_oauth.protocol.keeping import CopyFile, CopyKind
from alexa_oauth.storage import database
from alexa_oauth.storage.backups.copying import COPY, copy_whole
from alexa_oauth.storage.folder import BACKUPS, DATABASE, alone_in

DAYS_KEPT: Final = 7
FORMER_KEPT: Final = 3

_NAMES: Final = {
    CopyKind.DAILY: re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.db"),
    CopyKind.FORMER: re.compile(r"before-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}\.db"),
    CopyKind.ARCHIVE: re.compile(re.escape(COPY)),
}


def make_daily_copy(folder: Path, now: int) -> Path | None:
    """Copy the database unless this day (UTC) has its copy; where it is, or `None`. The oldest beyond `DAYS_KEPT` go.

    `StorageUnavailable` and `StartRefused` leave every former copy as it was.
    """
    today = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}.db"
    place = folder / BACKUPS / today
    with database.failures_in_words(folder / DATABASE):
        (folder / BACKUPS).mkdir(mode=0o700, exist_ok=True)
        with alone_in(folder / BACKUPS):
            if place.exists():
                return None
            copy_whole(folder / DATABASE, place)
            for name in _surplus(folder, today):
                (folder / BACKUPS / name).unlink()
    return place


def copies(folder: Path) -> list[CopyFile]:
    """The copies that there are, the newest first."""
    found = []
    for file in (folder / BACKUPS).glob("*.db"):
        kind = _kind(file.name)
        if kind is not None and file.is_file() and not file.is_symlink():
            status = file.stat()
            found.append(CopyFile(file.name, kind, status.st_size, int(status.st_mtime)))
    return sorted(found, key=lambda copy: copy.made_at, reverse=True)


def find_copy(folder: Path, name: str) -> Path | None:
    """The copy of that name, which comes from outside: only names that this server gives are looked at."""
    return next((folder / BACKUPS / copy.name for copy in copies(folder) if copy.name == name), None)


def _kind(name: str) -> CopyKind | None:
    return next((kind for kind, pattern in _NAMES.items() if pattern.fullmatch(name)), None)


def _surplus(folder: Path, today: str) -> Iterator[str]:
    """What goes. A day that has not come was copied while the clock was ahead: it goes first."""
    names = [file.name for file in (folder / BACKUPS).glob("*.db")]
    daily = sorted(name for name in names if _kind(name) is CopyKind.DAILY)
    daily.sort(key=lambda name: name <= today)
    yield from daily[:-DAYS_KEPT]
    yield from sorted(name for name in names if _kind(name) is CopyKind.FORMER)[:-FORMER_KEPT]
