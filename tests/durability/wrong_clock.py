"""A server on a machine whose wall clock is wrong, and can be set."""

import sys
from pathlib import Path
from typing import Final

from tests.running_server import RunningServer

RIGHT: Final = 0.0

_LAUNCHER: Final = (sys.executable, "-P", str(Path(__file__).with_name("shifted_clock.py")))


class WrongClock:
    """A server whose wall clock can be set while it runs and while it does not."""

    def __init__(self, server: RunningServer, file: Path) -> None:
        self.server = server
        self._file = file
        server.command = _LAUNCHER
        server.environment["SHIFT_FILE"] = str(file)
        self.shift(RIGHT)

    def shift(self, seconds: float) -> None:
        """Set the clock so many seconds off the true time."""
        written = self._file.with_suffix(".new")
        written.write_text(str(seconds), "ascii")
        written.replace(self._file)
