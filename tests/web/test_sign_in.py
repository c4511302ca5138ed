"""Signing in on the page of another service, whichever it is: out, back, and then the click."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.models import Person
from alexa_oauth.protocol.sign_in import AwaitsAdministrator, NotAllowed, ServiceUnavailable, SignInFailed, SignInVerdict
from tests.attacks.verdict import assert_code, assert_page, assert_sent_back, begun, rows
from tests.identity_service import ANNA, WELCOME, IdentityService, way_back
from tests.rig import Answer, Browser, FakeClocks, Rig, running

StartElsewhere = Callable[[], Awaitable[Rig]]


@pytest.fixture
def service() -> IdentityService:
    return IdentityService()


@pytest.fixture
def clocks() -> FakeClocks:
    return FakeClocks()


@pytest.fixture
async def restart(tmp_path: Path, service: IdentityService, clocks: FakeClocks) -> AsyncIterator[StartElsewhere]:
    """Start the server; called again, it ends first, as a restart does."""
    async with AsyncExitStack() as stack:

        async def begin() -> Rig:
            await stack.aclose()
            return await stack.enter_async_context(running(tmp_path / "data", {}, clocks, elsewhere=service))

        yield begin


@pytest.fixture
async def rig(restart: StartElsewhere) -> Rig:
    return await restart()


async def signed_in(browser: Browser, page: Answer, code: str = WELCOME) -> Answer:
    return await browser.send("GET", way_back(await browser.sign_in(page), code))


def alert_of(page: Answer) -> str:
    """What the page says went wrong; it still asks, and the request still waits."""
    assert page.status == 200
    assert page.hidden.keys() == {"request", "csrf"}
    return page.text.partition('role="alert"')[2].partition("</div>")[0]


async def test_who_has_not_signed_in_is_asked_to_and_can_deny(rig: Rig) -> None:
    browser, page = await begun(rig)
    assert "Sign in with Test Identity" in page.text
    assert 'value="approve"' not in page.text
    assert_sent_back(await browser.approve(page, decision="deny"), "access_denied", status=303)


async def test_a_click_that_was_never_offered_approves_nothing_and_leads_to_the_sign_in(rig: Rig) -> None:
    browser, page = await begun(rig)
    answer = await browser.approve(page)
    assert answer.location.startswith("https://identity.test/authorize?state=")
    assert rows(rig)["codes"] == 0


async def test_after_the_sign_in_the_page_says_who_and_the_click_links_in_their_name(rig: Rig) -> None:
    browser, page = await begun(rig)
    again = await signed_in(browser, page)
    assert again.status == 200
    assert "Signed in as <strong><bdi>Anna &lt;3</bdi></strong>" in again.text
    assert 'value="sign_in"' not in again.text
    tokens = (await rig.redeem(assert_code(await browser.approve(again)))).json
    assert (await rig.introspect(tokens["access_token"])).json["sub"] == ANNA.subject
    told = [event.name for event in await rig.audit() if event.attempt is not None][::-1]
    assert told[1:4] == [EventName.SIGN_IN_SENT, EventName.SIGN_IN_SUCCEEDED, EventName.CONSENT_APPROVED]


async def test_who_has_signed_in_can_still_deny(rig: Rig) -> None:
    browser, page = await begun(rig)
    again = await signed_in(browser, page)
    assert_sent_back(await browser.approve(again, decision="deny"), "access_denied", status=303)
    assert rows(rig)["codes"] == 0


async def test_a_restart_between_any_two_steps_costs_nothing(restart: StartElsewhere) -> None:
    browser, page = await begun(await restart())
    for step in (browser.sign_in, lambda answer: browser.send("GET", way_back(answer)), browser.approve):
        browser.rig = await restart()
        page = await step(page)
    assert_code(page)


async def test_the_page_can_be_loaded_again_and_nobody_is_asked_twice(rig: Rig, service: IdentityService) -> None:
    browser, page = await begun(rig)
    target = way_back(await browser.sign_in(page))
    await browser.send("GET", target)
    again = await browser.send("GET", target)
    assert "Signed in as" in again.text
    assert service.asked == [WELCOME]
    assert_code(await browser.approve(again))


@pytest.mark.parametrize(
    ("verdict", "told", "reason"),
    [
        (SignInFailed(4), "Test Identity did not confirm who you are", Reason.SIGN_IN_WRONG),
        (ServiceUnavailable("Test Identity", "timed out"), "Test Identity does not answer", Reason.SIGN_IN_UNAVAILABLE),
        (NotAllowed(ANNA, Reason.NOT_AN_APPROVER), "Anna &lt;3 may not approve links", Reason.NOT_AN_APPROVER),
        (NotAllowed(None, Reason.ACCOUNT_REFUSED), "Test Identity does not let this account in", Reason.ACCOUNT_REFUSED),
        (AwaitsAdministrator(ANNA), "must first be allowed by an administrator", Reason.ADMINISTRATOR_AWAITED),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
async def test_a_sign_in_that_leads_nowhere_is_explained_and_can_be_tried_again(
    rig: Rig, service: IdentityService, verdict: SignInVerdict, told: str, reason: Reason
) -> None:
    service.verdicts["other"] = verdict
    browser, page = await begun(rig)
    again = await signed_in(browser, page, "other")
    assert told in alert_of(again)
    assert 'value="sign_in"' in again.text
    assert reason in [event.reason for event in await rig.audit(EventName.SIGN_IN_FAILED)]
    assert_code(await browser.approve(await signed_in(browser, again)))


async def test_the_audit_trail_names_who_may_not_approve(rig: Rig, service: IdentityService) -> None:
    service.verdicts["other"] = NotAllowed(ANNA, Reason.NOT_AN_APPROVER)
    browser, page = await begun(rig)
    await signed_in(browser, page, "other")
    (event,) = await rig.audit(EventName.SIGN_IN_FAILED)
    assert (event.subject, event.detail["name"], event.client_id) == (ANNA.subject, ANNA.name, "C1")


async def test_a_service_that_is_away_when_the_button_is_pressed_keeps_the_request(rig: Rig, service: IdentityService) -> None:
    service.unavailable = ServiceUnavailable("Test Identity", "connection refused")
    browser, page = await begun(rig)
    again = await browser.sign_in(page)
    assert "Test Identity does not answer" in alert_of(again)
    service.unavailable = None
    assert_code(await browser.approve(await signed_in(browser, again)))


async def test_after_the_last_failure_the_request_is_over(rig: Rig, service: IdentityService) -> None:
    service.verdicts["other"] = SignInFailed(0)
    browser, page = await begun(rig)
    assert_page(await signed_in(browser, page, "other"), Reason.SIGN_IN_EXHAUSTED, 403)
    assert rows(rig)["pending_requests"] == 0


async def test_whom_an_administrator_allows_meanwhile_can_approve(rig: Rig, service: IdentityService) -> None:
    service.verdicts["other"] = AwaitsAdministrator(ANNA)
    browser, page = await begun(rig)
    target = way_back(await browser.sign_in(page), "other")
    waiting = await browser.send("GET", target)
    unconfirmed = await browser.approve(waiting)
    assert unconfirmed.location.startswith("https://identity.test/"), "the click does not count before that"
    target = way_back(unconfirmed, "other")
    waiting = await browser.send("GET", target)
    pending = rig.store.read(lambda tx: tx.authorizations.find(waiting.hidden["request"]))
    assert pending is not None
    assert pending.person == Person(ANNA.subject, ANNA.name, is_confirmed=False)
    await rig.store.write(lambda tx: tx.authorizations.remember_person(pending, ANNA))
    allowed = await browser.send("GET", target)
    assert "Signed in as" in allowed.text
    assert_code(await browser.approve(allowed))


async def test_signing_in_anew_replaces_whoever_was_signed_in(rig: Rig, service: IdentityService) -> None:
    service.verdicts["other"] = SignInFailed(4)
    browser, page = await begun(rig)
    await signed_in(browser, page)
    again = await signed_in(browser, page, "other")
    assert 'value="sign_in"' in again.text
    assert (await browser.approve(again)).location.startswith("https://identity.test/")
