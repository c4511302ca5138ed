"""The registered clients as commands need them, and where the secret of each is."""

import hmac
from dataclasses import dataclass, field

from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.database import ask
from alexa_oauth.cli.owner import become_owner
from alexa_oauth.clients_file import ClientDefinitions, ClientsFileRefused
from alexa_oauth.protocol.credentials import secret_digest
from alexa_oauth.protocol.models import Client
from alexa_oauth.storage.store import SqliteStore


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client's secret in clear, if it has one that this command can show; `where` says where it is, in any case."""

    value: str | None = field(repr=False)
    where: str


def read_definitions(context: Context) -> ClientDefinitions:
    """The clients of settings and file. `CommandFailed`, one line for each fault of the file."""
    become_owner(context.settings.data_dir)
    try:
        return ClientDefinitions(context.settings)
    except ClientsFileRefused as refused:
        raise CommandFailed(*refused.faults, status=context.arguments.misconfigured) from refused


def named_client(context: Context) -> Client:
    """The client that the command names, else the built-in one."""
    client_id = context.arguments.client_id or context.settings.client_id
    client = read_definitions(context).definitions().get(client_id)
    if client is None:
        raise CommandFailed(f"there is no client {client_id!a}; `alexa-oauth client list` lists them")
    return client


def configured_secret(context: Context, client: Client) -> ClientSecret | None:
    """The secret of a client as the operator wrote it down; `None` if the server makes it, in the database."""
    settings = context.settings
    if client.is_public:
        return ClientSecret(None, "none: the client is public, PKCE protects it")
    if not client.secret_digests:
        return None
    if settings.client_secret and hmac.compare_digest(client.secret_digests[0], secret_digest(settings.client_secret)):
        return ClientSecret(settings.client_secret, "the setting client_secret")
    return ClientSecret(None, f"the file {settings.clients_file}")


def find_secret(context: Context, client: Client) -> ClientSecret:
    """The secret of a client, wherever it is."""

    async def show(store: SqliteStore) -> str | None:
        return store.read(lambda tx: tx.clients.show_secret(client.client_id))

    found = configured_secret(context, client)
    if found is None:
        made = ask(context, show)
        found = ClientSecret(made, "the database" if made else "none yet; `alexa-oauth client new-secret` makes one")
    return found
