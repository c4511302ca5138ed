"""Attacks on the page that asks a person, and on the answer to it (RFC 6749 §10.12 and §10.13, RFC 9700 §4.7 and §4.16)."""

import asyncio

import pytest

from alexa_oauth.protocol.events import EventName, Reason
from tests.attacks.verdict import (
    BEGUN,
    COOKIE,
    NOTHING,
    assert_code,
    assert_consent,
    assert_page,
    begun,
    rows,
    target,
)
from tests.attacks.wire import FORM
from tests.conftest import StartRig
from tests.rig import ISSUER, Answer, Browser, Rig


async def assert_still_waits(rig: Rig, browser: Browser, page: Answer) -> None:
    """No code came of it, and the honest person can still approve."""
    assert rows(rig)["codes"] == 0
    assert_code(await browser.approve(page))


@pytest.mark.parametrize(
    ("csrf", "reason"),
    [
        pytest.param(None, Reason.CSRF_MISMATCH, id="D01-none"),
        pytest.param("", Reason.CSRF_MISMATCH, id="D01-empty"),
        pytest.param("x" * 43, Reason.CSRF_MISMATCH, id="D02-invented"),
        pytest.param("\u00fc" * 43, Reason.CSRF_MISMATCH, id="D02-not-ascii"),
    ],
)
async def test_an_answer_that_does_not_know_the_page_is_refused(rig: Rig, csrf: str | None, reason: Reason) -> None:
    browser, page = await begun(rig)
    form = {"request": page.hidden["request"], "decision": "approve"} | ({} if csrf is None else {"csrf": csrf})
    for decision in ("approve", "deny"):
        assert_page(await browser.send("POST", "/alexa/approve", {**form, "decision": decision}), reason, 403)
    await assert_still_waits(rig, browser, page)


async def test_a_refused_answer_names_the_attempt_that_the_log_names_or_no_reference_at_all(rig: Rig) -> None:
    browser, page = await begun(rig)
    refused = await browser.approve(page, csrf="x" * 43)
    (event,) = await rig.audit(EventName.CONSENT_REFUSED)
    assert event.attempt is not None
    assert f"Reference <code>{event.attempt}</code>" in refused.text
    for nameless in (await browser.send("POST", "/alexa/approve", {}), await rig.send("POST", "/alexa/approve", b"{}")):
        assert "eference" not in nameless.text
        assert "choose to link the account once more" in nameless.text


async def test_d02_d09_each_tab_approves_its_own_request_and_no_other(rig: Rig) -> None:
    browser = rig.browser()
    tabs = [await browser.authorize(state=state, code_challenge=state * 43) for state in "ab"]
    for mine, other in (tabs, tabs[::-1]):
        assert_page(await browser.approve(mine, csrf=other.hidden["csrf"]), Reason.CSRF_MISMATCH, 403)
    stranger, strangers_page = await begun(rig)
    assert_page(await browser.approve(tabs[0], csrf=strangers_page.hidden["csrf"]), Reason.CSRF_MISMATCH, 403)
    for state, tab in zip("ba", tabs[::-1], strict=True):
        assert_code(await browser.approve(tab), state=state)
    assert_code(await stranger.approve(strangers_page))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("Origin", "https://evil.test", id="D04-evil"),
        pytest.param("Origin", f"{ISSUER}.evil.test", id="D04-our-name-goes-on"),
        pytest.param("Origin", ISSUER.replace("http:", "https:"), id="D04-other-scheme"),
        pytest.param("Origin", "http://127.0.0.1:8099", id="D04-other-port"),
        pytest.param("Origin", f"{ISSUER}/", id="D04-with-a-path"),
        pytest.param("Origin", "", id="D04-empty"),
        pytest.param("Origin", "NULL", id="D04-nearly-null"),
        pytest.param("Sec-Fetch-Site", "cross-site", id="D05-cross-site"),
    ],
)
async def test_another_site_cannot_answer_for_the_person(rig: Rig, name: str, value: str) -> None:
    browser, page = await begun(rig)
    for decision in ("approve", "deny"):
        form = {**page.hidden, "decision": decision}
        assert_page(await browser.send("POST", "/alexa/approve", form, **{name: value}), Reason.ORIGIN_FOREIGN, 403)
    assert [event.reason for event in await rig.audit(EventName.CONSENT_REFUSED)] == [Reason.ORIGIN_FOREIGN]
    await assert_still_waits(rig, browser, page)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "null"}, id="D04-null-as-our-own-policy-makes-it"),
        pytest.param({"Origin": ISSUER, "Sec-Fetch-Site": "same-origin"}, id="D04-our-own"),
        pytest.param({"Origin": "null", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}, id="D05-same-origin"),
        pytest.param({"Sec-Fetch-Site": "none"}, id="D05-by-hand"),
    ],
)
async def test_our_own_page_can_answer(rig: Rig, headers: dict[str, str]) -> None:
    browser, page = await begun(rig)
    assert_code(await browser.send("POST", "/alexa/approve", {**page.hidden, "decision": "approve"}, **headers))


