"""One examination at a time: the doctor calls the public address while the page that asked for it goes on."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from alexa_oauth.diagnosis.findings import Finding

_log = structlog.get_logger(__name__)


class Examination:
    """The one that runs, or the last that ran; a restart forgets it."""

    def __init__(self, examine: Callable[[Callable[[str], None]], Awaitable[tuple[Finding, ...]]]) -> None:
        """`examine` tells its steps and returns its findings."""
        self._examine = examine
        self._running: asyncio.Task[None] | None = None
        self.begun_at: int | None = None
        self.steps: list[str] = []
        self.findings: tuple[Finding, ...] = ()
        self.failed = False

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self._running is not None and not self._running.done()

    def begin(self, now: int) -> None:
        """Begin one; whoever asks while one runs gets that one."""
        if not self.is_running:
            self.begun_at, self.steps, self.failed = now, [], False
            self._running = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Give up the one that runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        try:
            self.findings = await self._examine(self.steps.append)
        except Exception:  # noqa: BLE001 - the page must tell that it failed, and the log how
            _log.exception("examination.failed")
            self.failed = True
