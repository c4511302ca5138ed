"""httpx-oauth: its client for OpenID providers, which finds its endpoints itself, and its plain one.

It knows no introspection, makes no verifier and does not read the browser's return: the test does. Public clients it does not
know either; it always sends a secret, as Alexa's console does, and the server looks past it.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from httpx_oauth.clients.openid import OpenID
from httpx_oauth.oauth2 import BaseOAuth2, GetAccessTokenError, OAuth2, OAuth2RequestError, RefreshTokenError, RevokeTokenError

from tests.interop.person import Person
from tests.interop.registered import (
    BASIC,
    INACTIVE,
    POST,
    PUBLIC,
    RESOURCE_SERVER,
    SCOPES,
    Registered,
    check_active,
    check_rotated,
    check_tokens,
)
from tests.rig import CHALLENGE, VERIFIER

pytestmark = pytest.mark.interop

JsonObject = dict[str, Any]
Library = BaseOAuth2[JsonObject]
Make = Callable[[Registered, JsonObject], Library]

STATE = "st/at+e.--="
MADE_UP_SECRET = "whatever-a-form-insists-on"


def openid(client: Registered, metadata: JsonObject) -> Library:
    """Reads the document at the address of RFC 8414, and takes the first method there that it knows: Basic."""
    url = f"{metadata['issuer']}/.well-known/oauth-authorization-server"
    found = OpenID(client.client_id, client.client_secret or MADE_UP_SECRET, url, base_scopes=SCOPES)
    assert found.token_endpoint_auth_method == found.revocation_endpoint_auth_method == "client_secret_basic"
    return found


def plain(client: Registered, metadata: JsonObject) -> Library:
    """Is told everything, and sends its secret in the body."""
    return OAuth2(
        client.client_id,
        client.client_secret or MADE_UP_SECRET,
        metadata["authorization_endpoint"],
        metadata["token_endpoint"],
        metadata["token_endpoint"],
        metadata["revocation_endpoint"],
        base_scopes=SCOPES,
        token_endpoint_auth_method="client_secret_post",
        revocation_endpoint_auth_method="client_secret_post",
    )


MATRIX = [
    pytest.param(openid, BASIC, id="openid-client_secret_basic"),
    pytest.param(plain, POST, id="plain-client_secret_post"),
    pytest.param(openid, PUBLIC, id="openid-none"),
    pytest.param(plain, PUBLIC, id="plain-none"),
]


async def visit(library: Library, client: Registered, person: Person, issuer: str) -> str:
    """The code that comes back from the person's visit."""
    url = await library.get_authorization_url(
        client.redirect_uri, state=STATE, code_challenge=CHALLENGE, code_challenge_method="S256"
    )
    back = await asyncio.to_thread(person.approve, url)
    returned = parse_qs(urlsplit(back).query)
    assert (returned["state"], returned["iss"]) == ([STATE], [issuer])
    return returned["code"][0]


async def introspect(asking: Registered, token: str, metadata: JsonObject) -> JsonObject:
    credentials = (asking.client_id, asking.client_secret or "")
    async with httpx.AsyncClient(auth=credentials) as resource_server:
        answer = await resource_server.post(metadata["introspection_endpoint"], data={"token": token})
    return dict(answer.json())


def error_of(refused: pytest.ExceptionInfo[OAuth2RequestError]) -> str:
    assert refused.value.response is not None
    return str(refused.value.response.json()["error"])


@pytest.mark.parametrize(("make", "client"), MATRIX)
async def test_a_link_from_its_beginning_to_its_end(
    make: Make,
    client: Registered,
    metadata: JsonObject,
    person: Person,
) -> None:
    library = make(client, metadata)
    code = await visit(library, client, person, metadata["issuer"])
    tokens = await library.get_access_token(code, client.redirect_uri, VERIFIER)
    check_tokens(tokens)
    assert not tokens.is_expired()

    refreshed = await library.refresh_token(tokens["refresh_token"])
    check_rotated(tokens, refreshed)
    check_active(await introspect(RESOURCE_SERVER, refreshed["access_token"], metadata), client, metadata["issuer"])

    await library.revoke_token(refreshed["refresh_token"], "refresh_token")
    for name in ("access_token", "refresh_token"):
        assert await introspect(RESOURCE_SERVER, refreshed[name], metadata) == INACTIVE
    with pytest.raises(RefreshTokenError) as refused:
        await library.refresh_token(refreshed["refresh_token"])
    assert error_of(refused) == "invalid_grant"


@pytest.mark.parametrize(("make", "client"), MATRIX)
async def test_a_stolen_code_is_worth_nothing(
    make: Make,
    client: Registered,
    metadata: JsonObject,
    person: Person,
) -> None:
    library = make(client, metadata)
    code = await visit(library, client, person, metadata["issuer"])
    for verifier in (None, VERIFIER[::-1]):
        with pytest.raises(GetAccessTokenError) as refused:
            await library.get_access_token(code, client.redirect_uri, verifier)
        assert error_of(refused) == "invalid_grant"


@pytest.mark.parametrize(("make", "client"), MATRIX[:2])
async def test_a_wrong_secret_is_named_so(
    make: Make,
    client: Registered,
    metadata: JsonObject,
) -> None:
    library = make(Registered(client.method, client.client_id, "not-the-right-secret", client.redirect_uri), metadata)
    with pytest.raises(RefreshTokenError) as refused:
        await library.refresh_token("anything")
    assert error_of(refused) == "invalid_client"
    with pytest.raises(RevokeTokenError) as not_revoked:
        await library.revoke_token("anything")
    assert error_of(not_revoked) == "invalid_client"
