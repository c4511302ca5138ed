"""Attacks below OAuth: on paths, connections, upgrades, and on a server that fails inside (RFC 9110, RFC 9112)."""

import re

import pytest
from structlog.testing import capture_logs

from tests.attacks.verdict import NOTHING, assert_json, assert_sent_back, rows, target
from tests.attacks.wire import FORM, ask, request, wire
from tests.conftest import StartRig
from tests.rig import SECRETS, Rig, basic

CANARY = "canary0190"
BASIC = {"Authorization": basic("C1", SECRETS["C1"])}
KNOWN = {
    "/alexa/authorize": "GET, POST",
    "/alexa/approve": "POST",
    "/alexa/token": "POST",
    "/alexa/revoke": "POST",
    "/alexa/introspect": "POST",
    "/alexa/verify": "GET, HEAD",
    "/.well-known/oauth-authorization-server": "GET, HEAD",
    "/health": "GET, HEAD",
}
NEARLY = (
    "/{0}",
    "{0}/",
    "{0}//",
    "/x/..{0}",
    "/x/%2e%2e{0}",
    "/.{0}",
    "{0}/.",
    "{0};a=b",
    "{0}%2f",
    "/%2f{0}",
    "{0}%00",
    "{0}%20",
    "{0}+",
    "{0}.json",
    "{0}%3fa=b",
    "{0}%23",
    "{0}%0d%0ax:y",
    "{0}%",
    "{0}%zz",
    "{0}\\",
)
FIELDS = (
    "Authorization",
    "Cookie",
    "Content-Type",
    "If-None-Match",
    "Origin",
    "Referer",
    "User-Agent",
    "X-Forwarded-For",
    "Host",
)
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


@pytest.mark.parametrize("path", KNOWN)
async def test_l20_l26_a_path_that_is_nearly_one_of_ours_is_none(rig: Rig, path: str) -> None:
    spelled = (path.upper(), path.title(), path.replace("/", "\\"), path.replace("/", "%2f"))
    for nearly in (*(shape.format(path) for shape in NEARLY), *spelled):
        for method in ("GET", "POST"):
            answer = await ask(rig, request(f"{method} {nearly}?{CANARY}", {**FORM, CANARY: CANARY}))
            known_status = {"not_found": 404, "invalid_request": 400}
            assert answer.status == known_status[answer.json["error"]]
            assert CANARY not in f"{answer.headers}{answer.text}"
    assert rows(rig) == NOTHING


@pytest.mark.parametrize("path", ["L20-/alexa/%74oken", "L20-/%61lexa/token", "L20-/alexa/t%6Fken"])
async def test_a_path_that_is_needlessly_encoded_meets_the_same_checks(rig: Rig, path: str) -> None:
    for number in range(10):
        answer = await rig.post(path[4:], None, {"grant_type": "refresh_token", "client_id": "C1", "client_secret": f"{number}"})
        assert_json(answer, 401, "invalid_client")
    assert_json(await rig.post(path[4:], None, {"grant_type": "refresh_token", "client_id": "x"}), 429, "slow_down")
    assert (await rig.send("GET", path[4:])).status == 405
    assert_json(await rig.send("POST", path[4:], b"{}", {"Content-Type": "application/json"}), 415, "invalid_request")


@pytest.mark.parametrize("path", KNOWN)
async def test_l26_another_method_is_told_which_would_do_and_nothing_is_repeated(rig: Rig, path: str) -> None:
    allowed = KNOWN[path].split(", ")
    for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "M-SEARCH"} - {*allowed}:
        answer = await rig.send(method, f"{path}?{CANARY}", headers={CANARY: CANARY})
        assert (answer.status, answer.headers["Allow"]) == (405, KNOWN[path])
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.body == b"" if method == "HEAD" else answer.json == {"error": "method_not_allowed"}
        assert CANARY not in str(answer.headers)


@pytest.mark.parametrize("name", [f"L17-{name}" for name in FIELDS])
async def test_no_header_field_holds_what_makes_a_fault_of_ours(start: StartRig, name: str) -> None:
    """Octets that are no text, half a quotation, and the longest field that the parser lets through."""
    rig = await start(trusted_proxies="127.0.0.1")
    for value in (
        "\xff\xfe",
        "alexa_oauth=\xff",
        "Basic \xff",
        "Bearer \xff",
        "fe80::7%\xff",
        '"',
        '"\\',
        "\t",
        "%",
        "=;,",
        "x" * 8_000,
    ):
        for line in (f"GET {target(rig)}", *(f"GET {path}" for path in KNOWN), *(f"POST {path}" for path in KNOWN)):
            body = b"grant_type=refresh_token&token=x&csrf=x&decision=deny" if line.startswith("POST") else b""
            answer = await ask(rig, request(line, {**FORM, name[4:]: value}, body))
            assert answer.status < 500, (line, value)


