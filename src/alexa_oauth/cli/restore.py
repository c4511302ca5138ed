"""`restore`: look into a backup, say what it would mean, and let the server take it."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import BinaryIO, Final

from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.database import keeper
from alexa_oauth.cli.owner import become_owner, is_owner
from alexa_oauth.cli.passphrase import known_passphrase
from alexa_oauth.cli.printing import local_time, print_fields, print_json, printable
from alexa_oauth.cli.progress import announce
from alexa_oauth.keeping.keeper import Ready
from alexa_oauth.protocol.errors import StartRefused, StorageUnavailable
from alexa_oauth.protocol.keeping import BackupContents, BackupRefused
from alexa_oauth.protocol.models import LOCAL_SUBJECT
from alexa_oauth.settings.table import plain
from alexa_oauth.storage.backups.candidate import Candidate, beginning_of
from alexa_oauth.storage.backups.restoring import Wish
from alexa_oauth.storage.backups.sealed import is_sealed
from alexa_oauth.storage.backups.swapping import staged_in
from alexa_oauth.storage.folder import KEY, is_served, read_key, write_key

_STANDARD_INPUT: Final = "-"
_PATIENCE_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.2

_MEANING: Final = """\
What a restore means:
- Links made since {made_at} must be made again.
- Access tokens issued since then fail until their next refresh, which comes within the hour.
- {ended}
- What the audit trail says since then stays in the former state, which is kept."""
_LIVE_AGAIN: Final = "Links that ended since then live again; --end-all-links ends all of them, so that each must be made again."
_END: Final = "All links end, and each must be made again."
_DONE: Final = """\
Restored. The former state is {former};
to go back to it: alexa-oauth restore {former}"""
_WAITS: Final = """\
The backup is ready, and the next start of the server takes it. The former state will then be {former};
to go back to it: alexa-oauth restore {former}"""


def restore(context: Context) -> int:
    """Check a backup; unless that is all, make it ready and wait until the running server has taken it."""
    arguments = context.arguments
    with (
        _opened(context, arguments.file) as source,
        _failures(context),
        keeper(context.settings).look_into(source, _passphrase(source)) as found,
    ):
        if arguments.key_only:
            return _bring_key_back(context, found)
        if not arguments.json:
            _show(context, found.contents)
        if arguments.check:
            return _end(context, found.contents)
        _ask_first(context)
        is_running = is_served(context.settings.data_dir)
        ready = keeper(context.settings).make_ready(found, Wish(LOCAL_SUBJECT, ends_all=arguments.end_all_links))
    is_taken = is_running and _is_taken(context.settings.data_dir)
    return _end(context, found.contents, ready, is_taken=is_taken)


def _end(context: Context, contents: BackupContents, ready: Ready | None = None, *, is_taken: bool = False) -> int:
    """Say what came of it."""
    if context.arguments.json:
        former = str(ready.former_state) if ready else None
        print_json({**_fields(contents), "taken": is_taken, "former_state": former})
    elif ready is not None:
        _tell_of_clients(ready)
        print((_DONE if is_taken else _WAITS).format(former=ready.former_state))
    return 0


def _fields(contents: BackupContents) -> dict[str, object]:
    return {
        "made_at": contents.made_at,
        "links": contents.links,
        "sealed": contents.is_sealed,
        "version": contents.version,
        "settings": dict(contents.settings),
        "has_clients_file": contents.has_clients_file,
    }


def _show(context: Context, contents: BackupContents) -> None:
    kind = f"sealed, made by version {contents.version}" if contents.is_sealed else "copy of the database"
    print("The backup is whole, and its keys open every link.\n")
    print_fields([("kind", kind), ("as of", local_time(contents.made_at)), ("links", str(contents.links))])
    differing = _differing(context, contents)
    if differing:
        print("\nThese settings were other ones then; they are not changed:")
        print_fields(differing)
    ended = _END if context.arguments.end_all_links else _LIVE_AGAIN
    print(f"\n{_MEANING.format(made_at=local_time(contents.made_at), ended=ended)}\n")


def _differing(context: Context, contents: BackupContents) -> list[tuple[str, str]]:
    now = plain(context.settings)
    return [(printable(name), value) for name, value in contents.settings.items() if now.get(name) != value]


def _ask_first(context: Context) -> None:
    """Only of a person: where there is no terminal, whoever wrote the line has decided."""
    if context.arguments.yes or context.arguments.json or not sys.stdin.isatty():
        return
    print("Restore it? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CommandFailed("nothing was restored")


def _tell_of_clients(ready: Ready) -> None:
    if ready.clients_file is not None:
        beside = " beside the present one, which stays" if ready.clients_file.suffix == ".restored" else ""
        print(f"The clients file of the backup is {ready.clients_file}{beside}.")


def _is_taken(folder: Path) -> bool:
    """Whether the running server has taken what waits."""
    announce("Waiting for the running server to take it")
    pause = Event()
    for _ in range(int(_PATIENCE_SECONDS / _POLL_SECONDS)):
        if staged_in(folder) is None:
            return True
        pause.wait(_POLL_SECONDS)
    return False


def _bring_key_back(context: Context, found: Candidate) -> int:
    """The master key alone, where it was lost and the database was not: no link is lost with it."""
    folder = context.settings.data_dir
    if found.manifest is None:
        raise CommandFailed("a copy of the database brings no key along; only a sealed backup does")
    if context.settings.encryption_key:
        raise CommandFailed("the key is the setting encryption_key; nothing was changed")
    if read_key(folder) is not None:
        raise CommandFailed(f"{folder / KEY} is there, and is not overwritten; move it away first")
    write_key(folder / KEY, found.master.secret)
    print(f"{folder / KEY} is back (key {found.master.key_id}). Start the server; if the database wants another key, it says so.")
    return 0


@contextmanager
def _opened(context: Context, name: str) -> Iterator[BinaryIO]:
    """The file is opened by whoever runs the command, before root becomes the owner of the data folder.

    What comes through a pipe can be read once, and is looked at twice.
    """
    folder = context.settings.data_dir
    with ExitStack() as stack:
        if name == _STANDARD_INPUT:
            become_owner(folder)
            stack.enter_context(_failures(context))
            source = stack.enter_context(keeper(context.settings).spool())
            shutil.copyfileobj(sys.stdin.buffer, source)
            source.seek(0)
        else:
            try:
                source = stack.enter_context(Path(name).open("rb"))
            except OSError as error:
                raise CommandFailed(f"{name} cannot be read ({error.strerror})") from error
            become_owner(folder)
        yield source


def _passphrase(source: BinaryIO) -> str | None:
    passphrase = known_passphrase() if is_sealed(beginning_of(source)) else None
    announce("Looking into the backup")
    return passphrase


@contextmanager
def _failures(context: Context) -> Iterator[None]:
    folder = context.settings.data_dir
    try:
        yield
    except BackupRefused as refused:
        raise CommandFailed(f"{refused}; nothing was restored") from refused
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from refused
    except StorageUnavailable as error:
        way_out = "try again" if is_owner(folder) else "run this as its owner, or as root"
        raise CommandFailed(f"{folder} cannot be used now ({error}); {way_out}") from error
