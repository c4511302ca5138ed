"""What is sent to the authorization endpoint that no honest client sends (RFC 6749 §3.1, §4.1.1)."""

import asyncio
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from alexa_oauth.protocol.events import EventName, Reason
from tests.attacks.verdict import (
    BEGUN,
    EX_URI,
    NOTHING,
    STATE,
    assert_code,
    assert_consent,
    assert_page,
    assert_sent_back,
    define_clients,
    rows,
    target,
)
from tests.attacks.wire import FORM, ask, request
from tests.rig import CLIENTS, Rig

FOUR_LETTERS = " ".join(f"x{number:03}" for number in range(1_000))

SENT_BACK: dict[str, tuple[str, str, tuple[str | None, ...]]] = {
    "A05-no-response_type": ("invalid_request", "response_type", (None, "")),
    "A06-implicit": ("unsupported_response_type", "response_type", ("token",)),
    "A07-hybrid": ("unsupported_response_type", "response_type", ("code token", "code id_token", "id_token", "none")),
    "A09-nearly-code": ("unsupported_response_type", "response_type", ("code ", " code", "code code", "code\n", "CODE")),
    "A11-unknown-scope": (
        "invalid_scope",
        "scope",
        ("admin", "MUSIC.READ", "music.rea music.reads music", "music.read,music.control"),
    ),
    "A13-quoting": ("invalid_scope", "scope", ('music.read "', "music.read \\")),
    "A13-control": (
        "invalid_scope",
        "scope",
        ("music.read \x07", "music.read \x7f", "music.read\tmusic.control", "music.read\n"),
    ),
    "A13-not-ascii": ("invalid_scope", "scope", ("music.read mü", "music.read\xa0music.control", "music.rea\u0501")),
    "A15-a-thousand-tokens": ("invalid_scope", "scope", (FOUR_LETTERS,)),
    "A24-request": ("request_not_supported", "request", ("eyJhbGciOiJub25lIn0.e30.",)),
    "A24-request_uri": ("request_uri_not_supported", "request_uri", ("urn:ietf:params:oauth:request_uri:x", "https://evil.test")),
    "A25-response_mode": ("invalid_request", "response_mode", ("fragment", "form_post", "web_message", "jwt", "QUERY")),
    "A26-prompt": ("login_required", "prompt", ("none", "login none", "none consent")),
}
AS_WITHOUT: dict[str, dict[str, Any]] = {
    "A14-other-order": {"scope": "music.control music.read"},
    "A23-unknown": {"foo": "bar"},
    "A23-credentials": {"client_secret": "x", "code": "x", "error": "x", "iss": "https://evil.test"},
    "A24-empty": {"request": "", "request_uri": ""},
    "A25-query": {"response_mode": "query"},
    "A26-consent": {"prompt": "consent"},
    "A33-brackets": {"scope[0]": "admin", "state[]": "x", "redirect_uri[]": "https://evil.test"},
    "A37-openid": {
        "nonce": "n",
        "claims": '{"a":1}',
        "max_age": "0",
        "login_hint": "<b>",
        "user_locale": "de-DE",
        "display": "popup",
    },
    "A37-resource": {"resource": "https://elsewhere.test", "audience": "x", "access_type": "offline"},
}
ADDRESS = ("client_id", "redirect_uri")
SINGLE = ("response_type", "state", "scope", "code_challenge", "code_challenge_method", "foo")
UNREADABLE = ("%ff", "%c0%af", "%ed%a0%80", "%f5%80%80%80", "a%00", "%zz", "%u0041", "%4", "%")
"""No UTF-8: a lone octet, an overlong form, half a surrogate pair, beyond Unicode. A NUL. Broken escapes."""


