"""Backups and keys as the panel of a running server makes, restores and changes them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from alexa_oauth.admin.ports import Checked, KeysShown
from alexa_oauth.keeping.keeper import Keeper, made
from alexa_oauth.protocol.credentials import base64url
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.keeping import BackupRefused, CopyFile, DailyCopy
from alexa_oauth.settings.table import Settings, plain
from alexa_oauth.storage.backups.candidate import Candidate
from alexa_oauth.storage.backups.daily import copies, find_copy
from alexa_oauth.storage.backups.restoring import Wish
from alexa_oauth.storage.opening import Opening
from alexa_oauth.storage.patient import PatientStore
from alexa_oauth.storage.store import SqliteStore

TICKET_SECONDS: Final = 600
_PATIENCE_SECONDS: Final = 15
_LOOK_SECONDS: Final = 0.1
_TICKET_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class PanelSetting:
    """What a server was started with; `running` counts seconds and is never stepped."""

    settings: Settings
    running: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A checked backup: its file is gone when `resources` close."""

    found: Candidate
    resources: ExitStack
    until: float


class PanelKeeping:
    """Implements `admin.ports.Keeping`. One checked backup waits at a time; the next takes its place."""

    def __init__(self, setting: PanelSetting, store: PatientStore, opening: Opening) -> None:
        """`opening` is what the store was opened with."""
        self._settings = setting.settings
        self._running = setting.running
        self._store = store
        self._opening = opening
        self._keeper = Keeper(self._settings, opening)
        self._waiting: dict[str, _Waiting] = {}

    def copies(self) -> list[CopyFile]:
        """As the port says."""
        return copies(self._settings.data_dir)

    def find_copy(self, name: str) -> Path | None:
        """As the port says."""
        return find_copy(self._settings.data_dir, name)

    def daily_copy(self) -> DailyCopy | None:
        """As `Keeper` says."""
        return self._keeper.daily_copy()

    def keys(self) -> KeysShown:
        """As the port says."""
        keys = self._opened().keys
        return KeysShown(keys.master.key_id, self._settings.encryption_key is not None, tuple(keys.standings()))

    async def seal(self, passphrase: str, subject: str) -> AsyncIterator[bytes]:
        """As the port says; scrypt and the disk keep nobody else waiting."""
        pieces = await self._keeper.seal(self._opened(), passphrase, made(subject, "sealed"))
        try:
            while piece := await asyncio.to_thread(next, pieces, b""):
                yield piece
        finally:
            await asyncio.to_thread(pieces.close)

    def spool(self) -> AbstractContextManager[BinaryIO]:
        """As the port says."""
        return self._keeper.spool()

    async def check(self, source: BinaryIO, passphrase: str | None) -> Checked:
        """As the port says."""
        self._forget()
        with ExitStack() as unless_it_is_good:
            found = await asyncio.to_thread(unless_it_is_good.enter_context, self._keeper.look_into(source, passphrase))
            ticket = base64url(self._opening.entropy(_TICKET_BYTES))
            self._waiting[ticket] = _Waiting(found, unless_it_is_good.pop_all(), self._running() + TICKET_SECONDS)
        return Checked(ticket, replace(found.contents, settings=self._differing(found.contents.settings)))

    async def restore(self, ticket: str, subject: str, *, ends_all: bool) -> str | None:
        """As the port says."""
        waiting = self._waiting.pop(ticket, None)
        self._forget()
        if waiting is None:
            return None
        with waiting.resources:
            if waiting.until < self._running():
                return None
            ready = await asyncio.to_thread(self._keeper.make_ready, waiting.found, Wish(subject, ends_all=ends_all))
        for _ in range(int(_PATIENCE_SECONDS / _LOOK_SECONDS)):
            opened = self._store.opened
            if opened is not None and not opened.is_to_be_replaced():
                break
            await asyncio.sleep(_LOOK_SECONDS)
        return ready.former_state.name

    async def rotate_master(self, subject: str) -> None:
        """As the port says."""
        opened = self._opened()
        if self._settings.encryption_key is not None:
            raise BackupRefused("the master key is a setting, and only you can change it there")
        if opened.is_to_be_replaced():
            raise BackupRefused("a backup is about to take the place of the database; try again in a moment")
        await opened.keys.rotate_master(_rotated(subject, "master"))

    async def rotate_data(self, subject: str) -> None:
        """As the port says."""
        await self._opened().keys.rotate_data(_rotated(subject, "data"))

    def _opened(self) -> SqliteStore:
        if self._store.opened is None:
            raise StorageUnavailable(self._store.checks()["database"])
        return self._store.opened

    def _differing(self, then: Mapping[str, str]) -> dict[str, str]:
        now = plain(self._settings)
        return {name: value for name, value in then.items() if now.get(name) != value}

    def _forget(self) -> None:
        for waiting in self._waiting.values():
            waiting.resources.close()
        self._waiting.clear()


def _rotated(subject: str, kind: str) -> Event:
    return Event(EventName.KEY_ROTATED, detail={"kind": kind}).by(subject)
