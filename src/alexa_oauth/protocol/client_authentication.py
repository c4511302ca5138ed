"""Client authentication (RFC 6749 §2.3.1): HTTP Basic, or credentials in the body."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from alexa_oauth.protocol.credentials import secret_digest
from alexa_oauth.protocol.errors import ErrorCode, RequestRefused, missing_parameter
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Client
from alexa_oauth.protocol.ports import Clients

METHODS: Final = ("client_secret_basic", "client_secret_post", "none")
"""RFC 8414 `token_endpoint_auth_methods_supported`."""

FAILED: Final = "Client authentication failed"

_PADDING: Final = " \t\r\n/\u00a0"
"""What comes along when a secret is copied; none of our own begins or ends with any of it."""
_NO_SECRET: Final = secret_digest("")
"""Compared where there is nothing to compare with, so that an unknown client takes as long as a wrong secret."""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a request says of its client: the pairs are the readings of one credential, the raw one first."""

    readings: tuple[tuple[str, str | None], ...] = field(repr=False)
    by_basic: bool


def read_credentials(authorization: str | None, body: Mapping[str, str]) -> ClientCredentials | None:
    """The credentials of a request, or `None` if it names no client.

    `authorization` is the header field as received. Refused: two methods at once (RFC 6749 §2.3), another `client_id` in
    the body, an assertion (RFC 7523), and what cannot be read.
    """
    if "client_assertion" in body or "client_assertion_type" in body:
        raise _refused(Reason.ASSERTION_UNSUPPORTED)
    client_id = body.get("client_id")
    if authorization is None:
        return ClientCredentials(((client_id, body.get("client_secret")),), by_basic=False) if client_id else None
    readings = _read_basic(authorization)
    if "client_secret" in body:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "Use one way of client authentication, not two", Reason.CREDENTIALS_TWICE)
    if client_id is not None and client_id not in {name for name, _ in readings}:
        raise _refused(Reason.CREDENTIALS_TWICE)
    return ClientCredentials(readings, by_basic=True)


def method_of(authorization: str | None, body: Mapping[str, str]) -> str:
    """By which of `METHODS` a request that was not refused names its client."""
    if authorization is not None:
        return "client_secret_basic"
    return "client_secret_post" if "client_secret" in body else "none"


def authenticate(clients: Clients, credentials: ClientCredentials | None) -> Client:
    """The client behind the credentials, or `invalid_client`.

    A public client's secret is not looked at: some consoles insist on sending one, and PKCE is what protects it.
    """
    if credentials is None:
        raise missing_parameter("client_id")
    reason, known_id = Reason.CLIENT_UNKNOWN, None
    for client_id, secret in credentials.readings:
        client = clients.find(client_id)
        if client is not None and client.is_public:
            return client
        known = client.secret_digests if client is not None else ()
        if _matches(secret, known) and client is not None:
            return client
        wrong = _what_is_wrong(secret, known)
        if client is not None:
            reason, known_id = wrong, client_id
    raise _refused(reason).about(client_id=known_id)


def _matches(secret: str | None, known: tuple[bytes, ...]) -> bool:
    """Every known digest is compared, whichever fits; an empty secret fits none."""
    digest = secret_digest(secret or "")
    fits = [hmac.compare_digest(digest, candidate) for candidate in known or (_NO_SECRET,)]
    return bool(secret) and bool(known) and any(fits)


def _what_is_wrong(secret: str | None, known: tuple[bytes, ...]) -> Reason:
    """For the operator alone. The same work whatever the secret and whether the client is known, so that all take as long."""
    padded = _matches((secret or "").strip(_PADDING), known)
    if not secret:
        return Reason.SECRET_MISSING
    return Reason.SECRET_PADDED if padded else Reason.SECRET_WRONG


def _read_basic(authorization: str) -> tuple[tuple[str, str | None], ...]:
    """Both readings of RFC 6749 §2.3.1: many clients forget that id and secret are form-encoded first."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise _refused(Reason.CREDENTIALS_MALFORMED)
    try:
        decoded = base64.b64decode(encoded.strip(" "), validate=True).decode()
    except ValueError as error:  # no ASCII, no base64, or no UTF-8 in it
        raise _refused(Reason.CREDENTIALS_MALFORMED) from error
    client_id, colon, secret = decoded.partition(":")
    if not colon or not client_id:
        raise _refused(Reason.CREDENTIALS_MALFORMED)
    raw = (client_id, secret or None)
    form = (unquote_plus(client_id), unquote_plus(secret) or None)
    return (raw,) if raw == form else (raw, form)


def _refused(reason: Reason) -> RequestRefused:
    return RequestRefused(ErrorCode.INVALID_CLIENT, FAILED, reason)
