"""`alexa-config`: what the Alexa developer console wants to know, under the names that it has there."""

import sys
from collections.abc import Iterator
from typing import Final

from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.definitions import ClientSecret, find_secret, named_client
from alexa_oauth.cli.printing import print_fields, print_json
from alexa_oauth.config import Settings
from alexa_oauth.protocol.alexa import are_all_alexas
from alexa_oauth.protocol.models import Client

_IGNORED_SECRET: Final = "ignored"
"""What a public client puts where the console insists on a secret."""


def alexa_config(context: Context) -> int:
    """The values for Account Linking, as a list to copy or as JSON for the ASK command line."""
    client = named_client(context)
    missing = [*_missing(context.settings, client)]
    if missing:
        raise CommandFailed(*missing)
    secret = find_secret(context, client)
    if context.arguments.json:
        print_json({"accountLinkingRequest": _request(context.settings, client, secret)})
        if not client.is_public and secret.value is None:
            print(f"alexa-oauth: clientSecret is left out, add it; it is in {secret.where}", file=sys.stderr)
        return 0
    print("In the developer console, on the page Account Linking of your skill:\n")
    print_fields(_fields(context.settings, client, secret))
    print("\nUnder Alexa Redirect URLs the page must show these, or vendor_ids is wrong:\n")
    for redirect_uri in client.redirect_uris:
        print(redirect_uri)
    return 0


def _missing(settings: Settings, client: Client) -> Iterator[str]:
    if not (settings.public_url or "").startswith("https://"):
        yield "public_url: set ALEXA_OAUTH_PUBLIC_URL to the https address under which the internet reaches this server"
    if not client.redirect_uris:
        yield "vendor_ids: set ALEXA_OAUTH_VENDOR_IDS to the id that the developer console shows under Settings → My IDs"
    elif not are_all_alexas(client.redirect_uris):
        yield f"{client.client_id} is not Alexa: it has redirect URIs that are not Amazon's"


def _fields(settings: Settings, client: Client, secret: ClientSecret) -> list[tuple[str, str | tuple[str, ...]]]:
    shown = f"{_IGNORED_SECRET}  (any text will do, the client is public)" if client.is_public else secret.value or secret.where
    must = "on; this client cannot be linked without it" if client.requires_pkce else "on"
    return [
        ("Authorization Grant Type", "Auth Code Grant"),
        ("Your Web Authorization URI", f"{settings.public_url}/alexa/authorize"),
        ("Access Token URI", f"{settings.public_url}/alexa/token"),
        ("Your Client ID", client.client_id),
        ("Your Secret", shown),
        ("Your Authentication Scheme", "HTTP Basic"),
        ("Scope", client.scopes),
        ("Domain List", "(none)"),
        ("Default Access Token Expiration Time", str(settings.access_token_seconds)),
        ("PKCE", must),
    ]


def _request(settings: Settings, client: Client, secret: ClientSecret) -> dict[str, object]:
    """The body that the Skill Management API wants. It has no name for the switch of PKCE."""
    value = _IGNORED_SECRET if client.is_public else secret.value
    return {
        "type": "AUTH_CODE",
        "authorizationUrl": f"{settings.public_url}/alexa/authorize",
        "accessTokenUrl": f"{settings.public_url}/alexa/token",
        "accessTokenScheme": "HTTP_BASIC",
        "clientId": client.client_id,
        **({"clientSecret": value} if value else {}),
        "scopes": list(client.scopes),
        "domains": [],
        "defaultTokenExpirationInSeconds": settings.access_token_seconds,
        "skipOnEnablement": False,
    }
