"""What the server says of itself is what it does, and nobody but the operator decides it (RFC 8414, RFC 9207)."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from alexa_oauth.settings.loading import SettingsRefused, load
from tests.attacks.verdict import assert_code, assert_consent, assert_json, assert_sent_back, begun
from tests.conftest import StartRig
from tests.rig import CLIENTS, ISSUER, SECRETS, VERIFIER, Answer, Rig, basic

PATH = "/.well-known/oauth-authorization-server"
LIES = {
    "Host": "evil.test",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Server": "evil.test",
    "X-Original-URL": "/evil",
    "X-Ingress-Path": "/evil",
    "Forwarded": "host=evil.test;proto=https",
}


async def metadata(rig: Rig) -> dict[str, Any]:
    answer = await rig.send("GET", PATH)
    assert answer.status == 200
    return dict(answer.json)


@pytest.mark.parametrize(
    ("public_url", "issuer"),
    [
        pytest.param(ISSUER, ISSUER, id="J01-loopback"),
        pytest.param("https://oauth.test", "https://oauth.test", id="J01-https"),
        pytest.param("https://oauth.test/", "https://oauth.test", id="J01-slash-behind"),
        pytest.param("https://OAuth.test:443", "https://oauth.test", id="J01-other-spelling"),
        pytest.param("https://oauth.test:8443", "https://oauth.test:8443", id="J01-port"),
    ],
)
async def test_the_issuer_is_the_configured_one_whatever_the_caller_says(start: StartRig, public_url: str, issuer: str) -> None:
    rig = await start(public_url=public_url, anyone_may_approve="true")
    honest, deceived = await rig.send("GET", PATH), await rig.send("GET", PATH, headers=LIES)
    assert (honest.status, honest.headers["Content-Type"]) == (200, "application/json")
    assert (honest.json["issuer"], deceived.body) == (issuer, honest.body)
    endpoints = {value for name, value in honest.json.items() if name.endswith("_endpoint")}
    paths = {f"/alexa/{endpoint}" for endpoint in ("authorize", "token", "revoke", "introspect")}
    assert endpoints == {issuer + path for path in paths}


@pytest.mark.parametrize(
    "public_url",
    [
        pytest.param("https://oauth.test/alexa", id="J02-path"),
        pytest.param("https://oauth.test?x=1", id="J01-query"),
        pytest.param("https://oauth.test#x", id="J01-fragment"),
        pytest.param("https://user@oauth.test", id="J01-userinfo"),
        pytest.param("http://oauth.test", id="J01-no-tls"),
        pytest.param("http://127.0.0.1.evil.test", id="J01-nearly-loopback"),
    ],
)
def test_what_can_be_no_issuer_stops_the_start(public_url: str) -> None:
    with pytest.raises(SettingsRefused, match="public_url"):
        load({"ALEXA_OAUTH_PUBLIC_URL": public_url}, {})


async def test_j02_who_takes_alexa_for_the_issuers_path_finds_the_same_document(rig: Rig) -> None:
    """An issuer has no path here, but clients that put their endpoint's folder behind the well-known path exist."""
    usual, with_path = await rig.send("GET", PATH), await rig.send("GET", f"{PATH}/alexa")
    assert (with_path.status, with_path.body) == (200, usual.body)
    for other in (f"{PATH}/", f"{PATH}/alexa/", f"{PATH}/other", "/alexa/.well-known/oauth-authorization-server"):
        assert (await rig.send("GET", other)).status == 404