async def test_a01_an_honest_request_becomes_a_page_then_a_code_then_tokens(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.authorize()
    assert_consent(page)
    assert rows(rig) == BEGUN
    code = assert_code(await browser.approve(page))
    assert (await rig.redeem(code)).json["scope"] == "music.read music.control"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"client_id": None}, Reason.PARAMETER_MISSING, id="A02-no-client_id"),
        pytest.param({"client_id": ""}, Reason.PARAMETER_MISSING, id="A04-empty-client_id"),
        pytest.param({"client_id": None, "client_id[]": "C1"}, Reason.PARAMETER_MISSING, id="A33-client_id-in-brackets"),
        pytest.param({"client_id": None, "Client_ID": "C1"}, Reason.PARAMETER_MISSING, id="A33-other-case"),
        pytest.param({"client_id": "c1"}, Reason.CLIENT_UNKNOWN, id="A35-other-case"),
        pytest.param({"client_id": "C1 "}, Reason.CLIENT_UNKNOWN, id="A35-space"),
        pytest.param({"client_id": "' OR 1=1 --"}, Reason.CLIENT_UNKNOWN, id="A35-sql"),
        pytest.param({"client_id": "C1;redirect_uri=https://ex.test/cb"}, Reason.CLIENT_UNKNOWN, id="A34-semicolon"),
        pytest.param({"prompt": "none", "redirect_uri": "https://evil.test"}, Reason.REDIRECT_URI_NOT_REGISTERED, id="A27-evil"),
        pytest.param({"prompt": "none", "redirect_uri": None}, Reason.PARAMETER_MISSING, id="A27-none"),
        pytest.param({"prompt": "none", "client_id": "evil"}, Reason.CLIENT_UNKNOWN, id="A27-unknown-client"),
    ],
)
async def test_without_a_known_client_nobody_is_sent_anywhere(rig: Rig, changes: dict[str, str | None], reason: Reason) -> None:
    parameters = {**rig.authorization(), **changes}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items() if value is not None)
    assert_page(await rig.send("GET", f"/alexa/authorize?{query}"), reason)
    assert [event.reason for event in await rig.audit()] == [reason]
    assert rows(rig) == NOTHING


@pytest.mark.parametrize(("error", "name", "values"), SENT_BACK.values(), ids=SENT_BACK)
async def test_what_is_not_offered_goes_back_as_an_error(rig: Rig, error: str, name: str, values: tuple[str | None, ...]) -> None:
    for value in values:
        change: dict[str, Any] = {name: value}
        assert_sent_back(await rig.browser().authorize(**change), error)
    assert rows(rig) == NOTHING


@pytest.mark.parametrize("changes", AS_WITHOUT.values(), ids=AS_WITHOUT)
async def test_what_is_not_known_changes_nothing(rig: Rig, changes: dict[str, Any]) -> None:
    browser = rig.browser()
    page = await browser.authorize(**changes)
    assert_consent(page)
    answer = await rig.redeem(assert_code(await browser.approve(page)))
    assert set(answer.json["scope"].split(" ")) == {"music.read", "music.control"}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A22-{name}-twice") for name in SINGLE])
async def test_a_parameter_that_comes_twice_is_not_believed(rig: Rig, name: str) -> None:
    for value in (rig.authorization(foo="bar")[name], "other", ""):
        answer = await rig.send("GET", target(rig, f"&{name}={quote(value, safe='')}", foo="bar"))
        assert_sent_back(answer, "invalid_request", state=None if name == "state" else STATE)
    assert rows(rig) == NOTHING


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A22-{name}-twice") for name in ADDRESS])
async def test_an_address_that_comes_twice_is_no_address(rig: Rig, name: str) -> None:
    query = target(rig).partition("?")[2]
    for value in (rig.authorization()[name], "C2", "https://evil.test/", ""):
        pair = f"{name}={quote(value, safe='')}"
        for both in (f"{pair}&{query}", f"{query}&{pair}"):
            assert_page(await rig.send("GET", f"/alexa/authorize?{both}"), Reason.PARAMETER_REPEATED)
    assert rows(rig) == NOTHING


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A20-{name}") for name in SINGLE])
async def test_what_cannot_be_read_is_never_replaced_by_something_else(rig: Rig, name: str) -> None:
    without: dict[str, Any] = {name: None}
    for octets in UNREADABLE:
        answer = await rig.send("GET", target(rig, f"&{name}={octets}", **without))
        assert_sent_back(answer, "invalid_request", state=None if name == "state" else STATE)
    assert rows(rig) == NOTHING


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A20-{name}") for name in ADDRESS])
async def test_an_address_that_cannot_be_read_is_no_address(rig: Rig, name: str) -> None:
    parameters = rig.authorization()
    value = quote(parameters.pop(name), safe="")
    query = "&".join(f"{key}={quote(other, safe='')}" for key, other in parameters.items())
    for octets in UNREADABLE:
        answer = await rig.send("GET", f"/alexa/authorize?{query}&{name}={value}{octets}")
        assert_page(answer, Reason.PARAMETER_MALFORMED)
    assert rows(rig) == NOTHING