@pytest.mark.parametrize("method", ["D06-GET", "D06-HEAD", "D06-PUT", "D06-DELETE", "D06-OPTIONS"])
async def test_only_a_form_can_approve(rig: Rig, method: str) -> None:
    browser, page = await begun(rig)
    query = f"request={page.hidden['request']}&csrf={page.hidden['csrf']}&decision=approve"
    answer = await browser.send(method[4:], f"/alexa/approve?{query}")
    assert (answer.status, answer.headers["Allow"], "Location" in answer.headers) == (405, "POST", False)
    assert rows(rig) == BEGUN
    in_the_query = await rig.send(
        "POST", f"/alexa/approve?{query}", b"", {**FORM, "Cookie": f"alexa_oauth={browser.cookies['alexa_oauth']}"}
    )
    assert_page(in_the_query, Reason.PARAMETER_MALFORMED)
    await assert_still_waits(rig, browser, page)


async def test_d07_d08_d25_what_was_asked_stands_on_the_server_and_not_in_the_form(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.authorize(scope="music.read")
    assert ("See your music" in page.text, "Play music" in page.text) == (True, False)
    evil = "https://evil.test/"
    answer = await browser.approve(
        page,
        client_id="C2",
        redirect_uri=evil,
        scope="music.read music.control",
        state="evil",
        code_challenge="e" * 43,
        subject="ha:admin",
        next=evil,
        return_to=evil,
    )
    tokens = (await rig.redeem(assert_code(answer))).json
    assert tokens["scope"] == "music.read"
    described = (await rig.introspect(tokens["access_token"])).json
    assert (described["client_id"], described["sub"]) == ("C1", "local")


async def test_d25_an_address_to_return_to_is_not_looked_at(rig: Rig) -> None:
    evil = "https://evil.test/"
    browser = rig.browser()
    page = await browser.send("GET", target(rig, f"&next={evil}&return={evil}&continue={evil}&login_hint={evil}"))
    assert_consent(page)
    assert "evil" not in page.text
    assert_code(await browser.approve(page))


async def test_d10_a_guessed_request_and_one_of_another_person_are_out_of_reach(rig: Rig) -> None:
    browser, page = await begun(rig)
    thief, own = await begun(rig)
    for guessed in ("", "x" * 43, page.hidden["request"][:-1], page.hidden["request"] + "x", page.hidden["request"].swapcase()):
        assert_page(await thief.approve(own, request=guessed), Reason.REQUEST_UNKNOWN, 403)
    stolen = {**page.hidden, "decision": "approve"}
    assert_page(await thief.send("POST", "/alexa/approve", stolen), Reason.BROWSER_MISMATCH, 403)
    assert_page(await rig.browser().send("POST", "/alexa/approve", stolen), Reason.BROWSER_MISMATCH, 403)
    await assert_still_waits(rig, browser, page)


async def test_a_browser_that_keeps_no_cookie_is_told_on_its_own_attempt(rig: Rig) -> None:
    """Else the panel would wait for a person who pressed the button long ago, and say nothing of what hinders them."""
    _, page = await begun(rig)
    refused = await rig.browser().approve(page)
    assert_page(refused, Reason.BROWSER_MISMATCH, 403)
    assert "link on a computer instead" in refused.text, "where cookies are blocked, once more helps nobody"
    (begun_attempt,) = [event.attempt for event in await rig.audit(EventName.AUTHORIZE_REQUEST)]
    assert [event.attempt for event in await rig.audit(EventName.CONSENT_REFUSED)] == [begun_attempt]
    assert f"Reference <code>{begun_attempt}</code>" in refused.text


@pytest.mark.parametrize("seconds", ["D11-600", "D11-86400"])
async def test_a_page_that_waited_ten_minutes_says_how_to_begin_again(rig: Rig, seconds: str) -> None:
    browser, page = await begun(rig)
    rig.clocks.advance(int(seconds[4:]))
    answer = await browser.approve(page)
    assert_page(answer, Reason.REQUEST_EXPIRED)
    assert "choose to link the account once more" in answer.text
    assert rows(rig)["codes"] == 0


async def test_d11_within_ten_minutes_it_can_be_answered(rig: Rig) -> None:
    browser, page = await begun(rig)
    rig.clocks.advance(599)
    assert_code(await browser.approve(page))


async def test_d12_a_session_that_was_swapped_midway_approves_nothing(rig: Rig) -> None:
    """Neither one person's answer with the other's cookie, nor the reverse."""
    alice, her_page = await begun(rig)
    bob, his_page = await begun(rig)
    alice.cookies, bob.cookies = bob.cookies, alice.cookies
    assert_page(await alice.approve(her_page), Reason.BROWSER_MISMATCH, 403)
    assert_page(await bob.approve(his_page), Reason.BROWSER_MISMATCH, 403)
    alice.cookies, bob.cookies = bob.cookies, alice.cookies
    await assert_still_waits(rig, alice, her_page)
    assert_code(await bob.approve(his_page))


async def test_d18_a_planted_cookie_becomes_no_session(start: StartRig) -> None:
    """The cookie names no person: who signed in once must do so again, and who planted it still lacks page and code."""
    rig = await start(sign_in="pairing_code")
    browser = rig.browser()
    browser.cookies["alexa_oauth"] = "A" * 43
    assert_code(await browser.approve(await browser.authorize()))
    page = await browser.authorize()
    assert 'name="pairing_code"' in page.text
    asked_again = await browser.approve(page, pairing_code="")
    assert_consent(asked_again)
    assert "Set-Cookie" not in asked_again.headers
    attacker = Browser(rig, {"alexa_oauth": "A" * 43})
    assert_page(await attacker.approve(page, csrf="x" * 43), Reason.CSRF_MISMATCH, 403)


@pytest.mark.parametrize("planted", ["D18-short", "D18-" + "A" * 44, "D18-" + "A" * 42 + "=", "D18-" + "\u00e9" * 43])
async def test_a_cookie_that_is_not_ours_is_replaced(rig: Rig, planted: str) -> None:
    browser = rig.browser()
    browser.cookies["alexa_oauth"] = planted[4:]
    page = await browser.authorize()
    assert COOKIE.fullmatch(page.headers["Set-Cookie"])
    assert_code(await browser.approve(page))


@pytest.mark.parametrize("decision", ["D19-approve", "D19-deny"])
async def test_no_redirect_after_the_form_repeats_the_form(rig: Rig, decision: str) -> None:
    browser, page = await begun(rig)
    answer = await browser.approve(page, decision=decision[4:])
    assert (answer.status, answer.body) == (303, b"")


@pytest.mark.parametrize("client_id", ["D22-C1", "D22-P1", "D22-alexa"])
async def test_nothing_is_remembered_and_everybody_is_asked_each_time(rig: Rig, client_id: str) -> None:
    browser, page = await begun(rig, client_id[4:])
    assert (await browser.approve(page)).status == 303
    assert_consent(await browser.authorize(client_id[4:]))


async def test_d26_the_same_page_gives_one_code_however_often_it_is_sent(rig: Rig) -> None:
    browser, page = await begun(rig)
    answers = await asyncio.gather(*(browser.approve(page) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [303] + [403] * 19
    assert_page(await browser.approve(page), Reason.REQUEST_UNKNOWN, 403)
    assert rows(rig) == {**NOTHING, "codes": 1}
