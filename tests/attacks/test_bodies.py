"""Attacks below OAuth: on bodies, request lines, header fields and connections (RFC 9110, RFC 9112)."""

import asyncio
import gzip
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from alexa_oauth.web import forms, runner
from tests.attacks.verdict import NOTHING, assert_json, rows
from tests.attacks.wire import FORM, PATIENCE_SECONDS, ask, request, wire
from tests.conftest import StartRig
from tests.rig import SECRETS, VERIFIER, Rig, basic

CANARY = "canary0190"
BASIC = {"Authorization": basic("C1", SECRETS["C1"])}
ENDPOINTS = ("/alexa/token", "/alexa/revoke", "/alexa/introspect")
TYPE_REFUSED = "Content-Type must be application/x-www-form-urlencoded in UTF-8"
ENCODING_REFUSED = "Content-Encoding is not supported"

FOREIGN_TYPES = {
    "L02-json": "application/json",
    "L02-json-beside-a-form": "application/json; application/x-www-form-urlencoded",
    "L02-text": "text/plain",
    "L02-longer": "application/x-www-form-urlencoded-too",
    "L02-two-in-one": "application/x-www-form-urlencoded, application/json",
    "L03-multipart": 'multipart/form-data; boundary="x"',
    "L04-none": None,
    "L04-empty": "",
    "L07-utf-16": "application/x-www-form-urlencoded; charset=utf-16",
    "L07-latin-1": "application/x-www-form-urlencoded; charset=iso-8859-1",
    "L07-utf-7": "application/x-www-form-urlencoded; charset=utf-7",
    "L07-two-charsets": "application/x-www-form-urlencoded; charset=utf-8; charset=utf-16",
    "L07-boundary": "application/x-www-form-urlencoded; boundary=x",
}
OWN_TYPES = {
    "L05-bare": "application/x-www-form-urlencoded",
    "L05-lower-case": "application/x-www-form-urlencoded; charset=utf-8",
    "L05-upper-case": "application/x-www-form-urlencoded;charset=UTF-8",
    "L05-quoted": 'application/x-www-form-urlencoded; charset="UTF-8"',
    "L05-other-case": "Application/X-WWW-Form-URLEncoded ;",
}
UNREADABLE = {
    "L11-no-hexadecimal": b"%zz",
    "L11-lone-percent": b"%",
    "L11-cut": b"%4",
    "L11-percent-u": b"%u0041",
    "L11-no-utf-8": b"%ff",
    "L11-naked-octet": b"\xff",
    "L11-overlong": b"%c0%af",
    "L11-surrogate": b"%ed%a0%80",
    "L12-nul": b"%00",
    "L12-naked-nul": b"\x00",
    "L12-nul-behind": b"x%00",
}
NOT_HTTP = {
    "L16-two-lengths": request("POST /alexa/token", {**FORM, "Content-Length": "3", "content-length": "10"}, b"canary0190"),
    "L16-two-equal-lengths": request(
        "POST /alexa/token", {**FORM, "Content-Length": "10", "content-length": "10"}, b"canary0190"
    ),
    "L16-length-and-chunks": request(
        "POST /alexa/token", {**FORM, "Content-Length": "10", "Transfer-Encoding": "chunked"}, b"canary0190"
    ),
    "L16-negative-length": request("POST /alexa/token", {**FORM, "Content-Length": "-1"}, b"canary0190"),
    "L16-length-in-words": request("POST /alexa/token", {**FORM, "Content-Length": "canary0190"}),
    "L16-length-with-sign": request("POST /alexa/token", {**FORM, "Content-Length": "+10"}, b"canary0190"),
    "L16-broken-chunk": request("POST /alexa/token", {**FORM, "Transfer-Encoding": "chunked"}, b"canary0190\r\n"),
    "L16-unknown-coding": request("POST /alexa/token", {**FORM, "Transfer-Encoding": "canary0190"}, b"x"),
    "L16-two-types": request("POST /alexa/token", {**FORM, "content-type": "canary0190"}, b"x"),
    "L16-two-hosts": request("GET /health", {"Host": "a", "host": "canary0190"}),
    "L16-folded": request("GET /health", {"X-Folded": "a\r\n canary0190"}),
    "L16-blank-before-colon": request("GET /health", {"X-Canary ": "canary0190"}),
    "L16-nul-in-a-field": request("GET /health", {"X-Canary": "canary0190\0"}),
    "L16-bare-line-feeds": b"GET /health?canary0190 HTTP/1.1\nHost: x\n\n",
    "L16-no-http": b"\x16\x03\x01\x02\x00canary0190\r\n\r\n",
    "L16-http-2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "L16-word": b"canary0190\r\n\r\n",
    "L17-long-field": request("GET /health", {"X-Canary": CANARY * 920}),
    "L17-long-line": request(f"GET /health?{CANARY * 920}"),
    "L17-200-fields": request("GET /health", {f"X-Canary0190-{number}": "x" for number in range(200)}),
    "L19-authority-that-is-none": request("GET http://[canary0190/health"),
}
"""What no two readers of HTTP would read alike, with a word that must not come back."""


