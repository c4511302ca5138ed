"""Sign-in on Home Assistant's page, against a Core that answers as newer ones do, and as ones do that are in trouble."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.sign_in import home_assistant_core
from alexa_oauth.sign_in.asking import ANSWER_BYTES
from tests.attacks.verdict import assert_code, assert_page, begun, rows
from tests.conftest import StartRig
from tests.rig import Answer, Browser, Rig
from tests.sign_in.core import ANNA, BODO, StandInCore, core_running
from tests.sign_in.standing_in import Handler

METADATA = "/.well-known/oauth-authorization-server"


@pytest.fixture
async def core() -> AsyncIterator[StandInCore]:
    async with core_running(StandInCore()) as core:
        yield core


@pytest.fixture
async def rig(start: StartRig, core: StandInCore) -> Rig:
    return await start(sign_in="home_assistant", home_assistant_url=core.url)


async def back(core: StandInCore, browser: Browser, page: Answer, user: dict[str, Any] = ANNA) -> Answer:
    """Out to Core, where that user signs in, and back."""
    departure = await browser.sign_in(page)
    assert departure.status == 303, departure.text
    return await browser.send("GET", core.sign_in(departure.location, user))


async def refused_sign_in(rig: Rig, core: StandInCore, user: dict[str, Any] = ANNA) -> str:
    """What the page says after a sign-in that led nowhere; Core keeps no token of it, and the request waits on."""
    browser, page = await begun(rig)
    again = await back(core, browser, page, user)
    assert again.status == 200
    assert 'value="sign_in"' in again.text
    assert core.living == {}
    assert rows(rig)["pending_requests"] > 0
    return again.text


async def problem_of(rig: Rig) -> str:
    """What the operator reads."""
    events = await rig.audit(EventName.SIGN_IN_FAILED)
    (event,) = [event for event in events if event.reason is Reason.SIGN_IN_UNAVAILABLE]
    return event.detail["problem"]


def answering(status: int = 200, body: bytes = b"{}", content_type: str = "application/json", **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers, content_type=content_type)

    return answer


@pytest.mark.parametrize("with_pkce", [True, False])
async def test_a_person_signs_in_approves_and_leaves_no_token_behind(rig: Rig, core: StandInCore, *, with_pkce: bool) -> None:
    core.with_pkce = with_pkce
    browser, page = await begun(rig)
    again = await back(core, browser, page)
    assert "Signed in as <strong><bdi>Anna</bdi></strong>" in again.text
    assert [path for path in core.asked if path != METADATA] == ["/auth/token", "/api/websocket", "/auth/revoke"]
    assert ("code_verifier" in core.forms[0]) == with_pkce
    assert core.living == {}
    tokens = (await rig.redeem(assert_code(await browser.approve(again)))).json
    assert (await rig.introspect(tokens["access_token"])).json["sub"] == f"ha:{ANNA['id']}"


async def test_a_stolen_code_is_worth_nothing_without_the_verifier(rig: Rig, core: StandInCore) -> None:
    """RFC 9700 §4.5: the code of one departure beside the state of another, both of this browser."""
    browser, page = await begun(rig)
    stolen = core.sign_in((await browser.sign_in(page)).location)
    departure = await browser.sign_in(page)
    state = core.sign_in(departure.location).partition("&")[2]
    again = await browser.send("GET", f"{stolen.partition('&')[0]}&{state}")
    assert "did not confirm who you are" in again.text


@pytest.mark.parametrize(
    ("approvers", "user", "may"),
    [
        ("admins", ANNA, True),
        ("admins", BODO, False),
        ("everyone", BODO, True),
        (BODO["id"], BODO, True),
        (BODO["id"], ANNA, False),
        (f"{'c' * 32},{ANNA['id']}", ANNA, True),
    ],
)
async def test_who_may_approve(start: StartRig, core: StandInCore, approvers: str, user: dict[str, Any], *, may: bool) -> None:
    rig = await start(sign_in="home_assistant", home_assistant_url=core.url, approvers=approvers)
    browser, page = await begun(rig)
    again = await back(core, browser, page, user)
    assert ("Signed in as" in again.text) == may
    assert (f"{user['name']} may not approve links in this home" in again.text) == (not may)
    assert core.living == {}
    refused = [(event.reason, event.subject) for event in await rig.audit(EventName.SIGN_IN_FAILED)]
    assert refused == ([] if may else [(Reason.NOT_AN_APPROVER, f"ha:{user['id']}")])
    assert (await browser.approve(again)).location.startswith("https://ex.test/cb" if may else core.url)


async def test_an_account_that_home_assistant_does_not_let_in_is_refused(rig: Rig, core: StandInCore) -> None:
    core.disabled.add(str(ANNA["id"]))
    assert "Home Assistant does not let this account in" in await refused_sign_in(rig, core)


@pytest.mark.parametrize(
    ("path", "handler", "problem"),
    [
        ("/auth/token", answering(500), "a code was answered with status 500"),
        ("/auth/token", answering(403, b"{}"), "a code was answered with status 403"),
        ("/auth/token", answering(307, Location="http://127.0.0.1:1/"), "a code was answered with status 307"),
        ("/auth/token", answering(200, b"x" * (ANSWER_BYTES + 1)), "its answer is too large"),
        ("/auth/token", answering(200, b"not json"), "its answer cannot be understood (KeyError)"),
        ("/auth/token", answering(200, b"[]"), "its answer cannot be understood (KeyError)"),
        ("/auth/token", answering(200, b"{}", "text/html"), "its answer cannot be understood (KeyError)"),
        ("/api/websocket", answering(500), "500, Invalid response status"),
        ("/api/websocket", answering(302, Location="http://127.0.0.1:1/"), "it redirects (302), which is not followed"),
        ("/auth/revoke", answering(500), "its token could not be revoked (status 500)"),
    ],
)
async def test_a_core_that_answers_oddly_is_named_and_the_request_waits(
    rig: Rig, core: StandInCore, path: str, handler: Handler, problem: str
) -> None:
    core.instead[path] = handler
    browser, page = await begun(rig)
    again = await back(core, browser, page)
    assert "Home Assistant does not answer at the moment" in again.text
    assert (await problem_of(rig)).startswith(f"{core.url}: {problem}")
    assert core.living == {} or path == "/auth/revoke", "whatever fails after the exchange, its token is revoked"
    core.instead.clear()
    assert_code(await browser.approve(await back(core, browser, again)))


@pytest.mark.parametrize(
    "result",
    [
        {"id": 1, "type": "result", "success": False, "error": {"code": "unknown_command"}},
        {"id": 1, "type": "result", "success": False, "result": ANNA},
        {"id": 1, "type": "result", "success": True, "result": None},
        {"id": 1, "type": "result", "success": True, "result": {**ANNA, "id": "a b"}},
        {"id": 1, "type": "result", "success": True, "result": {**ANNA, "id": None}},
        {"id": 1, "type": "result", "success": True, "result": {"id": ANNA["id"], "name": "Anna"}},
        [],
    ],
    ids=["no success", "failed", "nobody", "odd id", "no id", "no right", "a list"],
)
async def test_a_core_that_does_not_say_who_it_is_signs_nobody_in(rig: Rig, core: StandInCore, result: Any) -> None:  # noqa: ANN401
    async def socket_of(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in ({"type": "auth_required"}, {"type": "auth_ok"}, result):
            await socket.send_json(message)
        await socket.receive()
        return socket

    core.instead["/api/websocket"] = socket_of
    assert "Home Assistant does not answer" in await refused_sign_in(rig, core)


@pytest.mark.parametrize(
    ("name", "shown"), [(None, "Home Assistant user"), (" \n", "Home Assistant user"), ("A\x1b[1m\u202eb", "A[1mb")]
)
async def test_a_name_is_shown_as_far_as_it_can_be(rig: Rig, core: StandInCore, name: str | None, shown: str) -> None:
    browser, page = await begun(rig)
    again = await back(core, browser, page, {**ANNA, "name": name})
    assert f"Signed in as <strong><bdi>{shown}</bdi></strong>" in again.text


async def test_a_core_that_is_down_is_told_of_before_anybody_is_sent_there(start: StartRig) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        rig = await start(sign_in="home_assistant", home_assistant_url=url)
        browser, page = await begun(rig)
        again = await browser.sign_in(page)
    assert "Home Assistant does not answer at the moment. Your request is still waiting" in again.text
    assert 'value="sign_in"' in again.text
    assert "Connect call failed" in await problem_of(rig)


@pytest.mark.parametrize("path", [METADATA, "/auth/token", "/api/websocket", "/auth/revoke"])
async def test_a_core_that_is_slow_is_told_of_after_three_seconds(
    rig: Rig, core: StandInCore, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, page = await begun(rig)
    way_back = core.sign_in((await browser.sign_in(page)).location)
    monkeypatch.setattr(home_assistant_core, "ANSWER_SECONDS", 0.2)
    core.instead[path] = core.hang
    again = await (browser.sign_in(page) if path == METADATA else browser.send("GET", way_back))
    assert "Home Assistant does not answer at the moment" in again.text
    assert "no answer within 0.2 s" in await problem_of(rig)


async def test_a_core_that_is_slow_at_each_question_is_given_up_as_a_whole_and_its_token_is_revoked(
    rig: Rig, core: StandInCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon's app shows an empty browser meanwhile: 8 seconds at most, whatever number of questions it takes."""
    assert home_assistant_core.ANSWERS_SECONDS + home_assistant_core.ANSWER_SECONDS <= 8
    monkeypatch.setattr(home_assistant_core, "ANSWERS_SECONDS", 2.0)
    core.instead["/api/websocket"] = core.hang
    browser, page = await begun(rig)
    again = await back(core, browser, page)
    assert "Home Assistant does not answer at the moment. Your request is still waiting" in again.text
    assert await problem_of(rig) == "Home Assistant: no answer within 2 s"
    assert (len(core.given), core.living) == (2, {})
    core.instead.clear()
    assert_code(await browser.approve(await back(core, browser, again)))


