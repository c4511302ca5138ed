"""`backup`: what a backup program can archive while the server writes."""

from alexa_oauth.cli.context import Context
from alexa_oauth.cli.database import ask
from alexa_oauth.storage.store import SqliteStore


def backup(context: Context) -> int:
    """Copy the database, and print where the copy is."""
    print(ask(context, SqliteStore.copy))
    return 0
