"""What the panel asks of whoever keeps backups and keys; the root hands it in."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from alexa_oauth.protocol.keeping import BackupContents, CopyFile, KeyStanding


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
