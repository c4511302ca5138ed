"""RFC 8414: authorization server metadata."""

from functools import partial
from urllib.parse import urlsplit

import pytest

from alexa_oauth.settings.loading import SettingsRefused, load
from tests.conftest import StartRig
from tests.rig import Rig

rfc8414 = partial(pytest.mark.conformance.with_args, "RFC 8414")

PATH = "/.well-known/oauth-authorization-server"
PUBLIC_URL = "https://oauth.test"


@pytest.mark.parametrize("public_url", ["http://oauth.test", "https://oauth.test?x=1", "https://oauth.test#x"])
@rfc8414("2", "The issuer is an https URL without query and fragment")
def test_no_other_issuer_can_be_set(public_url: str) -> None:
    with pytest.raises(SettingsRefused, match="public_url"):
        load({"ALEXA_OAUTH_PUBLIC_URL": public_url}, {})


@rfc8414("2", "issuer, authorization_endpoint, token_endpoint and response_types_supported are REQUIRED")
@rfc8414("2", "scopes_supported is RECOMMENDED")
async def test_what_must_be_told(start: StartRig) -> None:
    rig = await start(public_url=PUBLIC_URL, anyone_may_approve="true")
    document = (await rig.send("GET", PATH)).json
    assert document["issuer"] == PUBLIC_URL
    assert document["authorization_endpoint"] == f"{PUBLIC_URL}/alexa/authorize"
    assert document["token_endpoint"] == f"{PUBLIC_URL}/alexa/token"
    assert document["response_types_supported"] == ["code"]
    assert document["scopes_supported"] == ["music.read", "music.control"]


@rfc8414("2", "What is listed is what works: grants, authentication, proof keys, revocation, introspection")
async def test_what_is_told_is_true(rig: Rig) -> None:
    document = (await rig.send("GET", PATH)).json
    assert document["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post", "none"]
    assert document["introspection_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        answer = await rig.post(urlsplit(document[name]).path, "RS", {})
        assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@rfc8414("3", "The document MUST be at the well-known path of the host, by GET")
@rfc8414("3.2", "It MUST be a 200 of application/json that holds one object")
async def test_where_and_how_the_document_is_told(rig: Rig) -> None:
    answer = await rig.send("GET", PATH)
    assert (answer.status, answer.headers["Content-Type"], type(answer.json)) == (200, "application/json", dict)


@rfc8414("3.2", "A list without elements MUST be left out")
async def test_no_list_is_empty(rig: Rig) -> None:
    assert all((await rig.send("GET", PATH)).json.values())


@rfc8414("3.3", "The issuer told MUST be the one whose path was asked for")
@rfc8414("6.2", "The issuer cannot be changed by who asks, or another server could pose as this one")
async def test_the_issuer_is_the_configured_one(start: StartRig) -> None:
    rig = await start(public_url=PUBLIC_URL, anyone_may_approve="true")
    answer = await rig.send("GET", PATH, headers={"Host": "evil.test", "X-Forwarded-Host": "evil.test"})
    assert answer.json["issuer"] == PUBLIC_URL
    assert "evil" not in answer.text
