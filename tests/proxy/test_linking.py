"""A whole link through a proxy that ends TLS, as the examples set it up."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.proxy.conftest import Home
from tests.proxy.proxies import HOME
from tests.proxy.visitor import STATE

pytestmark = pytest.mark.proxy

METADATA = "/.well-known/oauth-authorization-server"


async def test_a_link_from_metadata_to_revocation(home: Home) -> None:
    visitor = await home.visitor()
    document = (await visitor.send(METADATA)).json
    issuer = f"https://{HOME}:{home.port}"
    assert document["issuer"] == issuer
    answer = await visitor.approved(await asyncio.to_thread(home.server.pairing_code))
    assert (answer.status, answer.location.startswith("https://ex.test/cb?code=")) == (303, True)
    assert (answer.returned["state"], answer.returned["iss"]) == (STATE, issuer)
    tokens = await visitor.redeemed(answer.returned["code"])
    introspected = await visitor.post(urlsplit(document["introspection_endpoint"]).path, "RS", token=tokens["access_token"])
    assert (introspected.json["active"], introspected.json["iss"]) == (True, issuer)
    refreshed = await visitor.post("/alexa/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refreshed.status == 200
    assert (await visitor.post("/alexa/revoke", token=refreshed.json["refresh_token"])).status == 200
    introspected = await visitor.post("/alexa/introspect", "RS", token=refreshed.json["access_token"])
    assert introspected.json == {"active": False}


async def test_the_browser_is_held_to_https(home: Home) -> None:
    page = await (await home.visitor()).begin()
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-alexa_oauth=")
    assert "; Secure" in cookie


async def test_answers_arrive_as_the_server_gave_them(home: Home) -> None:
    """A proxy that puts an error page of its own in place of ours leaves a developer without the cause."""
    visitor = await home.visitor()
    refused = await visitor.post("/alexa/token", grant_type="refresh_token", refresh_token="none")
    assert refused.refusal == (400, "invalid_grant")
    page = await visitor.begin(redirect_uri="https://evil.test/")
    assert (page.status, "https://evil.test/" in page.text) == (400, True)
    assert page.headers["X-Frame-Options"] == "DENY"
    assert (await visitor.send("/health")).json["status"] == "ok"


async def test_nothing_else_is_reachable(home: Home) -> None:
    visitor = await home.visitor()
    assert "text/html" in (await visitor.send("/")).headers["Content-Type"], "else the doctor would find fault with it"
    paths = ("/metrics", "/open/x", "/alexa/", "/alexa/token/", "//alexa/token", "/alexa/../open/x", "/healthy")
    assert {path: (await visitor.send(path)).status for path in paths} == dict.fromkeys(paths, 404)
