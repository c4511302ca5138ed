"""`admin list` and `admin reset`: who administers the panel inside Home Assistant."""

from typing import Final

from alexa_oauth.cli.context import Context
from alexa_oauth.cli.database import ask
from alexa_oauth.cli.printing import print_json, print_table
from alexa_oauth.protocol.models import Resident
from alexa_oauth.protocol.people import reset
from alexa_oauth.storage.store import SqliteStore

_FIRST: Final = "The first Home Assistant user who opens the panel becomes its administrator."


def list_people(context: Context) -> int:
    """Everybody who opened the panel, and whether they administer it."""

    async def known(store: SqliteStore) -> tuple[Resident, ...]:
        return store.read(lambda tx: tx.people.known())

    people = ask(context, known)
    if context.arguments.json:
        print_json([{"subject": p.subject, "name": p.name, "is_administrator": p.is_administrator} for p in people])
    elif people:
        heading = ("NAME", "SUBJECT", "MAY DO")
        print_table([heading, *((p.name, p.subject, "administrator" if p.is_administrator else "own links") for p in people)])
    else:
        print(f"Nobody opened the panel inside Home Assistant yet. {_FIRST}")
    return 0


def reset_administrators(context: Context) -> int:
    """Let nobody be administrator, so that the next one who opens the panel becomes it."""

    async def clear(store: SqliteStore) -> int:
        return await store.write(lambda tx: reset(tx, by="command line"))

    cleared = ask(context, clear)
    print(f"{cleared} {'administrator was' if cleared == 1 else 'administrators were'} cleared. {_FIRST}")
    return 0
