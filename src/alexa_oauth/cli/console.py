"""`alexa-config`: what the Alexa developer console wants to know, under the names that it has there."""

import sys
from collections.abc import Iterator

from alexa_oauth.app import policy_of
from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.definitions import find_secret, named_client
from alexa_oauth.cli.printing import print_fields, print_json
from alexa_oauth.protocol.account_linking import console_fields, linking_request
from alexa_oauth.protocol.alexa import are_all_alexas
from alexa_oauth.protocol.models import Client
from alexa_oauth.settings.table import Settings


def alexa_config(context: Context) -> int:
    """The values for Account Linking, as a list to copy or as JSON for the ASK command line."""
    client = named_client(context)
    missing = [*_missing(context.settings, client)]
    if missing:
        raise CommandFailed(*missing)
    secret, policy = find_secret(context, client), policy_of(context.settings)
    if context.arguments.json:
        print_json(linking_request(policy, client, secret))
        if not client.is_public and secret.value is None:
            print(f"alexa-oauth: clientSecret is left out, add it; it is in {secret.where}", file=sys.stderr)
        return 0
    print("In the developer console, on the page Account Linking of your skill:\n")
    print_fields((field.label, field.lines) for field in console_fields(policy, client, secret))
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