async def test_the_address_inside_is_asked_and_the_browser_goes_to_the_one_outside(start: StartRig, core: StandInCore) -> None:
    outside = "https://home.example"
    rig = await start(sign_in="home_assistant", home_assistant_url=outside, home_assistant_internal_url=core.url)
    browser, page = await begun(rig)
    departure = await browser.sign_in(page)
    assert departure.location.startswith(f"{outside}/auth/authorize?")
    again = await browser.send("GET", core.sign_in(departure.location.replace(outside, core.url)))
    assert_code(await browser.approve(again))


async def test_something_else_at_the_address_is_not_taken_for_home_assistant(rig: Rig, core: StandInCore) -> None:
    core.instead[METADATA] = answering(200, b"<h1>Welcome to nginx!</h1>", "text/html")
    browser, page = await begun(rig)
    assert "Home Assistant does not answer" in (await browser.sign_in(page)).text
    core.instead[METADATA] = answering(404, b"{}")
    await browser.sign_in(page)
    assert await problem_of(rig) == f"{core.url}: it is not Home Assistant"


@pytest.mark.parametrize(
    "answer",
    ["error=access_denied", f"error=x&code={'0' * 32}", "code=", "code=%20", f"code={'x' * 600}", "code=%C3%BC", ""],
    ids=["denied", "error beside a code", "empty", "blank", "long", "umlaut", "nothing"],
)
async def test_an_answer_without_a_usable_code_asks_nobody(rig: Rig, core: StandInCore, answer: str) -> None:
    browser, page = await begun(rig)
    way_back = core.sign_in((await browser.sign_in(page)).location)
    path, _, query = way_back.partition("?")
    again = await browser.send("GET", f"{path}?{answer}&{query.partition('&')[2]}")
    assert "did not confirm who you are. Try again, or choose Deny." in again.text
    assert "/auth/token" not in core.asked
    assert_code(await browser.approve(await back(core, browser, again)))


async def test_after_five_invented_codes_the_request_is_over(
    rig: Rig, core: StandInCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alexa_oauth.sign_in.throttle.FREE_TRIES", 5)
    browser, page = await begun(rig)
    for _ in range(5):
        way_back = core.sign_in((await browser.sign_in(page)).location)
        answer = await browser.send("GET", way_back.replace("code=", "code=f"))
    assert_page(answer, Reason.SIGN_IN_EXHAUSTED, 403)


async def test_nothing_of_home_assistants_is_logged_or_kept(
    rig: Rig, core: StandInCore, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    browser, page = await begun(rig)
    await back(core, browser, page)
    core.instead["/api/websocket"] = answering(500)
    await refused_sign_in(rig, core)
    printed = "".join(capfd.readouterr())
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    secrets = [value for form in core.forms for name, value in form.items() if name in {"code", "code_verifier"}]
    assert len(secrets) == 4
    for secret in (*secrets, f"{2:0128x}", f"{4:0128x}"):
        assert secret not in printed
        assert secret.encode() not in kept


async def test_a_server_that_asks_nobody_makes_no_client(start: StartRig) -> None:
    rig = await start()
    await rig.link()
    assert rig.server.outbound._session is None