async def test_a20_a_state_in_naked_octets_is_refused(rig: Rig) -> None:
    body = urlencode(rig.authorization()).encode()
    assert_sent_back(
        await rig.send("POST", "/alexa/authorize", body.replace(b"&state=", b"&state=\xff"), FORM), "invalid_request", state=None
    )
    assert_page(await rig.send("POST", "/alexa/authorize", body.replace(b"=C1", b"=C1\xff"), FORM), Reason.PARAMETER_MALFORMED)
    assert rows(rig) == NOTHING


async def test_a15_ten_thousand_scopes_cost_no_more_than_a_moment(rig: Rig) -> None:
    """As a form, the longest that is read; on the request line the HTTP parser refuses as many without reading them."""
    clock, form = asyncio.get_running_loop().time, {**rig.authorization(), "scope": "x " * 7_900}
    took = []
    for _ in range(5):
        before = clock()
        assert_sent_back(await rig.browser().send("POST", "/alexa/authorize", form), "invalid_scope")
        took.append(clock() - before)
    assert min(took) < 0.05
    answer = await ask(rig, request(f"GET {target(rig, scope='x ' * 10_000)}"))
    assert (answer.status, "Location" in answer.headers, rows(rig)) == (400, False, NOTHING)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("".join(map(chr, range(0x20, 0x7F))) * 6, id="A17-every-visible-character"),
        pytest.param("A.b--c/d+e=f==" * 100, id="A17-over-a-thousand-characters"),
        pytest.param("x\r\nSet-Cookie: x=1\r\n\r\n<script>", id="A18-header-injection"),
        pytest.param('"><img src=x onerror=alert(1)><script>', id="A19-markup"),
        pytest.param("a;scope=admin;client_id=C2", id="A34-semicolon"),
        pytest.param("a&code=evil#fragment?x=%41", id="A17-delimiters"),
        pytest.param("\U0001f3b5 \u202e\x01", id="A17-beyond-ascii"),
    ],
)
async def test_state_comes_back_unchanged_and_is_nowhere_else(rig: Rig, state: str) -> None:
    browser = rig.browser()
    page = await browser.authorize(state=state)
    assert_consent(page)
    assert state not in page.text
    assert escape(state) not in page.text
    answer = await browser.approve(page)
    assert_code(answer, state=state)
    assert "Set-Cookie" not in answer.headers
    assert_sent_back(await browser.authorize(state=state, response_type="token"), "unsupported_response_type", state=state)
    refused = await browser.authorize(state=state, redirect_uri="https://evil.test/")
    assert_page(refused, Reason.REDIRECT_URI_NOT_REGISTERED)
    assert state not in refused.text
    assert escape(state) not in refused.text


