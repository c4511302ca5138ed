"""What the Alexa developer console wants to know of a client, under the names that it has there."""

from dataclasses import dataclass, field
from typing import Final

from alexa_oauth.protocol.metadata import AUTHORIZATION_PATH, TOKEN_PATH
from alexa_oauth.protocol.models import Client
from alexa_oauth.protocol.policy import Policy

IGNORED_SECRET: Final = "ignored"
"""What a public client puts where the console insists on a secret."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client's secret in clear, if it has one that can be shown; `where` says where it is, in any case."""

    value: str | None = field(repr=False)
    where: str


Value = str | tuple[str, ...]


def console_fields(policy: Policy, client: Client, secret: ClientSecret) -> list[tuple[str, Value]]:
    """The fields of the page Account Linking, in its order, each with what belongs there."""
    shown = f"{IGNORED_SECRET}  (any text will do, the client is public)" if client.is_public else secret.value or secret.where
    must = "on; this client cannot be linked without it" if client.requires_pkce else "on"
    return [
        ("Authorization Grant Type", "Auth Code Grant"),
        ("Your Web Authorization URI", f"{policy.issuer}{AUTHORIZATION_PATH}"),
        ("Access Token URI", f"{policy.issuer}{TOKEN_PATH}"),
        ("Your Client ID", client.client_id),
        ("Your Secret", shown),
        ("Your Authentication Scheme", "HTTP Basic"),
        ("Scope", client.scopes),
        ("Domain List", "(none)"),
        ("Default Access Token Expiration Time", str(policy.access_token_seconds)),
        ("PKCE", must),
    ]


def linking_request(policy: Policy, client: Client, secret: ClientSecret) -> dict[str, object]:
    """The body that the Skill Management API wants. It has no name for the switch of PKCE."""
    value = IGNORED_SECRET if client.is_public else secret.value
    return {
        "accountLinkingRequest": {
            "type": "AUTH_CODE",
            "authorizationUrl": f"{policy.issuer}{AUTHORIZATION_PATH}",
            "accessTokenUrl": f"{policy.issuer}{TOKEN_PATH}",
            "accessTokenScheme": "HTTP_BASIC",
            "clientId": client.client_id,
            **({"clientSecret": value} if value else {}),
            "scopes": list(client.scopes),
            "domains": [],
            "defaultTokenExpirationInSeconds": policy.access_token_seconds,
            "skipOnEnablement": False,
        }
    }
