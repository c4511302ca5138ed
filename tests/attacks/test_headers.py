"""What every answer carries and what none may carry: caches, types, names, other origins (RFC 6749 §5, RFC 6750 §5.3)."""

import pytest

from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import Reason
from alexa_oauth.settings.loading import SettingsRefused, load
from tests.attacks.verdict import DESCRIPTION, assert_consent, assert_page, target
from tests.attacks.wire import FORM, ask, request
from tests.conftest import StartRig
from tests.rig import SECRETS, Answer, Rig, basic

ORIGIN = {"Origin": "https://evil.test"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
PATHS = (
    "/alexa/authorize",
    "/alexa/approve",
    "/alexa/token",
    "/alexa/revoke",
    "/alexa/introspect",
    "/alexa/verify",
    "/.well-known/oauth-authorization-server",
    "/health",
    "/",
    "/nowhere",
)
CACHES = ("ETag", "Last-Modified", "Expires", "Age")


@pytest.fixture
async def answers(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """One of each kind that programs get, success first."""
    tokens = (await rig.redeem(await rig.code())).json
    found = [
        await rig.redeem(await rig.code()),
        await rig.refresh(tokens["refresh_token"]),
        await rig.introspect(tokens["access_token"]),
        await rig.introspect("x"),
        await rig.revoke("x"),
        await rig.redeem("x"),
        await rig.refresh("x"),
        await rig.redeem(await rig.code(), code_verifier="w" * 43),
        await rig.redeem(await rig.code(), code_verifier=None),
        await rig.redeem(await rig.code(), redirect_uri="https://ex.test/CB"),
        await rig.refresh(tokens["refresh_token"], scope="admin"),
        await rig.refresh(tokens["refresh_token"], scope='"'),
        await rig.introspect("x", "C1"),
        await rig.send("GET", "/alexa/token"),
        await ask(rig, request("POST /alexa/token", {**FORM, "Expect": "x"})),
        await ask(rig, request("POST /alexa/token", {**FORM, "Content-Length": "x"})),
        await ask(rig, request("POST /alexa/token", {**FORM, "Content-Length": "99999"})),
    ]
    for path in ("/alexa/token", "/alexa/revoke", "/alexa/introspect"):
        by_basic = {**FORM, "Authorization": basic("RS", SECRETS["RS"])}
        found += [
            await rig.send("POST", path, b"", FORM),
            await rig.send("POST", path, b"", by_basic),
            await rig.send("POST", path, b"a=b&a=b", by_basic),
            await rig.send("POST", path, b"a=%zz", by_basic),
            await rig.send("POST", path, b"grant_type=refresh_token&client_id=x", FORM),
            await rig.send("POST", path, b"grant_type=refresh_token", {**FORM, "Authorization": "Basic eDp4"}),
            await rig.send("POST", path, b"{}", {"Content-Type": "application/json"}),
            await rig.send("POST", path, b"x", {**FORM, "Content-Encoding": "gzip"}),
        ]
    found += [await rig.refresh("x") for _ in range(4)]
    for fault in (StorageUnavailable(), RuntimeError()):

        def fail(_: object, fault: Exception = fault) -> None:
            raise fault

        monkeypatch.setattr(rig.server.store, "read", fail)
        found += [await rig.redeem("x"), await rig.revoke("x"), await rig.introspect("x")]
    return found


async def test_k01_k09_no_cache_keeps_what_programs_are_told(answers: list[Answer]) -> None:
    assert {answer.status for answer in answers} == {200, 400, 401, 403, 405, 413, 415, 417, 429, 500, 503}
    for answer in answers:
        assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
        assert [name for name in CACHES if name in answer.headers] == []


async def test_k03_json_is_called_json_and_not_sniffed_for_anything_else(answers: list[Answer]) -> None:
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] == "application/json"
        assert isinstance(answer.json if answer.body else {}, dict)


async def test_k08_descriptions_hold_only_what_the_grammar_allows(answers: list[Answer]) -> None:
    described = [answer.json["error_description"] for answer in answers if answer.body and "error_description" in answer.json]
    assert len(set(described)) > 12
    assert [text for text in described if not DESCRIPTION.fullmatch(text)] == []


async def test_k04_no_answer_tells_what_the_server_is_made_of(rig: Rig, answers: list[Answer]) -> None:
    everywhere = [await ask(rig, request(f"{method} {path}")) for path in PATHS for method in ("GET", "POST", "OPTIONS")]
    for answer in (*answers, *everywhere):
        assert answer.headers.get("Server") in {None, "alexa-oauth"}
        assert [name for name in ("X-Powered-By", "Via", "X-AspNet-Version", "X-Runtime") if name in answer.headers] == []
        assert [word for word in ("python", "aiohttp", "sqlite", "Traceback") if word in f"{answer.headers}".lower()] == []


@pytest.mark.parametrize("path", PATHS)
async def test_k06_k10_no_page_of_another_origin_reads_anything(rig: Rig, path: str) -> None:
    """Nothing is allowed to other origins, so nothing differs by origin; pages differ by language alone."""
    preflight = await rig.send("OPTIONS", path, headers=PREFLIGHT)
    assert preflight.status in {404, 405}
    for method in ("GET", "POST"):
        without, foreign = await rig.send(method, path), await rig.send(method, path, headers=ORIGIN)
        for answer in (preflight, without, foreign):
            assert [name for name in answer.headers if name.lower().startswith("access-control-")] == []
            assert answer.headers.get("Vary") in {None, "Accept-Language"}
        if path != "/alexa/approve":
            assert (foreign.status, foreign.headers.keys()) == (without.status, without.headers.keys())


async def test_k13_plain_http_is_for_this_machine_and_for_the_proxy_that_ends_tls(start: StartRig) -> None:
    """By default nobody else reaches the port; what the world reaches must be https, or the server does not start."""
    settings = load({}, {}).settings
    assert (settings.host, settings.admin_host) == ("127.0.0.1", "127.0.0.1")
    for url in ("http://192.0.2.7:8096", "http://oauth.test", "http://127.0.0.1.evil.test", "http://localhost.evil.test"):
        with pytest.raises(SettingsRefused, match=r"public_url.*is not https"):
            load({"ALEXA_OAUTH_PUBLIC_URL": url}, {})
    rig = await start(public_url="https://oauth.test", anyone_may_approve="true")
    page = await rig.send("GET", target(rig), headers={"X-Forwarded-Proto": "http"})
    assert_consent(page)
    assert page.headers["Set-Cookie"].endswith("; Secure")


async def test_k13_without_a_public_address_a_stranger_is_told_what_to_set(start: StartRig) -> None:
    """Whatever else is wrong with the request: that alone, and not which clients there are."""
    rig = await start(public_url="", trusted_proxies="127.0.0.1")
    assert_consent(await rig.send("GET", target(rig)))
    for asked in (
        target(rig),
        target(rig, client_id="nobody"),
        target(rig, redirect_uri="https://evil.test"),
        "/alexa/authorize",
    ):
        refused = await rig.send("GET", asked, headers={"X-Forwarded-For": "198.51.100.7"})
        assert_page(refused, Reason.PUBLIC_URL_UNSET)
