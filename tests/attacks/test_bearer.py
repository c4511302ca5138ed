"""Attacks on the use of a bearer token (RFC 6750), as a reverse proxy asks at /alexa/verify for each request that it guards."""

import json
from urllib.parse import urlencode

import pytest

from alexa_oauth.protocol.events import EventName
from tests.attacks.links import is_refused, rotated
from tests.attacks.wire import ask, request
from tests.conftest import StartRig
from tests.rig import CHALLENGE, CLIENTS, VERIFIER, Answer, Rig

IDENTITY = ("X-OAuth-Subject", "X-OAuth-Client", "X-OAuth-Scope")


def challenge(answer: Answer) -> tuple[int, str]:
    """Status and challenge of a refusal, which says nothing else, names nobody, and sends nobody anywhere."""
    assert (answer.body, answer.headers["Cache-Control"]) == (b"", "no-store")
    assert not {*IDENTITY, "Location"} & answer.headers.keys()
    return answer.status, answer.headers["WWW-Authenticate"]


NO_TOKEN = (401, 'Bearer realm="alexa-oauth"')
INVALID_TOKEN = (401, 'Bearer realm="alexa-oauth", error="invalid_token"')
INVALID_REQUEST = (400, 'Bearer realm="alexa-oauth", error="invalid_request"')


def identity(answer: Answer) -> tuple[str, ...]:
    assert (answer.status, answer.body, answer.headers["Cache-Control"]) == (200, b"", "no-store")
    return tuple(answer.headers[name] for name in IDENTITY)


async def test_q01_a_good_token_names_who_and_what(rig: Rig) -> None:
    tokens = await rig.link()
    assert identity(await rig.verify(tokens["access_token"])) == ("local", "C1", "music.read music.control")
    assert identity(await rig.verify(tokens["access_token"], "?scope=music.read")) == ("local", "C1", "music.read music.control")


