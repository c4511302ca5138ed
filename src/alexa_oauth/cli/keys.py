"""`key rotate` and `key show-id`."""

from pathlib import Path
from typing import Final

from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.database import ask
from alexa_oauth.cli.printing import local_time, print_fields, print_json, print_table
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.keeping import KeyStanding
from alexa_oauth.protocol.models import LOCAL_SUBJECT, KeyAge
from alexa_oauth.storage.backups.swapping import staged_in
from alexa_oauth.storage.folder import KEY
from alexa_oauth.storage.store import SqliteStore

_STATES: Final = {
    KeyAge.CURRENT: "makes every new token",
    KeyAge.FORMER: "read only, until no link needs it",
    KeyAge.RETIRED: "recognises spent tokens, makes none good",
}
_IN_SETTINGS: Final = """\
nothing was changed: the master key is the setting encryption_key, and only you can change it there
write a new one with `alexa-oauth key rotate --to-file FILE`, name FILE in ALEXA_OAUTH_ENCRYPTION_KEY_FILE, and restart"""
_TO_FILE: Final = """\
The new master key is in {file}. The database needs it from now on: before the server starts the next time, set
ALEXA_OAUTH_ENCRYPTION_KEY_FILE to that file, in place of the former setting. Until then the running server goes on."""
_MASTER: Final = """\
The master key is another one, and every token stays good. The copies in the folder of backups go by it, too; those that
you keep elsewhere can still be read with the former key."""
_DATA: Final = """\
New data keys make everything from now on. Each link gets a token of the new one at its next refresh; {needing}.
The running server does the rest by itself; `alexa-oauth key show-id` tells how far it is."""


def rotate(context: Context) -> int:
    """Change the master key, or with `--data` the data keys."""
    arguments, in_settings = context.arguments, context.settings.encryption_key is not None
    if _is_backup_waiting(context.settings.data_dir):
        raise CommandFailed("nothing was changed: a backup waits to be restored; start the server first, so that it is taken")
    if arguments.data:
        print(_DATA.format(needing=_needing(ask(context, _rotate_data))))
    elif arguments.to_file:
        _rotate_to_file(context, arguments.to_file)
    elif in_settings:
        raise CommandFailed(*_IN_SETTINGS.splitlines())
    else:
        ask(context, lambda store: store.keys.rotate_master(_told("master")))
        print(_MASTER)
    return 0


def _is_backup_waiting(folder: Path) -> bool:
    try:
        return staged_in(folder) is not None
    except PermissionError:
        return False  # whoever may not look into the folder is told so when its database is opened


def show_id(context: Context) -> int:
    """The master key's id, and every data key with what needs it."""

    async def look(store: SqliteStore) -> tuple[str, list[KeyStanding]]:
        return store.keys.master.key_id, store.keys.standings()

    master, standings = ask(context, look)
    origin = "the setting encryption_key" if context.settings.encryption_key else str(context.settings.data_dir / KEY)
    if context.arguments.json:
        print_json({"master": master, "master_from": origin, "data_keys": [_fields(standing) for standing in standings]})
        return 0
    print_fields([("master key", master), ("kept in", origin)])
    print()
    print_table([("DATA KEY", "SINCE", "LINKS", "STATE"), *(_row(standing) for standing in standings)])
    return 0


async def _rotate_data(store: SqliteStore) -> int:
    await store.keys.rotate_data(_told("data"))
    return sum(standing.links for standing in store.keys.standings() if standing.age is KeyAge.FORMER)


def _rotate_to_file(context: Context, file: Path) -> None:
    if context.settings.encryption_key is None:
        raise CommandFailed(
            f"nothing was changed: the master key is the file {context.settings.data_dir / KEY}, which `key rotate` replaces"
        )
    if file.exists() or file.is_symlink():
        raise CommandFailed(f"nothing was changed: {file} is there already; name a file that is not")
    try:
        ask(context, lambda store: store.keys.rotate_master_to(file.absolute(), _told("master")))
    except OSError as error:
        raise CommandFailed(f"nothing was changed: {file} cannot be written ({error.strerror})") from error
    print(_TO_FILE.format(file=file.absolute()))


def _told(kind: str) -> Event:
    return Event(EventName.KEY_ROTATED, detail={"kind": kind}).by(LOCAL_SUBJECT)


def _needing(links: int) -> str:
    return (
        "no link needs the old one" if not links else f"{links} {'link needs' if links == 1 else 'links need'} the old one still"
    )


def _fields(standing: KeyStanding) -> dict[str, object]:
    return {"id": standing.key_id, "created_at": standing.created_at, "state": standing.age, "links": standing.links}


def _row(standing: KeyStanding) -> tuple[str, ...]:
    return (standing.key_id, local_time(standing.created_at), str(standing.links), _STATES[standing.age])
