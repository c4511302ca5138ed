"""What the pages show, carry and allow: to a frame, to a script, to a reader of the next site, to who guesses codes."""

import asyncio
import re
from collections.abc import Mapping
from html import unescape

import pytest

from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import PendingRequest
from alexa_oauth.protocol.sign_in import SignInOutcome, Visitor
from alexa_oauth.web.parts import PARTS
from tests.attacks.verdict import (
    COOKIE,
    NOTHING,
    assert_code,
    assert_consent,
    assert_page,
    assert_sent_back,
    begun,
    define_clients,
    rows,
)
from tests.conftest import StartRig
from tests.rig import CLIENTS, Answer, Rig

HTTPS = {"public_url": "https://oauth.test", "anyone_may_approve": "true"}
WRONG_CODE = "BBBB-BBBB"
SECURE_COOKIE = re.compile(r"__Host-alexa_oauth=([A-Za-z0-9_-]{43}); HttpOnly; Max-Age=600; Path=/; SameSite=Lax; Secure")


async def shown(rig: Rig, name: str) -> Answer:
    browser = rig.browser()
    match name:
        case "consent":
            return await browser.authorize()
        case "wrong-code":
            return await browser.approve(await browser.authorize(), pairing_code=WRONG_CODE)
        case "problem":
            return await browser.authorize("nobody", redirect_uri=None)
        case "refused-answer":
            return await browser.send("POST", "/alexa/approve", {})
        case _:
            return await browser.send("GET", "/")


@pytest.mark.parametrize("page", ["D13-consent", "D13-wrong-code", "D13-problem", "D13-refused-answer", "D13-home"])
async def test_no_page_can_be_framed_scripted_or_kept(start: StartRig, page: str) -> None:
    answer = await shown(await start(sign_in="pairing_code"), page[4:])
    policy = dict(directive.partition(" ")[::2] for directive in answer.headers["Content-Security-Policy"].split("; "))
    style = policy.pop("style-src")
    assert policy == {"default-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'"}
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", style)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("page", ["consent", "wrong-code", "problem", "refused-answer", "home"])
async def test_d14_d15_d16_d27_no_page_tells_loads_or_runs_anything(start: StartRig, page: str) -> None:
    """No `form-action` either: browsers apply it to the redirect after the form, and would stop the way back."""
    answer = await shown(await start(sign_in="pairing_code"), page)
    assert "form-action" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert re.findall(r"<(?:script|link|img|iframe|object|embed|base|a)\b|\b(?:src|href|on[a-z]+|style)=", answer.text) == []
    assert re.findall(r"url\(|@import|https?://", answer.text) == []
    assert re.findall(r'action="([^"]*)"', answer.text) in ([], ["/alexa/approve"])


@pytest.mark.parametrize(("settings", "cookie"), [({}, COOKIE), (HTTPS, SECURE_COOKIE)], ids=["D17-http", "D17-https"])
async def test_the_cookie_is_for_this_server_alone(start: StartRig, settings: dict[str, str], cookie: re.Pattern[str]) -> None:
    rig = await start(**settings)
    browser, page = await begun(rig)
    assert cookie.fullmatch(page.headers["Set-Cookie"])
    assert (await browser.approve(page)).status == 303


async def test_d20_a_client_name_with_markup_is_text(rig: Rig) -> None:
    name = "<b onclick=\"x\">x</b> & 'y'"
    define_clients(rig, {"C1": {**CLIENTS["C1"], "name": name}})
    page = await rig.browser().authorize()
    assert "<b onclick" not in page.text
    assert name in unescape(page.text)


async def test_d24_five_wrong_codes_end_the_request_and_nothing_tells_them_apart(start: StartRig) -> None:
    """Never issued, used up, too old, malformed: the same words. The right code comes too late."""
    rig = await start(sign_in="pairing_code")
    old = await rig.pairing_code()
    rig.clocks.advance(601)
    used = await rig.pairing_code()
    first, first_page = await begun(rig)
    assert_code(await first.approve(first_page, pairing_code=used))
    browser, page = await begun(rig)
    answers = [await browser.approve(page, pairing_code=wrong) for wrong in (WRONG_CODE, used, old, "'; --")]
    for answer in answers:
        assert_consent(answer)
    assert len({re.sub(r"\w+ (try|tries) left", "", answer.text) for answer in answers}) == 1
    left = [re.findall(r"\w+ (?:try|tries) left", answer.text) for answer in answers]
    assert left == [["4 tries left"], ["3 tries left"], ["2 tries left"], ["One try left"]]
    assert_page(await browser.approve(page, pairing_code=WRONG_CODE), Reason.SIGN_IN_EXHAUSTED, 403)
    assert_page(await browser.approve(page), Reason.REQUEST_UNKNOWN, 403)
    assert rows(rig) == {**NOTHING, "codes": 1}


async def test_d26_one_pairing_code_links_one_request_however_close_two_come(
    start: StartRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the code good; the one that is written second finds it spent, and is told so."""
    rig = await start(sign_in="pairing_code")
    sign_in, proved = rig.server.public[PARTS].sign_in, asyncio.Barrier(2)
    prove = sign_in.prove

    async def prove_together(pending: PendingRequest, fields: Mapping[str, str], visitor: Visitor) -> SignInOutcome:
        outcome = await prove(pending, fields, visitor)
        async with proved:
            return outcome

    monkeypatch.setattr(sign_in, "prove", prove_together)
    code = await rig.pairing_code()
    opened = [await begun(rig) for _ in range(2)]
    answers = await asyncio.gather(*(browser.approve(page, pairing_code=code) for browser, page in opened))
    first, second = sorted(answers, key=lambda answer: answer.status)
    assert_code(first)
    assert_page(second, Reason.SIGN_IN_WRONG, 403)
    assert "This sign-in is over" in second.text


async def test_d24_who_guesses_over_many_requests_waits_and_locks_nobody_out(start: StartRig) -> None:
    rig = await start(sign_in="pairing_code")
    guesses = []
    for _ in range(3):
        browser, page = await begun(rig)
        guesses += [await browser.approve(page, pairing_code=WRONG_CODE) for _ in range(4)]
    assert [answer.status for answer in guesses] == [200] * 10 + [429] * 2
    assert int(guesses[-1].headers["Retry-After"]) in range(1, 3_601)
    owner, page = await begun(rig)
    assert_code(await owner.approve(page))


async def test_d28_no_text_of_the_caller_becomes_text_of_ours(rig: Rig) -> None:
    canary = "<b>call-0190-canary</b>"
    for change in ("response_type", "scope", "prompt", "response_mode", "request", "code_challenge_method"):
        changes = {change: f"none {canary}" if change == "prompt" else canary}
        answer = await rig.browser().authorize("C1", error="x", error_description=canary, **changes)
        assert "canary" not in answer.location
        assert answer.body == b""
    page = await rig.browser().authorize("nobody", error_description=canary, error_uri=canary, scope=canary)
    assert_page(page, Reason.CLIENT_UNKNOWN)
    assert "canary" not in page.text


async def test_d29_a_redirect_has_no_fragment_of_ours_and_none_of_the_request(rig: Rig) -> None:
    """A fixed one may be appended, but the registered URI is all that clients expect to get back."""
    browser, page = await begun(rig)
    assert "#" not in (await browser.approve(page)).location
    assert_sent_back(await browser.authorize(response_type="x"), "unsupported_response_type")
