"""A store that may not be open yet: with a full or read-only disk the server runs, refuses with 503, and tries again."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from alexa_oauth.protocol.errors import StartRefused, StorageUnavailable
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.reading import Reader
from alexa_oauth.storage.store import SqliteStore

Outcome = TypeVar("Outcome")


class PatientStore:
    """Implements `protocol.reading.ReadableStore`; everything raises `StorageUnavailable` until the database could be opened."""

    def __init__(self, open_store: Callable[[], SqliteStore]) -> None:
        """`open_store` raises `StorageUnavailable` for what may pass, `StartRefused` for what does not."""
        self._open_store = open_store
        self._opened: SqliteStore | None = None
        self._reason = "not opened yet"
        self._is_closing = False

    @property
    def opened(self) -> SqliteStore | None:
        """The open store, if it could be opened."""
        return self._opened

    def try_to_open(self) -> bool:
        """Open the database if it is not open; whether it is open now. `StartRefused`: it never will be."""
        if self._opened is None and not self._is_closing:
            try:
                self._opened = self._open_store()
            except StorageUnavailable as error:
                self._reason = str(error)
            except StartRefused:  # its message names files, which `/health` shows to nobody
                self._reason = "cannot be opened; the log says why"
                raise
        return self._opened is not None

    @property
    def instance(self) -> str | None:
        """What tells this database from others, once it is open."""
        return None if self._opened is None else self._opened.instance

    async def write(self, rule: Callable[[Transaction], Outcome]) -> Outcome:
        """As the port says."""
        return await self._present().write(rule)

    def read(self, rule: Callable[[Transaction], Outcome]) -> Outcome:
        """As the port says."""
        return self._present().read(rule)

    def reader(self) -> AbstractAsyncContextManager[Reader]:
        """As the port says."""
        return self._present().reader()

    def checks(self) -> Mapping[str, str]:
        """What is wrong with the database, from memory."""
        if self._opened is None:
            return {"database": self._reason, "encryption_key": "not read yet"}
        return self._opened.checks()

    async def reopen(self) -> None:
        """Close the database, once everybody who is in has been answered, and open it anew; until then requests are refused.

        What waits to take its place does so in between.
        """
        opened, self._opened, self._is_closing, self._reason = self._opened, None, True, "restoring a backup"
        try:
            if opened is not None:
                await opened.close()
        finally:
            self._is_closing = False
        self.try_to_open()

    async def close(self) -> None:
        """Close what was opened."""
        if self._opened is not None:
            await self._opened.close()

    def _present(self) -> SqliteStore:
        if self._opened is None:
            raise StorageUnavailable(self._reason)
        return self._opened
