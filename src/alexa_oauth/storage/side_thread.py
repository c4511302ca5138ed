"""A thread for calls that block: the flush to disk, and waiting for another program's lock."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final


class SideThread:
    """Makes one call after the other; whoever asked for a call waits for it on the event loop."""

    def __init__(self, name: str) -> None:
        """Start the thread."""
        self._begun: Final[queue.SimpleQueue[None]] = queue.SimpleQueue()
        self._calls: Final[queue.SimpleQueue[tuple[Callable[[], object], asyncio.Future[None]] | None]] = queue.SimpleQueue()
        # A daemon, since a root that fails before it closes the store must be able to end; SQLite survives any end.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def make(self, call: Callable[[], object]) -> None:
        """Make the call; what it returns is dropped, what it raises is raised here.

        The event loop stands still until the call begins, some 20 µs. Else the thread would wait for the interpreter as long as
        the loop has work, and the disk would rest while requests are answered that could have been answered during the flush.
        """
        done = asyncio.get_running_loop().create_future()
        self._calls.put((call, done))
        self._begun.get()
        await done

    async def end(self) -> None:
        """Let the thread end after the last call. It may be asked for again."""
        self._calls.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (asked := self._calls.get()) is not None:
            call, done = asked
            self._begun.put(None)
            try:
                call()
            except Exception as error:  # noqa: BLE001 - it is raised where the call was asked for
                self._tell(done, error)
            else:
                self._tell(done, None)

    def _tell(self, done: asyncio.Future[None], error: Exception | None) -> None:
        # A closed loop has nobody left who waits.
        with suppress(RuntimeError):
            done.get_loop().call_soon_threadsafe(_settle, done, error)


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
