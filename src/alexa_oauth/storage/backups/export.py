"""The sealed backup: the database as it is at one instant, the master key that opens it, and the configuration."""

import base64
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from alexa_oauth.protocol.keeping import BackupRefused
from alexa_oauth.storage import database
from alexa_oauth.storage.backups.copying import copy_whole
from alexa_oauth.storage.backups.sealed import CHUNK_BYTES, SALT_BYTES, seal, unseal
from alexa_oauth.storage.folder import BACKUPS, DATABASE, alone_in
from alexa_oauth.storage.keys import MasterKey

_SNAPSHOT: Final = "snapshot.db"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a sealed backup says of itself. `clients_file` is the content of that file; `settings` are no secrets."""

    made_at: int
    version: str
    master: bytes = field(repr=False)
    clients_file: bytes | None = field(repr=False)
    settings: Mapping[str, str]
    database_octets: int = 0


@dataclass(frozen=True, slots=True)
class Sealing:
    """What a backup is sealed with; `salt` is `SALT_BYTES` fresh random bytes."""

    passphrase: str = field(repr=False)
    salt: bytes


def export(folder: Path, manifest: Manifest, sealing: Sealing) -> Generator[bytes, None, None]:
    """The sealed backup, piece by piece, beside a running server; no file is left. `StorageUnavailable`, `StartRefused`."""
    assert len(sealing.salt) == SALT_BYTES  # noqa: S101 - a short one would be no secret's fault, but ours
    with database.failures_in_words(folder / DATABASE), _snapshot(folder, manifest) as (size, file):
        yield from seal(_chunks(manifest, size, file), sealing.passphrase, sealing.salt)


def unpack(file: BinaryIO, passphrase: str, target: BinaryIO) -> Manifest:
    """What the sealed backup says of itself; the database goes to `target`. `BackupRefused`."""
    chunks = unseal(file, passphrase)
    try:
        manifest = _read(json.loads(next(chunks)))
    except (StopIteration, ValueError, KeyError, TypeError) as error:
        raise BackupRefused("the backup is damaged: it does not say what it holds") from error
    octets = 0
    for chunk in chunks:
        octets += target.write(chunk)
    if octets != manifest.database_octets:
        raise BackupRefused("the backup is damaged: it does not hold the database that it promises")
    return manifest


@contextmanager
def _snapshot(folder: Path, manifest: Manifest) -> Iterator[tuple[int, BinaryIO]]:
    """The database at one instant, as an open file without a name."""
    place = folder / BACKUPS / _SNAPSHOT
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with alone_in(place.parent):
        copy_whole(folder / DATABASE, place)
        try:
            with closing(database.connect(place, 0)) as connection:
                # Should a command change the master key at this very moment, the backup must not hold another one.
                database.master_of(connection, [MasterKey(manifest.master)])
            file = place.open("rb")
        finally:
            place.unlink()
    with file:
        yield file.seek(0, 2), file


def _chunks(manifest: Manifest, size: int, file: BinaryIO) -> Iterator[bytes]:
    yield _written(manifest, size)
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _written(manifest: Manifest, size: int) -> bytes:
    clients_file = manifest.clients_file
    return json.dumps(
        {
            "made_at": manifest.made_at,
            "version": manifest.version,
            "master": base64.urlsafe_b64encode(manifest.master).decode(),
            "clients_file": None if clients_file is None else base64.b64encode(clients_file).decode(),
            "settings": dict(manifest.settings),
            "database_octets": size,
        }
    ).encode()


def _read(content: Mapping[str, object]) -> Manifest:
    clients_file, settings = content["clients_file"], content["settings"]
    if not isinstance(settings, dict):
        raise TypeError
    return Manifest(
        made_at=int(str(content["made_at"])),
        version=str(content["version"]),
        master=base64.urlsafe_b64decode(str(content["master"])),
        clients_file=None if clients_file is None else base64.b64decode(str(clients_file)),
        settings={str(name): str(value) for name, value in settings.items()},
        database_octets=int(str(content["database_octets"])),
    )
