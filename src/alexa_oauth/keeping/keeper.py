"""What is done to keep a server: sealed backups are made, any backup is looked into and made ready, for commands and panel."""

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from alexa_oauth import __version__
from alexa_oauth.protocol.errors import StartRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.keeping import BackupRefused, CopyKind, DailyCopy
from alexa_oauth.settings.table import Settings, plain
from alexa_oauth.storage import database
from alexa_oauth.storage.backups.candidate import Candidate, candidate
from alexa_oauth.storage.backups.daily import copies, find_copy
from alexa_oauth.storage.backups.export import Manifest, Sealing, export
from alexa_oauth.storage.backups.restoring import Wish, stage
from alexa_oauth.storage.backups.sealed import SALT_BYTES, weakness
from alexa_oauth.storage.folder import DATABASE, RESTORE, make_private, write_private
from alexa_oauth.storage.opening import Opening
from alexa_oauth.storage.store import SqliteStore


@dataclass(frozen=True, slots=True)
class Ready:
    """A backup that waits to take the place of the database: where the present state will be, and where its clients are.

    `clients_file` is the file that was written, `None` if there was none to write.
    """

    former_state: Path
    clients_file: Path | None


class Keeper:
    """Backups of one data folder."""

    def __init__(self, settings: Settings, opening: Opening) -> None:
        """`opening` knows clock, chance and the master key of the settings."""
        self._settings = settings
        self._opening = opening

    async def seal(self, store: SqliteStore, passphrase: str, told: Event) -> Generator[bytes, None, None]:
        """A sealed backup, piece by piece; the event is recorded first, so that the backup knows of itself. `BackupRefused`."""
        weak = weakness(passphrase)
        if weak:
            raise BackupRefused(weak)
        try:
            await store.keys.reload()
        except StartRefused as refused:
            raise BackupRefused(f"{refused}; restart the server with the key that it has now") from refused
        await store.write(lambda tx: tx.events.record(told))
        manifest = Manifest(
            made_at=self._opening.instant().now,
            version=__version__,
            master=store.keys.master.secret,
            clients_file=_content(self._settings.clients_file),
            settings=plain(self._settings),
        )
        return export(store.folder, manifest, Sealing(passphrase, self._opening.entropy(SALT_BYTES)))

    @contextmanager
    def spool(self) -> Iterator[BinaryIO]:
        """A file without a name in the data folder, for a backup that arrives. `StorageUnavailable`."""
        folder = self._settings.data_dir
        with database.failures_in_words(folder / DATABASE):
            make_private(folder)
            (folder / RESTORE).mkdir(mode=0o700, exist_ok=True)
            with TemporaryFile(dir=folder / RESTORE) as file:
                yield file

    def look_into(self, source: BinaryIO, passphrase: str | None) -> AbstractContextManager[Candidate]:
        """A backup, checked from all sides; a sealed one needs its passphrase. `BackupRefused`, `StorageUnavailable`."""
        make_private(self._settings.data_dir)
        return candidate(source, passphrase, self._settings.data_dir, self._opening)

    def daily_copy(self) -> DailyCopy | None:
        """The newest daily copy, looked into as for a restore; `None` if there is none."""
        folder = self._settings.data_dir
        newest = next((copy for copy in copies(folder) if copy.kind is CopyKind.DAILY), None)
        file = find_copy(folder, newest.name) if newest else None
        if newest is None or file is None:
            return None
        try:
            with file.open("rb") as source, self.look_into(source, None):
                return DailyCopy(newest.made_at)
        except (BackupRefused, StorageUnavailable) as error:
            return DailyCopy(newest.made_at, str(error))
        except OSError as error:
            return DailyCopy(newest.made_at, error.strerror or "it cannot be read")

    def make_ready(self, found: Candidate, wish: Wish) -> Ready:
        """Let it wait for the server, which lets it take the place of the database within seconds, or at its next start."""
        former_state = stage(found, self._settings.data_dir, self._opening, wish)
        content = found.manifest.clients_file if found.manifest else None
        return Ready(former_state, None if content is None else self._bring_clients(content))

    def _bring_clients(self, content: bytes) -> Path | None:
        """Another file that is there stays, and what the backup brings lies beside it."""
        place = self._settings.clients_file
        present = _content(place)
        if present == content:
            return None
        target = place if present is None else place.with_name(f"{place.name}.restored")
        write_private(target, content)
        return target


def made(subject: str, kind: str) -> Event:
    """The event of a backup that somebody asked for."""
    return Event(EventName.BACKUP_MADE, detail={"kind": kind}).by(subject)


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None
