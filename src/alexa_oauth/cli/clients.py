"""`client list`, `client show` and `client new-secret`."""

from alexa_oauth.app import entropy
from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.database import ask
from alexa_oauth.cli.definitions import find_secret, known_clients, named_client
from alexa_oauth.cli.printing import print_fields, print_table
from alexa_oauth.clients.definitions import configured_secret
from alexa_oauth.protocol.credentials import new_client_secret
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.storage.clients import FORMER_SECRET_SECONDS
from alexa_oauth.storage.store import SqliteStore


def list_clients(context: Context) -> int:
    """One line for each client."""
    clients = known_clients(context).values()
    rows = [
        (client.client_id, client.client_type, client.refresh, str(len(client.redirect_uris)), client.name) for client in clients
    ]
    print_table([("CLIENT", "TYPE", "REFRESH", "REDIRECT URIS", "NAME"), *rows])
    return 0


def show(context: Context) -> int:
    """Everything about one client. Its secret is shown too: this is the command that one asks for it."""
    client = named_client(context)
    secret = find_secret(context, client)
    print_fields(
        [
            ("client id", client.client_id),
            ("name", client.name),
            ("type", client.client_type),
            ("secret", secret.value or secret.where),
            ("PKCE", "required" if client.requires_pkce else "optional"),
            ("refresh", client.refresh),
            ("scopes", " ".join(client.scopes)),
            ("redirect URIs", client.redirect_uris or "none; set ALEXA_OAUTH_VENDOR_IDS to the id of your developer account"),
        ]
    )
    return 0


def new_secret(context: Context) -> int:
    """Make and show a new secret of a client whose secret is the server's to make."""
    client = named_client(context)
    configured = configured_secret(context.settings, client)
    if configured is not None:
        why = "has no secret" if client.is_public else f"has its secret in {configured.where}, so change it there"
        raise CommandFailed(f"nothing was changed: {client.client_id} {why}")
    at_once = context.arguments.at_once

    def replace(tx: Transaction) -> str:
        fresh = new_client_secret(entropy)
        tx.clients.replace_secret(client.client_id, fresh, at_once=at_once)
        tx.events.record(
            Event(EventName.CLIENT_SECRET_CHANGED, client_id=client.client_id, detail={"at_once": "yes" if at_once else "no"})
        )
        return fresh

    async def change(store: SqliteStore) -> str:
        return await store.write(replace)

    print(ask(context, change))
    print(_what_next(at_once=at_once))
    return 0


def _what_next(*, at_once: bool) -> str:
    if at_once:
        return "The former secret is refused from now on. Until the developer console has the new one, Alexa gets no new tokens."
    return f"The former secret stays good for {FORMER_SECRET_SECONDS // 86_400} days. Put the new one into the developer console."
