"""Attacks on the way back from another service's sign-in page (RFC 6749 §10.6, §10.12; RFC 9700 §4.2, §4.4, §4.5 and §4.7)."""

import asyncio
from pathlib import Path
from urllib.parse import urlencode

import pytest

from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.sign_in import SignedIn
from tests.attacks.verdict import assert_code, assert_consent, assert_page, begun, rows
from tests.attacks.wire import FORM
from tests.conftest import StartRig
from tests.identity_service import WELCOME, IdentityService, state_of, way_back
from tests.rig import Answer, Browser, Rig, running

PATH = "/alexa/sign-in/home-assistant"


@pytest.fixture
def service() -> IdentityService:
    return IdentityService()


@pytest.fixture
async def rig(start: StartRig, service: IdentityService) -> Rig:
    return await start(elsewhere=service)


async def departed(rig: Rig) -> tuple[Browser, Answer, str]:
    """A browser that was sent to the service, its consent page, and the target by which it comes back."""
    browser, page = await begun(rig)
    return browser, page, way_back(await browser.sign_in(page))


async def assert_can_still_sign_in(rig: Rig, browser: Browser, target: str) -> None:
    """Nobody was signed in by what went before, no code came of it, and the honest browser comes back as if nothing was."""
    assert rows(rig)["codes"] == 0
    again = await browser.send("GET", target)
    assert "Signed in as" in again.text
    assert_code(await browser.approve(again))


async def test_login_csrf_another_browser_is_not_signed_in_with_the_attackers_answer(rig: Rig, service: IdentityService) -> None:
    """The attacker signs in, keeps the answer, and has the victim's browser open it: the victim would link in their name."""
    attacker, _, target = await departed(rig)
    victim, victims_page = await begun(rig)
    for browser in (victim, rig.browser()):
        assert_page(await browser.send("GET", target), Reason.BROWSER_MISMATCH, 403)
    assert service.asked == []
    assert (await victim.approve(victims_page)).location.startswith("https://identity.test/"), "still nobody is signed in"
    await assert_can_still_sign_in(rig, attacker, target)


async def test_an_authorization_url_that_was_sent_to_the_owner_signs_nobody_in(rig: Rig, service: IdentityService) -> None:
    """The attacker begins a link of their own Alexa, and sends the owner the service's address: the owner signs in there."""
    attacker, attackers_page, target = await departed(rig)
    owner = rig.browser()
    assert_page(await owner.send("GET", target), Reason.BROWSER_MISMATCH, 403)
    assert service.asked == []
    assert (await rig.audit(EventName.CONSENT_REFUSED))[0].attempt is not None, "it shows on the attempt that it is about"
    assert (await attacker.approve(attackers_page)).location.startswith("https://identity.test/")


async def test_a_state_is_of_one_request_and_one_tab_signs_in_no_other(rig: Rig) -> None:
    browser = rig.browser()
    one, other = await browser.authorize(state="one"), await browser.authorize(state="other")
    target = way_back(await browser.sign_in(one))
    assert "Signed in as" in (await browser.send("GET", target)).text
    assert (await browser.approve(other)).location.startswith("https://identity.test/")
    assert_code(await browser.approve(one), state="one")


async def test_code_injection_a_state_carries_one_code_and_no_second_one(rig: Rig, service: IdentityService) -> None:
    """A stolen code is put beside the state of a browser that came back already (RFC 9700 §4.5)."""
    service.verdicts["stolen"] = SignedIn("test:owner", name="The owner")
    browser, _, target = await departed(rig)
    await browser.send("GET", target.replace(WELCOME, "wrong"))
    again = await browser.send("GET", target.replace(WELCOME, "stolen"))
    assert_consent(again)
    assert "The owner" not in again.text
    assert service.asked == ["wrong"]


