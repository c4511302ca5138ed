"""When to kill: moments of which most lie amid the work that is to be killed, on a quick machine and on a busy one."""

import asyncio
import random
import signal
import time
from asyncio.subprocess import Process
from contextlib import suppress
from typing import Final

from tests.running_server import RunningServer

LONGER: Final = 1.2


class Moments:
    """Moments of one kind of work, the later ones likelier: at first a program only reads itself in.

    How long the work takes on this machine is learnt from what each moment came to.
    """

    def __init__(self, chance: random.Random, seconds: float) -> None:
        """It takes about so long."""
        self._chance = chance
        self._reach = seconds
        self._struck_after = 0.0

    async def strike(self, process: Process) -> bool:
        """SIGKILL at the next moment; whether the process had not ended by itself until then."""
        begun = time.monotonic()
        self._struck_after = self._chance.triangular(0, self._reach, self._reach)
        try:
            await asyncio.wait_for(process.wait(), self._struck_after)
        except TimeoutError:
            with suppress(ProcessLookupError):  # it may have ended at that very moment
                process.kill()
        if await process.wait() == -signal.SIGKILL:
            self._reach *= LONGER
            return True
        self._reach = time.monotonic() - begun
        return False

    def was_late(self) -> None:
        """What was struck last had done its work already, and went on with other things."""
        self._reach = self._struck_after


async def seconds_to_start(server: RunningServer) -> float:
    """Start it; how long that took, which is a measure of how quick this machine is now."""
    begun = time.monotonic()
    await asyncio.to_thread(server.start)
    return time.monotonic() - begun
