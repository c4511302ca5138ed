"""Attacks on Allow linking now: what passes by the click alone, and how a stranger would like to be what passes."""

from collections.abc import Awaitable, Callable

import pytest

from alexa_oauth.protocol.allowing import Button
from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.words import words_of
from alexa_oauth.web.parts import PARTS
from tests.attacks.verdict import assert_code, assert_consent, assert_page, assert_sent_back, rows
from tests.conftest import StartRig
from tests.identity_service import IdentityService, way_back
from tests.rig import Answer, Browser, Rig

ANNA = "ha:anna"
NO_CODE = {"pairing_code": ""}

Begun = tuple[Browser, Answer]
Begin = Callable[[], Awaitable[Begun]]


@pytest.fixture
async def house(start: StartRig) -> Rig:
    return await start(sign_in="pairing_code")


@pytest.fixture
def button(house: Rig) -> Button:
    return house.server.public[PARTS].button


async def begun(house: Rig) -> Begun:
    """A browser of its own with the consent page open."""
    browser = house.browser()
    page = await browser.authorize()
    assert_consent(page)
    return browser, page


async def click(begun: Begun) -> Answer:
    """Approve and nothing else: no code is entered."""
    browser, page = begun
    return await browser.approve(page, **NO_CODE)


def press(house: Rig, button: Button) -> bool:
    """As the panel does it."""
    return button.press(ANNA, waiting=house.server.store.read(lambda tx: tx.authorizations.count_waiting()))


def asks_for_code(page: Answer) -> bool:
    return 'name="pairing_code"' in page.text


async def test_who_begins_alone_after_the_press_links_by_the_click_in_the_name_of_who_pressed(house: Rig, button: Button) -> None:
    assert press(house, button)
    hers = await begun(house)
    assert not asks_for_code(hers[1])
    assert "Allowed in the panel" in hers[1].text
    tokens = (await house.redeem(assert_code(await click(hers)))).json
    assert (await house.introspect(tokens["access_token"])).json["sub"] == ANNA
    (approved,) = await house.audit(EventName.CONSENT_APPROVED)
    assert (approved.subject, dict(approved.detail)) == (ANNA, {"sign_in": "button"})


async def test_a_stranger_who_waits_first_does_not_win(house: Rig, button: Button) -> None:
    strangers = await begun(house)
    assert not press(house, button)
    hers = await begun(house)
    for page in (strangers, hers):
        assert_consent(await click(page))
    button.pick(hers[1].hidden["request"], ANNA)
    assert_consent(await click(strangers))
    assert_code(await click(hers))
    assert_consent(await click(strangers))


@pytest.mark.parametrize("same_browser", [False, True])
async def test_as_soon_as_a_second_one_begins_neither_passes(house: Rig, button: Button, *, same_browser: bool) -> None:
    """From the same browser, too: a stranger's second request is as good as their first."""
    press(house, button)
    browser, page = await begun(house)
    second = (browser, await browser.authorize()) if same_browser else await begun(house)
    assert asks_for_code(second[1])
    assert_consent(await click((browser, page)))
    assert_consent(await click(second))
    assert rows(house)["codes"] == 0
    button.pick(second[1].hidden["request"], ANNA)
    assert_consent(await click((browser, page)))
    assert_code(await click(second))


async def test_one_press_links_once(house: Rig, button: Button) -> None:
    press(house, button)
    hers = await begun(house)
    assert_code(await click(hers))
    assert button.allowance is None
    assert_page(await click(hers), Reason.REQUEST_UNKNOWN, 403)
    assert asks_for_code((await begun(house))[1])


async def test_a_stranger_who_denies_leaves_nothing_armed_for_their_next_request(house: Rig, button: Button) -> None:
    press(house, button)
    browser, page = await begun(house)
    assert_sent_back(await browser.approve(page, decision="deny", **NO_CODE), "access_denied", status=303)
    assert button.allowance is None
    assert_consent(await click(await begun(house)))


async def test_the_click_counts_in_the_browser_that_began_and_on_its_own_page_alone(house: Rig, button: Button) -> None:
    press(house, button)
    browser, page = await begun(house)
    thief = house.browser()
    assert_page(await thief.approve(page, **NO_CODE), Reason.BROWSER_MISMATCH, 403)
    thief.cookies["alexa_oauth"] = "A" * 43
    assert_page(await thief.approve(page, **NO_CODE), Reason.BROWSER_MISMATCH, 403)
    assert_page(await browser.approve(page, csrf="x" * 43, **NO_CODE), Reason.CSRF_MISMATCH, 403)
    form = {**page.hidden, "decision": "approve"}
    foreign = await browser.send("POST", "/alexa/approve", form, Origin="https://evil.test")
    assert_page(foreign, Reason.ORIGIN_FOREIGN, 403)
    assert_code(await click((browser, page)))