async def test_a_replayed_answer_asks_nobody_and_changes_nobody(rig: Rig, service: IdentityService) -> None:
    browser, _, target = await departed(rig)
    answers = await asyncio.gather(*(browser.send("GET", target) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert service.asked == [WELCOME]
    code = await browser.approve(await browser.send("GET", target))
    assert_code(code)
    assert_page(await browser.send("GET", target), Reason.SIGN_IN_OVER, 403)


@pytest.mark.parametrize(
    "state", [None, "", "x" * 43, "x" * 7_000, "\u00fc" * 43, "' OR 1=1 --"], ids=lambda state: str(state)[:5]
)
async def test_a_state_that_was_never_given_out_is_refused(rig: Rig, service: IdentityService, state: str | None) -> None:
    browser, _, target = await departed(rig)
    parameters = {"code": WELCOME} | ({} if state is None else {"state": state})
    assert_page(await browser.send("GET", f"{PATH}?{urlencode(parameters)}"), Reason.SIGN_IN_OVER, 403)
    assert service.asked == []
    await assert_can_still_sign_in(rig, browser, target)


async def test_the_state_of_an_earlier_departure_is_over(rig: Rig, service: IdentityService) -> None:
    browser, page, first = await departed(rig)
    second = way_back(await browser.sign_in(page))
    assert_page(await browser.send("GET", first), Reason.SIGN_IN_OVER, 403)
    assert service.asked == []
    await assert_can_still_sign_in(rig, browser, second)


async def test_mix_up_an_answer_for_one_service_is_not_taken_for_anothers(tmp_path: Path) -> None:
    """The setting changed while the browser was away: what one service was asked, the other must not answer."""
    async with running(tmp_path / "data", {}, elsewhere=IdentityService("amazon")) as rig:
        browser, page = await begun(rig)
        departure = await browser.sign_in(page)
    async with running(tmp_path / "data", {}, elsewhere=(other := IdentityService())) as rig:
        browser.rig = rig
        assert_page(await browser.send("GET", way_back(departure)), Reason.SIGN_IN_OVER, 403)
        assert other.asked == []


async def test_a_request_that_expired_meanwhile_signs_nobody_in(rig: Rig, service: IdentityService) -> None:
    browser, _, target = await departed(rig)
    rig.clocks.advance(600)
    assert_page(await browser.send("GET", target), Reason.REQUEST_EXPIRED)
    assert service.asked == []


async def test_a_request_that_is_denied_while_the_service_is_asked_signs_nobody_in(rig: Rig, service: IdentityService) -> None:
    browser, page, target = await departed(rig)
    service.meanwhile = lambda: browser.approve(page, decision="deny")
    assert_page(await browser.send("GET", target), Reason.REQUEST_UNKNOWN, 403)


async def test_a_request_that_expires_while_the_service_is_asked_signs_nobody_in(rig: Rig, service: IdentityService) -> None:
    async def wait() -> None:
        rig.clocks.advance(600)

    service.meanwhile = wait
    browser, page, target = await departed(rig)
    assert_page(await browser.send("GET", target), Reason.REQUEST_EXPIRED)
    assert_page(await browser.approve(page), Reason.REQUEST_EXPIRED)


@pytest.mark.parametrize("suffix", ["&state=x", "&code=x", "&x=%00", "&x=%ff", "&x=%zz"])
async def test_an_answer_that_can_be_read_in_two_ways_is_not_read(rig: Rig, service: IdentityService, suffix: str) -> None:
    browser, _, target = await departed(rig)
    assert_page(await browser.send("GET", target + suffix), Reason.PARAMETER_MALFORMED)
    assert service.asked == []
    await assert_can_still_sign_in(rig, browser, target)


async def test_nothing_that_came_with_the_browser_is_shown_or_written_down(rig: Rig) -> None:
    browser, page = await begun(rig)
    evil = "<script>evil</script>"
    parameters = {"error": evil, "error_description": evil, "error_uri": "https://evil.test/", "code": "evil-code"}
    answer = await browser.send("GET", way_back(await browser.sign_in(page), **parameters))
    assert_consent(answer)
    assert "evil" not in answer.text
    assert "evil" not in repr(await rig.audit())


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_only_a_browser_that_follows_its_way_back_is_heard(rig: Rig, service: IdentityService, method: str) -> None:
    browser, _, target = await departed(rig)
    answer = await browser.send(method, target)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert service.asked == []
    await assert_can_still_sign_in(rig, browser, target)


@pytest.mark.parametrize(
    "path", [f"{PATH}/", "/alexa/sign-in/amazon", "/alexa/sign-in/home_assistant", "/alexa/sign-in/", f"/{PATH}"]
)
async def test_there_is_a_way_back_from_the_service_that_is_on_and_no_other(rig: Rig, path: str) -> None:
    browser, _, target = await departed(rig)
    answer = await browser.send("GET", target.replace(PATH, path))
    assert (answer.status, answer.json) == (404, {"error": "not_found"})


async def test_without_such_a_way_there_is_no_way_back_and_no_button(start: StartRig) -> None:
    rig = await start()
    browser, page = await begun(rig)
    answer = await browser.send("GET", f"{PATH}?code=x&state=x")
    assert (answer.status, answer.json) == (404, {"error": "not_found"})
    assert_page(await browser.sign_in(page), Reason.PARAMETER_MALFORMED)
    assert rows(rig)["codes"] == 0


async def test_only_our_own_page_can_send_a_browser_away(rig: Rig) -> None:
    """Else a page elsewhere could have the owner sign in for a request that the attacker planted."""
    browser, page = await begun(rig)
    form = {**page.hidden, "decision": "sign_in"}
    assert_page(await browser.send("POST", "/alexa/approve", form, Origin="https://evil.test"), Reason.ORIGIN_FOREIGN, 403)
    assert_page(await browser.send("POST", "/alexa/approve", {**form, "csrf": "x" * 43}), Reason.CSRF_MISMATCH, 403)
    assert_page(await rig.browser().send("POST", "/alexa/approve", form), Reason.BROWSER_MISMATCH, 403)
    in_the_query = f"/alexa/approve?{urlencode(form)}"
    assert (await browser.send("GET", in_the_query)).status == 405
    assert_page(await rig.send("POST", in_the_query, b"", FORM), Reason.PARAMETER_MALFORMED)
    assert await rig.audit(EventName.SIGN_IN_SENT) == []


async def test_ten_failures_an_hour_from_one_address_and_the_service_is_spared(rig: Rig) -> None:
    statuses = []
    for _ in range(12):
        browser, page = await begun(rig)
        statuses.append((await browser.send("GET", way_back(await browser.sign_in(page), "wrong"))).status)
    assert statuses == [200] * 10 + [429] * 2
    browser, _, target = await departed(rig)
    await assert_can_still_sign_in(rig, browser, target)


async def test_a_state_and_a_code_are_in_no_row_in_clear(rig: Rig) -> None:
    browser, page = await begun(rig)
    departure = await browser.sign_in(page)
    await browser.send("GET", way_back(departure))
    stored = b"".join(file.read_bytes() for file in rig.server.settings.data_dir.glob("oauth.db*"))
    for secret in (state_of(departure), WELCOME, "v" * 43, "Anna"):
        assert secret.encode() not in stored