async def form(rig: Rig) -> bytes:
    """The body of a valid exchange of a fresh code."""
    fields = {"grant_type": "authorization_code", "code": await rig.code(), "redirect_uri": "https://ex.test/cb"}
    return urlencode({**fields, "code_verifier": VERIFIER}).encode()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "OPTIONS", "PROPFIND"])
async def test_l01_only_post_is_listened_to_and_no_parameter_of_the_url(rig: Rig, method: str) -> None:
    valid = await form(rig)
    for path in ENDPOINTS:
        answer = await rig.send(method, f"{path}?{valid.decode()}", headers=BASIC)
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.body == b"" if method == "HEAD" else answer.json == {"error": "method_not_allowed"}
    assert_json(await rig.send("POST", f"/alexa/token?{valid.decode()}", b"", {**FORM, **BASIC}), 400, "invalid_request")
    assert (await rig.send("POST", "/alexa/token", valid, {**FORM, **BASIC})).status == 200


@pytest.mark.parametrize("content_type", FOREIGN_TYPES.values(), ids=FOREIGN_TYPES)
async def test_what_is_no_form_is_told_the_content_type_that_would_do(rig: Rig, content_type: str | None) -> None:
    """And not that a parameter is missing, which sends a developer the wrong way."""
    valid = await form(rig)
    named = {} if content_type is None else {"Content-Type": content_type}
    for path in ENDPOINTS:
        answer = await ask(rig, request(f"POST {path}", {**BASIC, **named}, valid))
        assert_json(answer, 415, "invalid_request", TYPE_REFUSED)
    assert rows(rig) == {**NOTHING, "codes": 1}


