"""The database, opened beside a running server, for one question."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from alexa_oauth.app import entropy, master_key, system_clock
from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.owner import become_owner, is_owner
from alexa_oauth.clock import Clock
from alexa_oauth.keeping.keeper import Keeper
from alexa_oauth.protocol.errors import RowDamaged, StartRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event
from alexa_oauth.settings.table import Settings
from alexa_oauth.storage.store import Opening, SqliteStore

Answer = TypeVar("Answer")


def ask(context: Context, question: Callable[[SqliteStore], Awaitable[Answer]]) -> Answer:
    """Open the database, put the question to it and close it. `CommandFailed` says in one line why it cannot be used."""
    settings = context.settings
    become_owner(settings.data_dir)
    try:
        return asyncio.run(_ask(settings, question))
    except (StartRefused, RowDamaged) as error:
        raise CommandFailed(str(error)) from error
    except StorageUnavailable as error:
        way_out = "try again" if is_owner(settings.data_dir) else "run this as its owner, or as root"
        raise CommandFailed(f"the database in {settings.data_dir} cannot be used now ({error}); {way_out}") from error


def keeper(settings: Settings) -> Keeper:
    """Who makes and restores backups of the data folder."""
    return Keeper(settings, _opening(settings, system_clock()))


async def _ask(settings: Settings, question: Callable[[SqliteStore], Awaitable[Answer]]) -> Answer:
    clock = system_clock()
    store = SqliteStore.open(settings.data_dir, _opening(settings, clock))
    try:
        clock.compare_with(store.newest_instant)
        return await question(store)
    finally:
        await store.close()


def _opening(settings: Settings, clock: Clock) -> Opening:
    return Opening(
        master_key=master_key(settings),
        instant=clock.instant,
        entropy=entropy,
        definitions=dict,
        on_commit=_tell_nobody,
        serving=False,
    )


def _tell_nobody(_events: Sequence[Event]) -> None:
    """The log is the server's; what a command did stands in the audit trail."""