async def test_a10_without_a_scope_the_default_is_shown_and_said(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.authorize(scope=None)
    assert page.text.count("<li>") == 2
    assert (await rig.redeem(assert_code(await browser.approve(page)))).json["scope"] == "music.read music.control"


@pytest.mark.parametrize("asked", ["A12-music.read admin", "A12-music.control music.read", "A14-  music.read music.read "])
async def test_more_than_the_client_may_have_is_neither_shown_nor_given(rig: Rig, asked: str) -> None:
    define_clients(rig, {**CLIENTS, "C1": {**CLIENTS["C1"], "scopes": ["music.read"]}})
    browser = rig.browser()
    page = await browser.authorize(scope=asked[4:])
    assert (page.text.count("<li>"), "Play music" in page.text) == (1, False)
    assert (await rig.redeem(assert_code(await browser.approve(page)))).json["scope"] == "music.read"


async def test_a24_no_address_of_a_request_is_ever_fetched(rig: Rig) -> None:
    """Asked last of all, the trap itself shows that it would have noticed."""
    visits: list[str] = []

    async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append("visit")
        writer.close()

    trap = await asyncio.start_server(note, "127.0.0.1", 0)
    port = trap.sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    async with trap:
        assert_sent_back(await rig.browser().authorize(request_uri=address), "request_uri_not_supported")
        assert_page(await rig.browser().authorize(redirect_uri=address), Reason.REDIRECT_URI_NOT_REGISTERED)
        assert_consent(await rig.browser().authorize(jwks_uri=address, logo_uri=address, claims=address))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
    assert visits == ["visit"]


async def test_a28_a_form_does_what_a_query_does(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.send("POST", "/alexa/authorize", rig.authorization())
    assert_consent(page)
    assert_code(await browser.approve(page))
    refused = await browser.send("POST", "/alexa/authorize", rig.authorization(response_type="token"))
    assert_sent_back(refused, "unsupported_response_type")


@pytest.mark.parametrize("query", ["A29-client_id=C2", "A29-client_id=C1", "A29-foo=bar", "A28-state=x"])
async def test_query_and_form_are_never_mixed(rig: Rig, query: str) -> None:
    answer = await rig.browser().send("POST", f"/alexa/authorize?{query[4:]}", rig.authorization())
    assert_page(answer, Reason.PARAMETER_MALFORMED)
    assert rows(rig) == NOTHING


async def test_a31_endpoints_have_no_fragment_and_one_that_is_sent_is_no_parameter(rig: Rig) -> None:
    metadata = (await rig.send("GET", "/.well-known/oauth-authorization-server")).json
    assert [value for name, value in metadata.items() if name.endswith("_endpoint") and {"#", "?"} & set(value)] == []
    answer = await ask(rig, request(f"GET {target(rig, response_type=None)}&foo=x#&response_type=code"))
    assert_sent_back(answer, "invalid_request")


async def test_a34_a_semicolon_separates_nothing(rig: Rig) -> None:
    answer = await rig.send("GET", target(rig, ";response_type=code", response_type=None, state=None, scope="admin"))
    assert_sent_back(answer, "invalid_request", state=None)


async def test_a35_a_client_that_was_deleted_gets_neither_page_nor_code(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.authorize()
    define_clients(rig, {name: client for name, client in CLIENTS.items() if name != "C1"})
    assert_page(await rig.browser().authorize(), Reason.CLIENT_UNKNOWN)
    assert_page(await browser.approve(page), Reason.CLIENT_UNKNOWN)
    assert rows(rig) == BEGUN


async def test_a38_who_denies_is_obeyed_once_and_for_all(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.authorize()
    assert_sent_back(await browser.approve(page, decision="deny"), "access_denied", status=303)
    assert_page(await browser.approve(page), Reason.REQUEST_UNKNOWN, status=403)
    assert (EX_URI in page.text, rows(rig)) == (False, NOTHING)


async def test_a_request_in_no_form_of_ours_is_told_to_the_operator_under_the_reference_that_its_page_shows(rig: Rig) -> None:
    refused = await rig.send("POST", "/alexa/authorize", b"{}", {"Content-Type": "application/json"})
    assert_page(refused, Reason.PARAMETER_MALFORMED, 415)
    (event,) = await rig.audit(EventName.AUTHORIZE_REFUSED)
    assert f"Reference <code>{event.attempt}</code>" in refused.text
