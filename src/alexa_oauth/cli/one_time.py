"""`pairing-code` and `admin-link`: what opens a door once."""

import os

from alexa_oauth.announcement import PairingCodeShown, new_admin_link, show_pairing_code
from alexa_oauth.app import entropy
from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.database import ask
from alexa_oauth.cli.printing import local_time, print_json
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.settings.table import origin_here
from alexa_oauth.storage.store import SqliteStore


def pairing_code(context: Context) -> int:
    """The present pairing code; a new one if the last was used or is over."""

    def current(tx: Transaction) -> tuple[PairingCodeShown, int]:
        shown = show_pairing_code(tx, entropy)
        return shown, shown.expires_at - tx.now

    async def show(store: SqliteStore) -> tuple[PairingCodeShown, int]:
        return await store.write(current)

    shown, expires_in = ask(context, show)
    if context.arguments.json:
        print_json({"code": shown.code, "expires_in": expires_in})
    else:
        print(f"{shown.code}  (works once, until {local_time(shown.expires_at)})")
    return 0


def admin_link(context: Context) -> int:
    """A new link to the panel of the running server."""
    settings = context.settings
    if "SUPERVISOR_TOKEN" in os.environ:
        raise CommandFailed("Home Assistant alone opens the panel: look for Alexa Link in its sidebar")
    if settings.admin_port == 0:
        raise CommandFailed("admin_port is 0, so only the start text of the server says where the panel is; set a port")
    origin = origin_here(settings.admin_host, settings.admin_port)

    async def link(store: SqliteStore) -> str:
        return await store.write(lambda tx: new_admin_link(tx, entropy, origin))

    print(ask(context, link))
    return 0