@pytest.mark.parametrize("content_type", OWN_TYPES.values(), ids=OWN_TYPES)
async def test_a_form_is_known_however_its_type_is_written(rig: Rig, content_type: str) -> None:
    answer = await ask(rig, request("POST /alexa/token", {**BASIC, "Content-Type": content_type}, await form(rig)))
    assert answer.status == 200


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        pytest.param("gzip", gzip.compress, id="L08-gzip"),
        pytest.param("GZIP", gzip.compress, id="L08-upper-case"),
        pytest.param("gzip", bytes, id="L08-broken"),
        pytest.param("deflate", bytes, id="L08-deflate"),
        pytest.param("br", bytes, id="L08-br"),
        pytest.param("identity, gzip", gzip.compress, id="L08-twice"),
    ],
)
async def test_no_body_is_unpacked(rig: Rig, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    valid = await form(rig)
    answer = await ask(rig, request("POST /alexa/token", {**FORM, **BASIC, "Content-Encoding": encoding}, compress(valid)))
    assert_json(answer, 415, "invalid_request", ENCODING_REFUSED)
    plain = await ask(rig, request("POST /alexa/token", {**FORM, **BASIC, "Content-Encoding": "identity"}, valid))
    assert plain.status == 200


async def test_l09_a_body_over_16_kib_is_refused_before_it_arrives(rig: Rig) -> None:
    answer = await ask(rig, request("POST /alexa/token", {**FORM, "Content-Length": "16385"}))
    assert_json(answer, 413, "invalid_request")
    full = b"grant_type=x&foo=".ljust(16_384, b"x")
    assert_json(await ask(rig, request("POST /alexa/token", FORM, full)), 400, "unsupported_grant_type")


async def test_l15_chunks_are_read_up_to_the_same_cap(rig: Rig) -> None:
    chunked = {**FORM, **BASIC, "Transfer-Encoding": "chunked"}
    valid = await form(rig)
    pieces = b"".join(b"%x\r\n%s\r\n" % (1, valid[at : at + 1]) for at in range(len(valid)))
    assert (await ask(rig, request("POST /alexa/token", chunked, pieces + b"0\r\n\r\n"))).status == 200
    endless = b"4000\r\n%s\r\n1\r\nx\r\n" % (b"x" * 16_384)
    assert_json(await ask(rig, request("POST /alexa/token", chunked, endless)), 413, "invalid_request")


async def test_l10_neither_many_parameters_nor_a_long_one_cost_more_than_a_refusal(rig: Rig) -> None:
    """A long code is an unknown code: 16 KiB for the whole body is the one cap."""
    for count in (101, 1_001):
        body = b"&".join(b"a%d=b" % number for number in range(count))
        assert_json(await rig.send("POST", "/alexa/token", body, FORM), 400, "invalid_request", "Too many parameters")
    long = "x" * 15 * 1_024
    assert_json(await rig.redeem(long), 400, "invalid_grant")
    assert_json(await rig.refresh(long), 400, "invalid_grant")
    assert_json(await rig.redeem("x", None, client_id=long, client_secret="x"), 401, "invalid_client")
    assert (await rig.redeem(await rig.code(), foo=long)).status == 200


@pytest.mark.parametrize("octets", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_cannot_be_read_is_no_request(rig: Rig, octets: bytes) -> None:
    """In a value or in a name, of a parameter that is needed or of one that is not."""
    valid = await form(rig)
    for body in (valid + octets, valid + b"&foo=" + octets, valid + b"&" + octets + b"=x", octets + b"=x&" + valid):
        answer = await rig.send("POST", "/alexa/token", body, {**FORM, **BASIC})
        assert_json(answer, 400, "invalid_request", "A parameter cannot be read")
    assert (await rig.send("POST", "/alexa/token", valid, {**FORM, **BASIC})).status == 200


@pytest.mark.parametrize("blank", ["L13-+", "L13-%20"])
async def test_plus_and_percent_twenty_are_both_a_blank(rig: Rig, blank: str) -> None:
    token = (await rig.link())["refresh_token"]
    body = f"grant_type=refresh_token&refresh_token={token}&scope=music.read{blank[4:]}music.control".encode()
    answer = await rig.send("POST", "/alexa/token", body, {**FORM, **BASIC})
    assert answer.json["scope"] == "music.read music.control"


@pytest.mark.parametrize("octets", NOT_HTTP.values(), ids=NOT_HTTP)
async def test_what_is_no_http_is_refused_without_an_echo_and_the_connection_closed(rig: Rig, octets: bytes) -> None:
    async with wire(rig) as connection:
        await connection.send(octets)
        answer = await connection.answer()
        assert (answer.status, answer.json) == (400, {"error": "invalid_request"})
        assert await connection.is_closed()
    assert CANARY.encode() not in connection.received.lower()
    assert (await rig.send("GET", "/health")).status == 200


async def test_l18_a_body_that_trickles_in_is_given_up_and_holds_nobody_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "BODY_SECONDS", 0.2)
    async with wire(rig) as slow:
        await slow.send(request("POST /alexa/token", {**FORM, **BASIC, "Content-Length": "100"}))
        for _ in range(3):
            await slow.send(b"x")
            assert (await rig.send("GET", "/health")).status == 200
        assert_json(await slow.answer(), 408, "invalid_request")


@pytest.mark.parametrize("octets", [b"", b"POST /alexa/token HTTP/1.1\r\nX-Dawdle: "], ids=["L18-silent", "L18-head"])
async def test_who_never_comes_to_a_request_is_cut_off(start: StartRig, monkeypatch: pytest.MonkeyPatch, octets: bytes) -> None:
    monkeypatch.setattr(runner, "KEEPALIVE_SECONDS", 0.2)
    async with wire(await start()) as connection:
        await connection.send(octets)
        assert await connection.is_closed()


@pytest.mark.parametrize(
    "headers", [{"Content-Length": "100"}, {"Transfer-Encoding": "chunked"}], ids=["L18-length", "L18-chunks"]
)
async def test_who_hangs_up_amid_a_body_leaves_no_fault_in_the_log(rig: Rig, headers: dict[str, str]) -> None:
    """Else a stranger could fill the log with tracebacks, at the price of a connection each."""
    with capture_logs() as lines:
        async with wire(rig) as connection:
            await connection.send(request("POST /alexa/token", {**FORM, **BASIC, **headers}, b"4\r\na=b&\r\n"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not lines:  # noqa: ASYNC110 - a line in the log is all that is left of the request
                await asyncio.sleep(0)
    assert [(line["event"], line["log_level"], line["status"]) for line in lines] == [("request.answered", "debug", 400)]
