"""oauth4webapi, openid-client and simple-oauth2: `node/story.mjs` says what each of them goes through."""

from dataclasses import replace
from typing import Any, Final

import pytest

from tests.interop.node_script import findings_of
from tests.interop.person import Person
from tests.interop.registered import (
    EVERYONE,
    INACTIVE,
    PLAIN_REDIRECT_URI,
    Registered,
    check_active,
    check_rotated,
    check_tokens,
)
from tests.running_server import RunningServer

pytestmark = pytest.mark.interop

STRICT: Final = ("oauth4webapi", "openid-client")
DISGUISED: Final = {"forged", "mixedUp", "unissued"}
"""Returns of the browser with another state, with another issuer, and with none."""


@pytest.mark.parametrize("client", EVERYONE, ids=lambda client: client.method)
@pytest.mark.parametrize("library", [*STRICT, "simple-oauth2"])
async def test_a_link_from_its_beginning_to_its_end(
    library: str, client: Registered, server: RunningServer, person: Person
) -> None:
    if library == "openid-client" and not client.is_public:
        # It takes the address of the return for the redirect URI, and cuts off any query.
        client = replace(client, redirect_uri=PLAIN_REDIRECT_URI)
    found = await findings_of(library, client, person, server.url)

    own = {"from": "music"} if "?" in client.redirect_uri else {}
    assert found["returned"] == {**own, "code": found["returned"]["code"], "state": found["state"], "iss": server.url}
    check_tokens(found["tokens"])
    check_rotated(found["tokens"], found["refreshed"])
    check_active(found["active"], client, server.url)
    assert found["inactive"] == [INACTIVE, INACTIVE]

    check_refusal(found["stolen"], library, 400, "invalid_grant")
    assert found["stolen"]["description"] == "PKCE verification failed: code_verifier does not match code_challenge"
    check_refusal(found["dead"], library, 400, "invalid_grant")
    if library in STRICT:
        check_strictness(found)
    if client.method == "client_secret_basic" and library in STRICT:
        check_challenge(found["impostor"], {"scheme": "basic", "parameters": {"realm": "alexa-oauth", "charset": "UTF-8"}})
    elif not client.is_public:
        check_refusal(found["impostor"], library, 401, "invalid_client")


def check_refusal(refusal: dict[str, Any], library: str, status: int, error: str) -> None:
    """A refusal as the library names one that it understood."""
    assert (refusal["status"], refusal["error"]) == (status, error)
    if library in STRICT:
        assert (refusal["name"], refusal["code"]) == ("ResponseBodyError", "OAUTH_RESPONSE_BODY_ERROR")


def check_challenge(refusal: dict[str, Any], challenge: dict[str, Any]) -> None:
    """A `WWW-Authenticate` that the library could take apart."""
    assert (refusal["name"], refusal["status"]) == ("WWWAuthenticateChallengeError", 401)
    assert refusal["challenges"] == [challenge]


def check_strictness(found: dict[str, Any]) -> None:
    """What the careful libraries look at besides: the return of the browser, and how a resource answers."""
    assert {found[name]["code"] for name in DISGUISED} == {"OAUTH_INVALID_RESPONSE"}
    denied = found["denied"]
    assert (denied["name"], denied["error"]) == ("AuthorizationResponseError", "access_denied")
    assert denied["description"] == "The request was denied"
    assert found["subject"] == "local"
    check_challenge(found["useless"], {"scheme": "bearer", "parameters": {"realm": "alexa-oauth", "error": "invalid_token"}})
