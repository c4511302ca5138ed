"""RFC 9700: the best current practice of security."""

import re
from functools import partial
from html.parser import HTMLParser

import pytest

from alexa_oauth.protocol.events import Reason
from tests.attacks.links import assert_dead, rotated
from tests.attacks.verdict import assert_page, begun, define_clients
from tests.conftest import StartRig
from tests.rig import CLIENTS, Rig

rfc9700 = partial(pytest.mark.conformance.with_args, "RFC 9700")

INVALID_GRANT = (400, "invalid_grant")
METADATA = "/.well-known/oauth-authorization-server"


class Links(HTMLParser):
    """Collects every address that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.found += [value or "" for name, value in attrs if name in {"href", "src", "action", "formaction", "data", "poster"}]


@rfc9700("2.1", "Redirection URIs MUST be matched as exact strings, but for the port of a native application's loopback address")
@rfc9700("4.1.3", "The server MUST make sure that both URIs are equal, without any pattern")
async def test_no_part_of_a_redirect_uri_is_free(rig: Rig) -> None:
    for uri in ("https://ex.test/cb?x=1", "https://ex.test/cb/../cb", "https://sub.ex.test/cb", "https://ex.test/CB"):
        assert_page(await rig.browser().authorize(redirect_uri=uri), Reason.REDIRECT_URI_NOT_REGISTERED)
    assert define_clients(rig, {"C": {**CLIENTS["C1"], "redirect_uris": ["https://*.ex.test/cb"]}}) != ()


@rfc9700("2.1", "A server MUST NOT forward browsers to arbitrary URIs from a query")
@rfc9700("4.11.2", "No redirect MUST happen where client or redirection URI is invalid")
async def test_the_server_is_no_open_redirector(rig: Rig) -> None:
    for parameters in ({"redirect_uri": "https://evil.test/"}, {"redirect_uri": "https://evil.test/", "response_type": "x"}):
        answer = await rig.browser().authorize(**parameters)
        assert (answer.status, "Location" in answer.headers) == (400, False)
    assert "Location" not in (await rig.send("GET", "/?redirect_uri=https://evil.test/&url=https://evil.test/")).headers


@rfc9700("2.1.1", "PKCE MUST be supported, and public clients MUST use it")
async def test_public_clients_use_pkce(rig: Rig) -> None:
    answer = await rig.browser().authorize("P1", code_challenge=None, code_challenge_method=None)
    assert answer.returned["error"] == "invalid_request"
    assert (await rig.redeem(await rig.code("P1"), "P1")).status == 200


@rfc9700("2.1.1", "If a challenge was sent, its verifier MUST be enforced, whoever the client is")
@rfc9700("4.5.3", "A stolen code cannot be injected: it is bound to the transaction in which it was asked for")
async def test_a_confidential_clients_challenge_is_enforced(rig: Rig) -> None:
    code = await rig.code("C1")
    for verifier in (None, "A" * 43):
        assert (await rig.redeem(code, "C1", code_verifier=verifier)).refusal == INVALID_GRANT
    assert (await rig.redeem(code, "C1")).status == 200


@rfc9700("2.1.1", "A verifier MUST be accepted only if the authorization request carried a challenge")
@rfc9700("4.8.2", "PKCE downgrade: a verifier for a code without a challenge MUST be refused")
async def test_pkce_cannot_be_taken_out_on_the_way(rig: Rig) -> None:
    code = await rig.code("C1", code_challenge=None, code_challenge_method=None)
    assert (await rig.redeem(code, "C1")).refusal == INVALID_GRANT
    assert (await rig.redeem(code, "C1", code_verifier=None)).status == 200


@rfc9700("2.1.1", "Clients MUST be able to learn that PKCE is supported")
@rfc9700("2.6", "The server is RECOMMENDED to publish metadata")
async def test_pkce_is_announced(rig: Rig) -> None:
    document = (await rig.send("GET", METADATA)).json
    assert document["code_challenge_methods_supported"] == ["S256"]


@rfc9700("2.2.2", "Refresh tokens of public clients MUST be bound to their sender or rotate")
@rfc9700("4.14.2", "The use of a rotated refresh token revokes the active one")
async def test_a_rotated_refresh_token_that_comes_again_ends_the_grant(rig: Rig) -> None:
    first, second, third = await rotated(rig, "P1", times=2)
    assert (await rig.refresh(first["refresh_token"], "P1")).refusal == INVALID_GRANT
    await assert_dead(rig, "P1", second, third)


@rfc9700("2.3", "An access token SHOULD carry no more privileges than are needed: its scope is what was approved")
async def test_an_access_token_is_limited_to_its_scope(rig: Rig) -> None:
    token = (await rig.redeem(await rig.code(scope="music.read"))).json["access_token"]
    assert [(await rig.verify(token, f"?scope={scope}")).status for scope in ("music.read", "music.control")] == [200, 403]


@rfc9700("2.5", "Clients SHOULD be authenticated where that is possible")
async def test_a_client_with_a_secret_must_use_it(rig: Rig) -> None:
    assert (await rig.redeem(await rig.code(), None, client_id="C1")).refusal == (401, "invalid_client")


@rfc9700("2.6", "Authorization responses MUST NOT go over unencrypted connections, but to the same machine")
async def test_no_unencrypted_redirect_uri_is_registered(rig: Rig) -> None:
    assert define_clients(rig, {"C": {"client_type": "public", "redirect_uris": ["http://192.0.2.7/cb"]}}) != ()


@rfc9700("2.6", "The authorization endpoint MUST NOT support cross-origin requests")
async def test_no_script_of_another_origin_reads_the_authorization_endpoint(rig: Rig) -> None:
    asked = {"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}
    preflight = await rig.send("OPTIONS", "/alexa/authorize", headers=asked)
    page = await rig.browser().send("GET", "/alexa/authorize", None, Origin="https://evil.test")
    for answer in (preflight, page):
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@rfc9700("4.2.4", "The authorization page SHOULD NOT load or link anything elsewhere, and tells no referrer")
async def test_the_page_leads_nowhere_else(rig: Rig) -> None:
    _, page = await begun(rig)
    links = Links()
    links.feed(page.text)
    assert links.found == ["/alexa/approve"]
    assert not re.search(r"https?://|url\(|@import", page.text.replace("http://www.w3.org/2000/svg", ""))
    assert page.headers["Referrer-Policy"] == "no-referrer"


@rfc9700("4.2.4", "A code MUST be invalidated after its first use; a second use SHOULD revoke what the first one got")
async def test_a_code_from_a_log_is_worth_nothing(rig: Rig) -> None:
    code = await rig.code()
    tokens = (await rig.redeem(code)).json
    rig.clocks.advance(11)
    assert (await rig.redeem(code)).refusal == INVALID_GRANT
    await assert_dead(rig, "C1", tokens)


@rfc9700("4.3.2", "Access tokens MUST NOT be passed in the query of a URL, where browsers keep them")
async def test_a_token_in_a_query_is_not_taken(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    assert (await rig.send("GET", f"/alexa/verify?access_token={token}")).status == 401


@rfc9700("4.4.2", "Against mix-up, every authorization response names its issuer")
async def test_every_authorization_response_names_its_issuer(rig: Rig) -> None:
    browser, page = await begun(rig)
    answers = [await browser.authorize(response_type="x"), await browser.approve(page)]
    assert [answer.returned["iss"] for answer in answers] == [(await rig.send("GET", METADATA)).json["issuer"]] * 2


@pytest.mark.parametrize("decision", ["approve", "deny"])
@rfc9700("4.12", "After a form that may hold credentials 307 MUST NOT be used, and 303 SHOULD be")
async def test_the_way_back_from_the_form_is_a_303(rig: Rig, decision: str) -> None:
    browser, page = await begun(rig)
    assert (await browser.approve(page, decision=decision)).status == 303


@rfc9700("4.13", "What a caller claims in the headers of a proxy MUST NOT be believed")
async def test_nobody_escapes_the_limits_by_a_header(start: StartRig) -> None:
    """The address of the peer counts, or the right-most one that a trusted proxy has not vouched for."""
    rig = await start(trusted_proxies="127.0.0.1")
    answers = []
    for guess in range(11):
        rig.headers["X-Forwarded-For"] = f"198.51.100.{guess}, 203.0.113.9"
        answers.append(await rig.redeem(f"{guess:043}"))
    assert [answer.status for answer in answers] == [400] * 10 + [429]


@rfc9700("4.14.2", "Refresh tokens MUST be bound to the scope that was approved")
async def test_a_refresh_token_gets_no_other_scope(rig: Rig) -> None:
    tokens = (await rig.redeem(await rig.code(scope="music.read"))).json
    assert (await rig.refresh(tokens["refresh_token"], scope="music.control")).refusal == (400, "invalid_scope")


@rfc9700("4.14.2", "Refresh tokens SHOULD expire when they are not used for some time")
async def test_an_idle_refresh_token_expires(rig: Rig) -> None:
    tokens = await rig.link()
    rig.clocks.advance(90 * 86_400)
    tokens = (await rig.refresh(tokens["refresh_token"])).json
    rig.clocks.advance(90 * 86_400 + 1)
    assert (await rig.refresh(tokens["refresh_token"])).refusal == INVALID_GRANT


@rfc9700("4.15.1", "No client SHOULD be able to choose an id by which it is taken for a person")
async def test_a_client_named_like_a_person_is_not_taken_for_one(rig: Rig) -> None:
    """Clients are defined by the operator alone, and subject and client are never the same header field."""
    assert (await rig.send("POST", "/alexa/register", b"{}")).status == 404
    token = (await rig.link())["access_token"]
    answer = await rig.verify(token)
    assert (answer.headers["X-OAuth-Subject"], answer.headers["X-OAuth-Client"]) == ("local", "C1")


@rfc9700("4.16", "Clickjacking MUST be prevented, SHOULD be so by a Content Security Policy, on error pages too")
async def test_no_page_can_be_framed(rig: Rig) -> None:
    _, consent = await begun(rig)
    for page in (consent, await rig.browser().authorize("nobody"), await rig.send("GET", "/")):
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["X-Frame-Options"] == "DENY"
