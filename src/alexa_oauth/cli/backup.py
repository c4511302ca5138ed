"""`backup`: a sealed file that may lie anywhere, or a copy for a program that archives the data folder."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.database import ask, keeper
from alexa_oauth.cli.owner import become_owner
from alexa_oauth.cli.passphrase import new_passphrase
from alexa_oauth.cli.progress import shown
from alexa_oauth.keeping.keeper import made
from alexa_oauth.protocol.keeping import BackupRefused
from alexa_oauth.protocol.models import LOCAL_SUBJECT
from alexa_oauth.settings.table import SETTINGS
from alexa_oauth.storage.backups.sealed import weakness
from alexa_oauth.storage.folder import DATABASE, flush
from alexa_oauth.storage.store import SqliteStore

_STANDARD_OUTPUT: Final = Path("-")
_SEALED_PER_OCTET: Final = 4 / 3
_WHAT_IT_IS: Final = """\
The backup is {where}. Whoever has it and its passphrase can use every link in it: keep the two apart.
Without the passphrase nobody can open it, you included. It knows nothing of what happens from now on.
Inside are the links, the audit trail, the master key, the clients file and the settings{left_out}."""


def backup(context: Context) -> int:
    """Make a sealed backup, or with `--copy` a copy, and say where it is."""
    if context.arguments.copy:
        print(ask(context, SqliteStore.copy))
        return 0
    file: Path = context.arguments.file
    become_owner(context.settings.data_dir)
    _refuse_to_overwrite(file)
    passphrase = new_passphrase()
    weak = weakness(passphrase)
    if weak:
        raise CommandFailed(weak)
    with _new_file(file) as target:
        ask(context, lambda store: _write(context, store, passphrase, target))
    is_piped = file == _STANDARD_OUTPUT
    where = "what was sent to the standard output" if is_piped else f"in {file}"
    print(_WHAT_IT_IS.format(where=where, left_out=_left_out(context)), file=sys.stderr if is_piped else sys.stdout)
    return 0


async def _write(context: Context, store: SqliteStore, passphrase: str, target: BinaryIO) -> None:
    total = int((store.folder / DATABASE).stat().st_size * _SEALED_PER_OCTET)
    try:
        pieces = await keeper(context.settings).seal(store, passphrase, made(LOCAL_SUBJECT, "sealed"))
        target.writelines(shown(pieces, total, "Sealing"))
        target.flush()
    except BackupRefused as refused:
        raise CommandFailed(str(refused)) from refused


@contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    """A file that nobody else can read, and that is there whole or not at all."""
    if file == _STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise CommandFailed("a backup is not for a terminal: name a file, or send the output into one")
        yield sys.stdout.buffer
        return
    try:
        # With O_EXCL a link that leads elsewhere is not followed.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        way_out = "; as root, send it there by `backup - > FILE`" if isinstance(error, PermissionError) else ""
        raise CommandFailed(f"{file} cannot be written ({error.strerror}){way_out}") from error
    try:
        with os.fdopen(descriptor, "wb") as target:
            yield target
            os.fsync(descriptor)
        flush(file.parent)
    except BaseException as error:
        file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CommandFailed(f"{file} cannot be written ({error.strerror}); no backup was made") from error
        raise


def _refuse_to_overwrite(file: Path) -> None:
    if file != _STANDARD_OUTPUT and (file.exists() or file.is_symlink()):
        raise CommandFailed(f"{file} is there already, and is not overwritten; name another file")


def _left_out(context: Context) -> str:
    """Which secrets the operator keeps elsewhere, and must keep a copy of there."""
    names = [setting.name for setting in SETTINGS if setting.secret and getattr(context.settings, setting.name)]
    kept = [name for name in names if name != "encryption_key"]
    return f", but not these secrets from your settings: {', '.join(kept)}" if kept else ""
