"""The household's server through the years: restarts, a restored backup, a clock that someone set wrong."""

import heapq
import itertools
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Self

from tests.rig import FakeClocks, Rig, running

Happening = Callable[[], Awaitable[None]]


class Home:
    """One data folder, the server that runs on it, and a diary of what will happen.

    True time is that of the running clock: the wall clock is the one that people set wrong.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        """Nothing runs before the context is entered."""
        self.folder = folder
        self.settings = settings
        self.clocks = FakeClocks()
        self._backup = folder.parent / "backup.db"
        self._diary: list[tuple[float, int, Happening]] = []
        self._order = itertools.count()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def rig(self) -> Rig:
        """The server that runs now."""
        return self._rig

    @property
    def now(self) -> float:
        """True time, in seconds."""
        return self.clocks.running

    def plan(self, after: float, happening: Happening) -> None:
        """Something that will happen so many seconds from now."""
        heapq.heappush(self._diary, (self.now + after, next(self._order), happening))

    async def live(self, seconds: float) -> None:
        """Let so much time pass, and what was planned for it happen."""
        until = self.now + seconds
        while self._diary and self._diary[0][0] <= until:
            at, _, happening = heapq.heappop(self._diary)
            self.clocks.advance(max(0, at - self.now))
            await self._rig.upkeep.watch_clock()
            await happening()
        self.clocks.advance(max(0, until - self.now))

    async def tidy_up(self) -> None:
        """What the server does every minute by itself."""
        await self._rig.upkeep.write_refusals()
        await self._rig.upkeep.sweep()

    async def set_clock(self, seconds: float) -> None:
        """Someone sets the clock while the server runs."""
        self.clocks.step(seconds)

    async def restart(self, seconds: float = 0) -> None:
        """Stop, perhaps with the clock set meanwhile, and start."""
        await self._stack.aclose()
        self.clocks.step(seconds)
        await self._start()

    async def back_up(self) -> None:
        """Copy the database while the server runs on it."""
        self._backup.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.folder / "oauth.db")) as source, closing(sqlite3.connect(self._backup)) as copy:
            source.backup(copy)

    async def restore(self) -> None:
        """Put the copy in the place of the database, which a restart takes up."""
        await self._stack.aclose()
        for left in self.folder.glob("oauth.db*"):
            left.unlink()
        (self.folder / "oauth.db").write_bytes(self._backup.read_bytes())
        (self.folder / "oauth.db").chmod(0o600)
        await self._start()

    async def _start(self) -> None:
        self._stack = AsyncExitStack()
        self._rig = await self._stack.enter_async_context(running(self.folder, self.settings, self.clocks))