async def test_l19_pipelined_requests_are_answered_in_their_order(rig: Rig) -> None:
    async with wire(rig) as connection:
        await connection.send(request("GET /health") + request("GET /nowhere") + request("POST /alexa/token", FORM))
        assert [(await connection.answer()).status for _ in range(3)] == [200, 404, 400]


async def test_l19_http_1_0_is_answered_and_its_connection_closed(rig: Rig) -> None:
    async with wire(rig) as connection:
        await connection.send(b"GET /health HTTP/1.0\r\n\r\n")
        assert (await connection.answer()).json["status"] == "ok"
        assert await connection.is_closed()


async def test_l19_l21_an_absolute_target_names_another_host_in_vain(rig: Rig) -> None:
    """A proxy forwards such lines; the address of this server comes from its settings alone."""
    answer = await ask(rig, request(f"GET http://evil.test:81{target(rig, response_type='x')}", {"Host": "evil.test"}))
    assert_sent_back(answer, "unsupported_response_type")
    metadata = await ask(rig, request("GET http://evil.test/.well-known/oauth-authorization-server"))
    assert "evil" not in metadata.text


async def test_l24_connection_close_is_obeyed(rig: Rig) -> None:
    async with wire(rig) as connection:
        await connection.send(request("GET /health", {"Connection": "close"}))
        assert (await connection.answer()).status == 200
        assert await connection.is_closed()


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/alexa/token", 405), ("/nowhere", 404)])
async def test_l24_nothing_is_upgraded(rig: Rig, path: str, status: int) -> None:
    for upgrade in (UPGRADE, {**UPGRADE, "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}):
        assert (await ask(rig, request(f"GET {path}", upgrade))).status == status


async def test_l24_who_waits_for_a_sign_to_continue_gets_one(rig: Rig) -> None:
    body = b"grant_type=x"
    async with wire(rig) as connection:
        await connection.send(request("POST /alexa/token", {**FORM, "Expect": "100-continue", "Content-Length": str(len(body))}))
        assert (await connection.answer()).status == 100
        await connection.send(body)
        assert_json(await connection.answer(), 400, "unsupported_grant_type")


@pytest.mark.parametrize("path", ["/alexa/token", "/alexa/authorize", "/health", "/nowhere"])
async def test_l24_l26_another_expectation_is_not_met_and_not_repeated(rig: Rig, path: str) -> None:
    answer = await ask(rig, request(f"POST {path}", {**FORM, "Expect": f"<b>{CANARY}</b>"}))
    assert (answer.status, answer.json) == (417, {"error": "invalid_request"})
    assert CANARY not in f"{answer.headers}{answer.text}"


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        pytest.param("POST", "/alexa/token", {"grant_type": "refresh_token", "refresh_token": CANARY}, id="L25-token"),
        pytest.param("POST", "/alexa/revoke", {"token": CANARY}, id="L25-revoke"),
        pytest.param("POST", "/alexa/introspect", {"token": CANARY}, id="L25-introspect"),
        pytest.param("GET", "/alexa/authorize?client_id=C1&redirect_uri=x", None, id="L25-authorize"),
        pytest.param("POST", "/alexa/approve", {"csrf": "x", "decision": "deny"}, id="L25-approve"),
        pytest.param("GET", "/alexa/verify", None, id="L25-verify"),
    ],
)
async def test_a_fault_of_ours_is_told_by_reference_alone(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, method: str, path: str, form: dict[str, str] | None
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(rig.server.store, "read", fail)
    browser = rig.browser()
    browser.cookies["alexa_oauth"] = "A" * 43
    headers = {"Authorization": "Bearer x"} if path == "/alexa/verify" else BASIC
    with capture_logs() as lines:
        answer = await browser.send(method, path, form, **headers)
    assert_json(answer, 500, "server_error")
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert re.search(r"\b[0-9a-f]{8}$", answer.json["error_description"])
    assert answer.json["error_description"].endswith(line["reference"])
    assert CANARY not in answer.text
    assert "Traceback" not in answer.text
