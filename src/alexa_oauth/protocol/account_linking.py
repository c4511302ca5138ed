"""What the Alexa developer console wants to know of a client, under the names that it has there."""

from dataclasses import dataclass, field
from typing import Final

from alexa_oauth.protocol.metadata import AUTHORIZATION_PATH, TOKEN_PATH
from alexa_oauth.protocol.models import Client
from alexa_oauth.protocol.policy import Policy

SECRET_LABEL: Final = "Your Secret"
IGNORED_SECRET: Final = "ignored"
"""What a public client puts where the console insists on a secret."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client's secret in clear, if it has one that can be shown; `where` says where it is, in any case."""

    value: str | None = field(repr=False)
    where: str


@dataclass(frozen=True, slots=True)
class ConsoleField:
    """A field of the console: `values` go into it, `note` says more about them, or stands in their place."""

    label: str
    values: tuple[str, ...] = field(default=(), repr=False)
    note: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it as lines of text."""
        if not self.values or not self.note:
            return self.values or (self.note,)
        return (*self.values[:-1], f"{self.values[-1]}  ({self.note})")


def console_fields(policy: Policy, client: Client, secret: ClientSecret) -> list[ConsoleField]:
    """The fields of the page Account Linking, in its order, each with what belongs there."""
    must = "this client cannot be linked without it" if client.requires_pkce else ""
    return [
        ConsoleField("Authorization Grant Type", ("Auth Code Grant",)),
        ConsoleField("Your Web Authorization URI", (f"{policy.issuer}{AUTHORIZATION_PATH}",)),
        ConsoleField("Access Token URI", (f"{policy.issuer}{TOKEN_PATH}",)),
        ConsoleField("Your Client ID", (client.client_id,)),
        _secret_field(client, secret),
        ConsoleField("Your Authentication Scheme", ("HTTP Basic",)),
        ConsoleField("Scope", client.scopes),
        ConsoleField("Domain List", note="(none)"),
        ConsoleField("Default Access Token Expiration Time", (str(policy.access_token_seconds),)),
        ConsoleField("PKCE", ("on",), must),
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


def _secret_field(client: Client, secret: ClientSecret) -> ConsoleField:
    if client.is_public:
        return ConsoleField(SECRET_LABEL, (IGNORED_SECRET,), "any text will do, the client is public")
    return ConsoleField(SECRET_LABEL, (secret.value,)) if secret.value else ConsoleField(SECRET_LABEL, note=secret.where)
