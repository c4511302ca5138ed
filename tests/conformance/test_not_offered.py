"""What this server does not offer, and how it says so; `choices.py` says why."""

import pytest

from tests.attacks.verdict import assert_consent, assert_sent_back
from tests.rig import SECRETS, Rig, basic

METADATA = "/.well-known/oauth-authorization-server"


@pytest.mark.parametrize("response_type", ["token", "id_token", "code token", "code id_token", "none"])
async def test_response_types_other_than_code(rig: Rig, response_type: str) -> None:
    assert_sent_back(await rig.browser().authorize(response_type=response_type), "unsupported_response_type")


async def test_openid_connect(rig: Rig) -> None:
    assert (await rig.send("GET", "/.well-known/openid-configuration")).status == 404
    assert_sent_back(await rig.browser().authorize(prompt="none"), "login_required")
    answer = await rig.redeem(await rig.code(scope="openid music.read", nonce="n"))
    assert "id_token" not in answer.json


@pytest.mark.parametrize(
    "grant_type",
    [
        "password",
        "client_credentials",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
    ],
)
async def test_other_grant_types(rig: Rig, grant_type: str) -> None:
    answer = await rig.post("/alexa/token", "C1", {"grant_type": grant_type, "username": "someone", "password": "secret"})
    assert answer.refusal == (400, "unsupported_grant_type")


async def test_client_assertions(rig: Rig) -> None:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    answer = await rig.redeem(
        await rig.code(),
        None,
        client_id="C1",
        client_secret=SECRETS["C1"],
        client_assertion="e30.e30.",
        client_assertion_type=kind,
    )
    assert answer.refusal == (401, "invalid_client")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://ex.test/request"}, "request_uri_not_supported"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"),
    ],
)
async def test_request_objects(rig: Rig, changes: dict[str, str], error: str) -> None:
    assert_sent_back(await rig.browser().authorize(**changes), error)


@pytest.mark.parametrize("mode", ["fragment", "form_post", "jwt", "web_message"])
async def test_response_modes_other_than_query(rig: Rig, mode: str) -> None:
    assert_sent_back(await rig.browser().authorize(response_mode=mode), "invalid_request")
    assert_consent(await rig.browser().authorize(response_mode="query"))


async def test_sender_constrained_tokens(rig: Rig) -> None:
    code = await rig.code(dpop_jkt="A" * 43)
    rig.headers["DPoP"] = "e30.e30."
    answer = await rig.redeem(code)
    assert answer.json["token_type"] == "Bearer"
    assert not {"dpop_signing_alg_values_supported", "mtls_endpoint_aliases"} & (await rig.send("GET", METADATA)).json.keys()


async def test_audiences_and_signatures(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    assert "." not in token
    asked = {"Authorization": basic("RS", SECRETS["RS"]), "Accept": "application/token-introspection+jwt"}
    described = await rig.post("/alexa/introspect", None, {"token": token}, **asked)
    assert (described.headers["Content-Type"], "aud" in described.json) == ("application/json", False)
    assert not {"jwks_uri", "signed_metadata"} & (await rig.send("GET", METADATA)).json.keys()


@pytest.mark.parametrize(
    "path", ["/alexa/register", "/alexa/par", "/alexa/device_authorization", "/alexa/userinfo", "/alexa/jwks"]
)
async def test_endpoints_that_do_not_exist(rig: Rig, path: str) -> None:
    assert (await rig.send("POST", path, b"")).status == 404
    assert "registration_endpoint" not in (await rig.send("GET", METADATA)).json


async def test_a_token_in_a_form(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await rig.send("GET", "/alexa/verify", f"access_token={token}".encode(), form)).status == 401
    assert (await rig.send("POST", "/alexa/verify", f"access_token={token}".encode(), form)).status == 405


@pytest.mark.parametrize("path", ["/alexa/token", "/alexa/revoke", "/alexa/introspect", METADATA])
async def test_scripts_of_other_origins(rig: Rig, path: str) -> None:
    asked = {"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "POST", "GET"):
        answer = await rig.send(method, f"{path}?callback=steal", headers=asked)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
        assert b"steal" not in answer.body