async def test_ten_minutes_after_the_press_a_code_is_asked_for_again(house: Rig, button: Button) -> None:
    press(house, button)
    house.clocks.advance(300)
    hers = await begun(house)
    house.clocks.advance(300)
    assert asks_for_code(await click(hers))
    assert rows(house)["codes"] == 0


async def test_a_flood_costs_the_owner_nothing_but_a_look_at_the_panel(house: Rig, button: Button) -> None:
    press(house, button)
    hers = await begun(house)
    flood = [await begun(house) for _ in range(30)]
    assert_consent(await click(hers))
    button.pick(hers[1].hidden["request"], ANNA)
    for strangers in [await begun(house) for _ in range(10)]:
        assert_consent(await click(strangers))
    assert_code(await click(hers))
    for strangers in flood:
        assert_consent(await click(strangers))


async def test_no_code_costs_no_try_and_passes_as_soon_as_the_request_is_picked(house: Rig, button: Button) -> None:
    """The page was shown with its field before the pick; the field does not stand in the way."""
    hers = await begun(house)
    assert asks_for_code(hers[1])
    assert "required" not in hers[1].text
    for _ in range(20):
        asked_again = await click(hers)
        assert_consent(asked_again)
        assert "No code was entered" in asked_again.text
        assert "tries left" not in asked_again.text
    assert await house.audit(EventName.SIGN_IN_FAILED) == []
    button.pick(hers[1].hidden["request"], ANNA)
    assert_code(await click(hers))


async def test_a_code_still_names_its_own_person_while_somebody_else_is_allowed(house: Rig, button: Button) -> None:
    hers, berts = await begun(house), await begun(house)
    button.pick(hers[1].hidden["request"], ANNA)
    browser, page = berts
    assert_code(await browser.approve(page))
    (approved,) = await house.audit(EventName.CONSENT_APPROVED)
    assert (approved.subject, dict(approved.detail)) == ("local", {})
    assert_code(await click(hers))


async def test_a_request_that_is_closed_for_wrong_codes_takes_the_press_along(house: Rig, button: Button) -> None:
    browser, page = await begun(house)
    for _ in range(4):
        await browser.approve(page, pairing_code="BBBB-BBBB")
    button.pick("another", ANNA)
    assert_page(await browser.approve(page, pairing_code="BBBB-BBBB"), Reason.SIGN_IN_EXHAUSTED, 403)
    assert button.allowance is not None
    assert_page(await click((browser, page)), Reason.REQUEST_UNKNOWN, 403)


async def test_a_restart_forgets_the_press(start: StartRig) -> None:
    first = await start(sign_in="pairing_code")
    press(first, first.server.public[PARTS].button)
    await first.server.store.close()
    second = await start(sign_in="pairing_code")
    assert asks_for_code((await begun(second))[1])


async def test_two_words_of_a_page_cannot_be_chosen(house: Rig) -> None:
    """They follow from an id that the server draws: a stranger can only begin again and again, and each one is listed."""
    browser = house.browser()
    for parameter in ("request_id", "words", "state"):
        page = await browser.authorize(**{parameter: "amber badger"})
        assert " ".join(words_of(page.hidden["request"])) in page.text
        assert len(page.hidden["request"]) == 43


async def test_where_another_service_asks_who_is_there_the_panel_is_enough(start: StartRig) -> None:
    """The page was shown before the pick, so its button still leads elsewhere: it shows the page anew, and asks for the click."""
    rig = await start(elsewhere=IdentityService())
    button = rig.server.public[PARTS].button
    browser, page = await begun(rig)
    button.pick(page.hidden["request"], ANNA)
    asked_again = await browser.sign_in(page)
    assert_consent(asked_again)
    assert ("Allowed in the panel" in asked_again.text, 'value="sign_in"' in asked_again.text) == (True, False)
    assert rows(rig)["codes"] == 0
    assert_code(await browser.approve(asked_again))
    (approved,) = await rig.audit(EventName.CONSENT_APPROVED)
    assert approved.subject == ANNA


async def test_who_signed_in_links_in_their_own_name_whoever_allowed_it(start: StartRig) -> None:
    rig = await start(elsewhere=IdentityService())
    browser, page = await begun(rig)
    signed_in = await browser.send("GET", way_back(await browser.sign_in(page)))
    rig.server.public[PARTS].button.pick(page.hidden["request"], "ha:bert")
    assert_code(await browser.approve(signed_in))
    (approved,) = await rig.audit(EventName.CONSENT_APPROVED)
    assert (approved.subject, dict(approved.detail)) == ("test:anna", {})
