"""Authlib's `OAuth2Session`, and its validator of metadata.

Authlib parses no refused authorization response, and compares no `iss`: the test looks at both itself.
"""

# Authlib brings no types.
# mypy: disable-error-code="import-untyped"

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import MismatchingStateException
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from authlib.oauth2.rfc9207 import AuthorizationServerMetadata as IssuerMetadata

from tests.interop.conftest import StartServer
from tests.interop.person import TIMEOUT_SECONDS, Person
from tests.interop.registered import (
    BASIC,
    CLIENTS_FILE,
    EVERYONE,
    INACTIVE,
    RESOURCE_SERVER,
    SCOPE,
    Registered,
    check_active,
    check_rotated,
    check_tokens,
)
from tests.running_server import RunningServer

pytestmark = pytest.mark.interop

Untyped = Any


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    """The server as it is by default: the consent page asks for a pairing code."""
    return start_server(CLIENTS_FILE)


@pytest.fixture
def metadata(server: RunningServer) -> Untyped:
    """Found where Authlib says that it is, and valid by its reading of RFC 8414 and RFC 9207."""
    found = requests.get(get_well_known_url(server.url, external=True), timeout=TIMEOUT_SECONDS).json()
    metadata = AuthorizationServerMetadata(found)
    metadata.validate(metadata_classes=[IssuerMetadata])
    assert metadata.issuer == server.url
    return metadata


def session_of(client: Registered, metadata: Untyped) -> Untyped:
    return OAuth2Session(
        client.client_id,
        client.client_secret,
        token_endpoint_auth_method=client.method,
        revocation_endpoint_auth_method=client.method,
        scope=SCOPE,
        redirect_uri=client.redirect_uri,
        code_challenge_method="S256",
        token_endpoint=metadata.token_endpoint,
    )


@pytest.mark.parametrize("client", EVERYONE, ids=lambda client: client.method)
def test_a_link_from_its_beginning_to_its_end(client: Registered, metadata: Untyped, person: Person) -> None:
    session, verifier = session_of(client, metadata), generate_token(64)
    url, state = session.create_authorization_url(metadata.authorization_endpoint, code_verifier=verifier)
    back = person.approve(url)
    assert parse_qs(urlsplit(back).query)["iss"] == [metadata.issuer]

    tokens = dict(session.fetch_token(authorization_response=back, state=state, code_verifier=verifier))
    check_tokens(tokens)
    resource = session.get(f"{metadata.issuer}/alexa/verify")
    assert (resource.status_code, resource.headers["X-OAuth-Client"]) == (200, client.client_id)

    refreshed = dict(session.refresh_token())
    check_rotated(tokens, refreshed)

    asking = session_of(RESOURCE_SERVER, metadata) if client.is_public else session

    def introspect(token: str) -> dict[str, Any]:
        return dict(asking.introspect_token(metadata.introspection_endpoint, token).json())

    check_active(introspect(refreshed["access_token"]), client, metadata.issuer)

    revoked = session.revoke_token(metadata.revocation_endpoint, refreshed["refresh_token"], token_type_hint="refresh_token")
    assert revoked.status_code == 200
    assert [introspect(refreshed[name]) for name in ("access_token", "refresh_token")] == [INACTIVE, INACTIVE]
    with pytest.raises(OAuthError) as refused:
        session.refresh_token(refresh_token=refreshed["refresh_token"])
    assert refused.value.error == "invalid_grant"


@pytest.mark.parametrize("client", EVERYONE, ids=lambda client: client.method)
def test_a_stolen_code_is_worth_nothing(client: Registered, metadata: Untyped, person: Person) -> None:
    session = session_of(client, metadata)
    url, state = session.create_authorization_url(metadata.authorization_endpoint, code_verifier=generate_token(64))
    back = person.approve(url)
    with pytest.raises(OAuthError) as refused:
        session.fetch_token(authorization_response=back, state=state, code_verifier=generate_token(64))
    assert (refused.value.error, refused.value.description.partition(":")[0]) == ("invalid_grant", "PKCE verification failed")
    with pytest.raises(MismatchingStateException):
        session.fetch_token(authorization_response=back, state=f"{state}x", code_verifier=generate_token(64))


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_wrong_secret_is_named_so(method: str, metadata: Untyped) -> None:
    session = session_of(Registered(method, BASIC.client_id, "not-the-right-secret", BASIC.redirect_uri), metadata)
    with pytest.raises(OAuthError) as refused:
        session.refresh_token(refresh_token="anything")
    assert refused.value.error == "invalid_client"
