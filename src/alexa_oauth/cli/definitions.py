"""The registered clients as commands need them, and where the secret of each is."""

from collections.abc import Mapping
from contextlib import suppress

from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.database import ask
from alexa_oauth.cli.owner import become_owner
from alexa_oauth.clients.definitions import ClientDefinitions, ClientsFileRefused, configured_secret
from alexa_oauth.protocol.account_linking import ClientSecret
from alexa_oauth.protocol.models import Client
from alexa_oauth.storage.store import SqliteStore


def read_definitions(context: Context) -> ClientDefinitions:
    """The clients of settings and file. `CommandFailed`, one line for each fault of the file."""
    become_owner(context.settings.data_dir)
    try:
        return ClientDefinitions(context.settings)
    except ClientsFileRefused as refused:
        raise CommandFailed(*refused.faults, status=context.arguments.misconfigured) from refused


def known_clients(context: Context) -> Mapping[str, Client]:
    """The clients by their ids, as the running server has them: with the vendor ids that were added on the panel, too."""
    definitions = read_definitions(context)

    async def added(store: SqliteStore) -> tuple[str, ...]:
        return store.read(lambda tx: tx.clients.vendor_ids())

    # Where there is no database yet, nothing was added.
    with suppress(CommandFailed):
        definitions.add_vendor_ids(ask(context, added))
    return definitions.definitions()


def named_client(context: Context) -> Client:
    """The client that the command names, else the built-in one."""
    client_id = context.arguments.client_id or context.settings.client_id
    client = known_clients(context).get(client_id)
    if client is None:
        raise CommandFailed(f"there is no client {client_id!a}; `alexa-oauth client list` lists them")
    return client


def find_secret(context: Context, client: Client) -> ClientSecret:
    """The secret of a client, wherever it is."""

    async def show(store: SqliteStore) -> str | None:
        return store.read(lambda tx: tx.clients.show_secret(client.client_id))

    found = configured_secret(context.settings, client)
    if found is None:
        made = ask(context, show)
        found = ClientSecret(made, "the database" if made else "none yet; `alexa-oauth client new-secret` makes one")
    return found
