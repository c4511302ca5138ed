"""What the panel asks of the rest of the server; the root hands it in."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from alexa_oauth.admin.sightings import Sightings
from alexa_oauth.diagnosis.findings import Finding
from alexa_oauth.protocol.account_linking import ClientSecret
from alexa_oauth.protocol.keeping import BackupContents, CopyFile, KeyStanding
from alexa_oauth.protocol.ports import Store


@dataclass(frozen=True, slots=True)
class KeysShown:
    """Both layers of keys: the master key by its id, and the data keys, newest first. `is_setting`: the settings give it."""

    master_id: str
    is_setting: bool
    standings: tuple[KeyStanding, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that was found good and waits for a word; the ticket names it for ten minutes.

    Of the settings in `contents` only those are left that are other ones now.
    """

    ticket: str
    contents: BackupContents


class Keeping(Protocol):
    """Backups and keys of this server. `subject` is who asks, for the audit trail.

    `BackupRefused` says in words why not; `StorageUnavailable`: the disk or a lock is in the way.
    """

    def copies(self) -> list[CopyFile]:
        """The copies that there are, the newest first."""

    def find_copy(self, name: str) -> Path | None:
        """The copy of that name."""

    def keys(self) -> KeysShown:
        """Which keys there are, and what needs each."""

    def seal(self, passphrase: str, subject: str) -> AsyncIterator[bytes]:
        """A new sealed backup, piece by piece; a weak passphrase is refused before the first of them."""

    def spool(self) -> AbstractContextManager[BinaryIO]:
        """A file without a name in the data folder, for a backup that arrives."""

    async def check(self, source: BinaryIO, passphrase: str | None) -> Checked:
        """Look into a backup from all sides."""

    async def restore(self, ticket: str, subject: str, *, ends_all: bool) -> str | None:
        """Let a checked backup take the place of the database, and wait until it has; the name of the former state's copy.

        `None`: the ticket names nothing any more.
        """

    async def rotate_master(self, subject: str) -> None:
        """Make a new master key."""

    async def rotate_data(self, subject: str) -> None:
        """Make new data keys."""


class BuiltInClient(Protocol):
    """The client that is Alexa, as the panel shows and changes it."""

    @property
    def client_id(self) -> str:
        """Its id."""

    @property
    def sightings(self) -> Sightings:
        """Vendor ids that Amazon sent, and that are not registered."""

    @property
    def follows_vendor_ids(self) -> bool:
        """Whether they decide where it may send people."""

    def configured_secret(self) -> ClientSecret | None:
        """Its secret as the operator wrote it down; `None` if the server makes it."""

    async def add_vendor_id(self, store: Store, vendor_id: str, by: str) -> None:
        """Add one, in the name of the person. `OptionsNotKept` or `StorageUnavailable`: nothing was added."""


class Doctor(Protocol):
    """Who knows why linking fails."""

    async def look(self) -> tuple[Finding, ...]:
        """What shows without leaving the machine."""

    def report(self, findings: Iterable[Finding]) -> str:
        """The findings for a bug tracker."""


class DoubtedClock(Protocol):
    """The clock, as far as a person can end a doubt of it."""

    @property
    def doubted_time(self) -> int | None:
        """What the machine's clock says while it is in doubt, in seconds since 1970; `None` while it is believed."""

    async def confirm(self, store: Store, by: str) -> bool:
        """That person says that the machine's clock is right; whether a doubt ended by it. `StorageUnavailable`."""
