"""A limit on the memory of a process, which the kernel keeps by ending it: a control group of one's own."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_ROOT: Final = Path("/sys/fs/cgroup")
_LAST_MEMBER_SECONDS: Final = 5


class LimitRefused(Exception):
    """No control group can be made here; the message says why."""


class MemoryLimit:
    """A control group, of version 2 or 1, whose members together may have so many bytes, until the block ends.

    `command` is what to put before a command, to make the process a member before it begins.
    """

    def __init__(self, octets: int) -> None:
        """`LimitRefused`: this needs root, and a memory controller."""
        is_second = (_ROOT / "cgroup.controllers").exists()
        self._group = (_ROOT if is_second else _ROOT / "memory") / f"alexa-oauth-test-{os.getpid()}"
        self._kills = self._group / ("memory.events" if is_second else "memory.oom_control")
        try:
            self._group.mkdir()
            (self._group / ("memory.max" if is_second else "memory.limit_in_bytes")).write_text(str(octets), "ascii")
        except OSError as error:
            with suppress(OSError):
                self._group.rmdir()
            raise LimitRefused(f"no memory limit can be set here: {error.strerror}") from error
        self.command = ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._group / "cgroup.procs"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + _LAST_MEMBER_SECONDS
        while True:
            try:
                return self._group.rmdir()
            except OSError:  # the kernel has not yet forgotten a member that ended
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @property
    def kills(self) -> int:
        """How many members the kernel ended for want of memory."""
        counts = dict(line.split() for line in self._kills.read_text("ascii").splitlines())
        return int(counts["oom_kill"])


def peak_memory(pid: int) -> int:
    """The most that this process ever had resident, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1_024
    raise ProcessLookupError(pid)