@pytest.mark.parametrize("authorization", [None, "", "Basic QzE6eA==", "Digest x", "Bear x", "Token x"])
async def test_q02_without_a_bearer_token_the_challenge_names_no_error(rig: Rig, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    assert challenge(await rig.send("GET", "/alexa/verify", headers=headers)) == NO_TOKEN


@pytest.mark.parametrize("token", ["", "x", "aoa_at_" + "A" * 43, "aoa_rt_" + "A" * 64, "é", "a b", "' OR 1=1 --", "x" * 8_000])
async def test_q03_a_made_up_token_is_invalid(rig: Rig, token: str) -> None:
    assert challenge(await rig.verify(token)) == INVALID_TOKEN


async def test_q03_a_token_is_invalid_from_its_last_second_on(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    rig.clocks.advance(1_799)
    assert (await rig.verify(token)).status == 200
    rig.clocks.advance(1)
    assert challenge(await rig.verify(token)) == INVALID_TOKEN


async def test_q03_the_token_of_a_self_test_opens_nothing_and_ends_after_ten_minutes(start: StartRig) -> None:
    """Its approval asked nobody."""
    rig = await start(self_test="true")
    loopback = {"client_type": "public", "redirect_uris": ["http://localhost/cb"], "auto_approve": True}
    rig.server.settings.clients_file.write_text(json.dumps({**CLIENTS, "T": loopback}))
    await rig.upkeep.reload_clients()
    query = {"response_type": "code", "client_id": "T", "redirect_uri": "http://localhost/cb", "code_challenge": CHALLENGE}
    given = await rig.send("GET", f"/alexa/authorize?{urlencode({**query, 'code_challenge_method': 'S256'})}")
    answer = await rig.redeem(given.returned["code"], "T", redirect_uri="http://localhost/cb", code_verifier=VERIFIER)
    token = answer.json["access_token"]
    assert challenge(await rig.verify(token)) == INVALID_TOKEN
    assert (await rig.introspect(token)).json["sub"] == "self-test"
    rig.clocks.advance(599)
    assert await rig.is_live(token)
    rig.clocks.advance(1)
    assert not await rig.is_live(token)
    assert (await rig.refresh(answer.json["refresh_token"], "T")).refusal == (400, "invalid_grant")


@pytest.mark.parametrize("asked", ["music.control", "music.read music.control", "music.admin", "MUSIC.READ", "music"])
async def test_q04_a_scope_that_was_not_granted_is_forbidden(rig: Rig, asked: str) -> None:
    code = await rig.code(scope="music.read")
    token = (await rig.redeem(code)).json["access_token"]
    answer = await rig.verify(token, f"?{urlencode({'scope': asked})}")
    assert challenge(answer) == (403, f'Bearer realm="alexa-oauth", error="insufficient_scope", scope="{asked}"')


@pytest.mark.parametrize(
    "query", ["scope=a&scope=b", "scope=%zz", 'scope="', "scope=%C3%A9", "scope=a%0d%0ab", "scope=%00", "%ff=1"]
)
async def test_q04_a_scope_that_cannot_be_read_is_no_free_pass(rig: Rig, query: str) -> None:
    token = (await rig.link())["access_token"]
    assert challenge(await rig.verify(token, f"?{query}")) == INVALID_REQUEST


async def test_q05_a_token_in_the_query_is_never_accepted(rig: Rig) -> None:
    """RFC 9700 §4.3.2: queries stand in logs and in histories."""
    token = (await rig.link())["access_token"]
    assert challenge(await rig.send("GET", f"/alexa/verify?access_token={token}")) == NO_TOKEN
    assert challenge(await rig.verify(token, f"?access_token={token}")) == INVALID_REQUEST
    assert (await rig.verify(token)).status == 200


async def test_q06_a_token_in_two_places_is_refused(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    form = {**bearer, "Content-Type": "application/x-www-form-urlencoded"}
    assert challenge(await rig.send("GET", "/alexa/verify", f"access_token={token}".encode(), form)) == INVALID_REQUEST
    twice = f"GET /alexa/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n\r\n"
    assert challenge(await ask(rig, twice.encode())) == INVALID_REQUEST


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer  "])
async def test_q07_the_schemes_name_is_read_in_any_case(rig: Rig, scheme: str) -> None:
    token = (await rig.link())["access_token"]
    assert (await rig.send("GET", "/alexa/verify", headers={"Authorization": f"{scheme}{token}"})).status == 200


FORGED = {
    "X-OAuth-Subject": "ha:admin",
    "X-OAuth-Client": "root",
    "X-OAuth-Scope": "everything",
    "Remote-User": "admin",
    "X-Remote-User-Id": "admin",
    "X-Forwarded-User": "admin",
    "X-Forwarded-Uri": "/public",
    "X-Forwarded-Method": "OPTIONS",
    "X-Original-URL": "/health",
    "X-Rewrite-URL": "/health",
    "X-HTTP-Method-Override": "GET",
    "X-Forwarded-For": "127.0.0.1",
    "Forwarded": "for=127.0.0.1",
}


async def test_q08_q09_q10_what_a_caller_says_of_itself_counts_for_nothing(rig: Rig) -> None:
    """The ready-made proxy files drop these fields as well; that is tried with the proxies themselves."""
    token = (await rig.link())["access_token"]
    rig.headers.update(FORGED)
    assert challenge(await rig.send("GET", "/alexa/verify")) == NO_TOKEN
    assert challenge(await rig.verify("x")) == INVALID_TOKEN
    good = await rig.verify(token)
    assert identity(good) == ("local", "C1", "music.read music.control")
    assert not {"Remote-User", "X-Remote-User-Id", "X-Forwarded-User"} & good.headers.keys()


@pytest.mark.parametrize("kind", ["refresh token", "code", "client secret", "cookie"])
async def test_q11_other_credentials_open_nothing(rig: Rig, kind: str) -> None:
    browser = rig.browser()
    answer = await browser.approve(await browser.authorize())
    tokens = await rig.link()
    other = {
        "refresh token": tokens["refresh_token"],
        "code": answer.returned["code"],
        "client secret": "C1-secret-0123456789abcdef0123456789abcdef",
        "cookie": next(iter(browser.cookies.values())),
    }
    assert challenge(await rig.verify(other[kind])) == INVALID_TOKEN


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "application/json", "*/*"])
async def test_q12_nobody_is_redirected_whatever_they_accept(rig: Rig, accept: str) -> None:
    """A proxy decides what a browser sees; here it is 401, and no address to return to is read from anywhere."""
    query = "?rd=https://evil.test&next=https://evil.test&redirect_uri=https://evil.test"
    answer = await rig.send("GET", f"/alexa/verify{query}", headers={"Accept": accept, "Sec-Fetch-Mode": "navigate"})
    assert challenge(answer) == NO_TOKEN


@pytest.mark.parametrize("revoked", ["access_token", "refresh_token"])
async def test_q13_a_revoked_token_is_refused_from_the_next_request_on(rig: Rig, revoked: str) -> None:
    tokens = await rig.link()
    assert (await rig.verify(tokens["access_token"])).status == 200
    await rig.revoke(tokens[revoked])
    assert challenge(await rig.verify(tokens["access_token"])) == INVALID_TOKEN


async def test_q13_a_token_of_a_grant_that_ended_by_reuse_is_refused_from_the_next_request_on(rig: Rig) -> None:
    spent, _, head = await rotated(rig, "C1", times=2)
    assert (await rig.verify(head["access_token"])).status == 200
    assert await is_refused(rig, spent, "C1")
    assert challenge(await rig.verify(head["access_token"])) == INVALID_TOKEN


@pytest.mark.parametrize(
    "path",
    [
        *("/alexa/verify/", "//alexa/verify", "/alexa//verify", "/alexa/verify/..", "/alexa/./verify/x", "/ALEXA/verify"),
        *("/alexa/verify%2f", "/alexa/verify%00", "/alexa/verify;a=b", "/alexa/%2e%2e/verify", "/alexa/verify/%2e%2e/admin"),
    ],
)
async def test_q14_no_other_spelling_of_the_path_answers(rig: Rig, path: str) -> None:
    """Else a proxy's rule for one spelling could be walked around by another."""
    token = (await rig.link())["access_token"]
    answer = await ask(rig, request(f"GET {path}", {"Authorization": f"Bearer {token}"}))
    assert (answer.status, answer.json) == (404, {"error": "not_found"})


async def test_q15_head_asks_as_get_does_and_nothing_else_asks(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert identity(await rig.send("HEAD", "/alexa/verify", headers=bearer)) == ("local", "C1", "music.read music.control")
    assert (await rig.send("HEAD", "/alexa/verify")).status == 401
    preflight = {"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}
    for method in ("OPTIONS", "POST", "PUT", "DELETE", "PATCH"):
        answer = await rig.send(method, "/alexa/verify", headers={**bearer, **preflight})
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]


async def test_q01_the_first_use_is_noted_once(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    for _ in range(3):
        assert (await rig.verify(token)).status == 200
    assert len(await rig.audit(EventName.TOKEN_USED)) == 1