async def test_j03_every_endpoint_that_is_listed_answers(rig: Rig) -> None:
    found = {name: urlsplit(str(value)).path for name, value in (await metadata(rig)).items() if name.endswith("_endpoint")}
    page = await rig.send("GET", found.pop("authorization_endpoint"))
    assert (page.status, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert found.keys() == {"token_endpoint", "revocation_endpoint", "introspection_endpoint"}
    for path in found.values():
        assert (await rig.post(path, "RS", {})).json["error"] == "invalid_request"


async def test_j05_j06_j07_every_redirect_names_the_issuer(start: StartRig) -> None:
    rig = await start(public_url="https://oauth.test", anyone_may_approve="true")
    described = await metadata(rig)
    assert described["authorization_response_iss_parameter_supported"] is True
    browser, page = await begun(rig)
    answers = [
        await browser.approve(page),
        await browser.authorize(response_type="token"),
        await browser.approve(await browser.authorize(), decision="deny"),
    ]
    assert [answer.returned["iss"] for answer in answers] == [described["issuer"]] * 3


@pytest.mark.parametrize("listed", ["J08-grant_types", "J08-scopes", "J08-response_types", "J08-response_modes"])
async def test_what_is_listed_works_and_nothing_else_does(rig: Rig, listed: str) -> None:
    offered = (await metadata(rig))[f"{listed[4:]}_supported"]
    browser = rig.browser()
    match listed[4:]:
        case "grant_types":
            assert offered == ["authorization_code", "refresh_token"]
            tokens = await rig.link()
            assert (await rig.refresh(tokens["refresh_token"])).status == 200
            for other in ("password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code"):
                answer = await rig.post("/alexa/token", "C1", {"grant_type": other, "username": "x", "password": "x"})
                assert_json(answer, 400, "unsupported_grant_type")
        case "scopes":
            for scope in offered:
                tokens = (await rig.redeem(await rig.code(scope=scope))).json
                assert tokens["scope"] == scope
            assert_sent_back(await browser.authorize(scope="openid"), "invalid_scope")
        case "response_types":
            assert offered == ["code"]
            assert_code(await browser.approve(await browser.authorize(response_type="code")))
        case _:
            assert offered == ["query"]
            assert_consent(await browser.authorize(response_mode="query"))


@pytest.mark.parametrize("endpoint", ["J08-token", "J08-revocation", "J08-introspection"])
async def test_each_listed_way_of_client_authentication_works(rig: Rig, endpoint: str) -> None:
    endpoint = endpoint[4:]
    offered = (await metadata(rig))[f"{endpoint}_endpoint_auth_methods_supported"]
    assert set(offered) == {"client_secret_basic", "client_secret_post"} | ({"none"} if endpoint != "introspection" else set())
    for method in ("client_secret_basic", "client_secret_post", "none"):
        answer = await _authenticated(rig, endpoint, method)
        assert (answer.status == 200) == (method in offered), (method, answer.text)


async def test_j09_nobody_takes_this_for_openid(rig: Rig) -> None:
    for path in (
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/.well-known/webfinger",
        f"{PATH}/../openid-configuration",
    ):
        answer = await rig.send("GET", path)
        assert (answer.status, answer.json) == (404, {"error": "not_found"})
    assert (
        not {"jwks_uri", "id_token_signing_alg_values_supported", "userinfo_endpoint", "registration_endpoint"}
        & (await metadata(rig)).keys()
    )


async def test_j10_j12_the_document_is_read_only_and_may_be_kept_a_while(rig: Rig) -> None:
    answer = await rig.send("GET", PATH)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    head = await rig.send("HEAD", PATH)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(answer.body)))
    for method in ("POST", "PUT", "DELETE"):
        refused = await rig.send(method, PATH, b"{}")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    kept = await rig.send("GET", PATH, headers={"If-None-Match": answer.headers["ETag"]})
    assert (kept.status, kept.body, kept.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    assert (await rig.send("GET", PATH, headers={"If-None-Match": '"other"'})).status == 200
    assert json.loads(answer.body) == await metadata(rig)


async def _authenticated(rig: Rig, endpoint: str, method: str) -> Answer:
    """A request that succeeds if the client is believed; without a secret it is the public client's."""
    client_id = "P1" if method == "none" else "RS"
    code = await rig.code(client_id)
    path, form = {
        "token": ("/alexa/token", {"grant_type": "authorization_code", "code": code}),
        "revocation": ("/alexa/revoke", {"token": "x"}),
        "introspection": ("/alexa/introspect", {"token": "x"}),
    }[endpoint]
    if endpoint == "token":
        form |= {
            "redirect_uri": CLIENTS[client_id]["redirect_uris"][0],
            "code_verifier": VERIFIER,
        }
    if method == "client_secret_basic":
        return await rig.post(path, client_id, form, Authorization=basic(client_id, SECRETS[client_id]))
    by_body = {"client_id": client_id} | ({"client_secret": SECRETS[client_id]} if method == "client_secret_post" else {})
    return await rig.post(path, None, {**form, **by_body})
