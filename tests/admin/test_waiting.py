"""Allow linking now, at the panel: who may press, what is picked, and what is written down."""

import re

import pytest

from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import EventName
from alexa_oauth.protocol.words import words_of
from alexa_oauth.sign_in.pairing_code import PairingCode
from alexa_oauth.web.parts import PARTS
from tests.attacks.verdict import assert_code, assert_consent
from tests.panel import ANNA, BERT, Guest, home_assistant_user
from tests.rig import Answer, Browser, Rig

PAGE = "/waiting"
PRESS = "Allow linking now</button>"


@pytest.fixture
async def anna(house: Rig) -> Guest:
    """The administrator."""
    guest = home_assistant_user(house)
    await guest.open()
    return guest


async def begun(house: Rig) -> tuple[Browser, Answer]:
    browser = house.browser()
    return browser, await browser.authorize()


async def click(begun: tuple[Browser, Answer]) -> Answer:
    browser, page = begun
    return await browser.approve(page, pairing_code="")


def words_on(page: Answer) -> str:
    return " ".join(words_of(page.hidden["request"]))


def reference_on(page: Answer) -> str:
    found = re.search(r"<code>([0-9a-f]{8})</code>", page.text)
    assert found
    return found[1]


async def listed(guest: Guest, query: str = "") -> list[str]:
    """The two words of each request that the page lists."""
    answer = await guest.open(PAGE + query)
    assert answer.status == 200
    return re.findall(r"the words </span>([a-z]+ [a-z]+)</p>", answer.text)


async def test_nobody_waits_and_the_page_says_what_to_do(anna: Guest) -> None:
    page = (await anna.open(PAGE)).text
    assert "Nobody waits" in page
    assert PRESS in page


async def test_she_presses_begins_in_the_app_and_links_by_the_click(house: Rig, anna: Guest) -> None:
    await anna.open(PAGE)
    answer = await anna.change("/waiting/arm")
    assert answer.status == 303
    page = (await anna.open(PAGE)).text
    assert ("Armed by <bdi>Anna</bdi>" in page, PRESS in page) == (True, False)
    hers = await begun(house)
    assert "may link by the click alone" in (await anna.open(PAGE)).text
    assert_code(await click(hers))
    (armed,) = await house.audit(EventName.BUTTON_ARMED)
    assert dict(armed.detail) == {"by": f"ha:{ANNA}"}
    (approved,) = await house.audit(EventName.CONSENT_APPROVED)
    assert (approved.subject, dict(approved.detail)) == (f"ha:{ANNA}", {"sign_in": "button"})
    assert PRESS in (await anna.open(PAGE)).text


async def test_a_stranger_waits_first_and_she_picks_her_own(house: Rig, anna: Guest) -> None:
    strangers = await begun(house)
    await anna.open(PAGE)
    await anna.change("/waiting/arm")
    assert "nothing was armed" in (await anna.open(PAGE)).text
    hers = await begun(house)
    assert await listed(anna) == [words_on(hers[1]), words_on(strangers[1])]
    await anna.change("/waiting/allow", attempt=reference_on(hers[1]))
    page = (await anna.open(PAGE)).text
    assert f"the page that shows these words: {words_on(hers[1])}" in page
    assert page.count("May link now, by the click alone") == 1
    assert_consent(await click(strangers))
    assert_code(await click(hers))
    (allowed,) = await house.audit(EventName.BUTTON_ALLOWED)
    assert (allowed.attempt, dict(allowed.detail)) == (reference_on(hers[1]), {"by": f"ha:{ANNA}"})


async def test_two_begin_after_the_press_and_the_page_says_so(house: Rig, anna: Guest) -> None:
    await anna.open(PAGE)
    await anna.change("/waiting/arm")
    first, second = await begun(house), await begun(house)
    page = (await anna.open(PAGE)).text
    assert "none of them passes" in page
    assert "May link now" not in page
    for one in (first, second):
        assert_consent(await click(one))


async def test_what_was_let_through_can_be_taken_back(house: Rig, anna: Guest) -> None:
    hers = await begun(house)
    await anna.open(PAGE)
    await anna.change("/waiting/allow", attempt=reference_on(hers[1]))
    await anna.change("/waiting/release")
    assert_consent(await click(hers))
    assert len(await house.audit(EventName.BUTTON_RELEASED)) == 1


@pytest.mark.parametrize("attempt", ["", "00000000", "'; DROP TABLE pending_requests; --", "a" * 5_000])
async def test_a_request_that_is_not_there_cannot_be_picked(house: Rig, anna: Guest, attempt: str) -> None:
    hers = await begun(house)
    await anna.open(PAGE)
    await anna.change("/waiting/allow", attempt=attempt)
    assert "waits no longer" in (await anna.open(PAGE)).text
    assert_consent(await click(hers))
    assert await house.audit(EventName.BUTTON_ALLOWED) == []


async def test_a_request_that_is_too_old_cannot_be_picked(house: Rig, anna: Guest) -> None:
    hers = await begun(house)
    await anna.open(PAGE)
    house.clocks.advance(600)
    assert await listed(anna) == []
    await anna.change("/waiting/allow", attempt=reference_on(hers[1]))
    assert "waits no longer" in (await anna.open(PAGE)).text
    assert house.server.public[PARTS].button.allowance is None


async def test_who_is_no_administrator_neither_sees_nor_presses_nor_picks(house: Rig, anna: Guest) -> None:
    hers = await begun(house)
    bert = home_assistant_user(house, BERT, "Bert")
    await bert.open()
    page = await bert.open(PAGE)
    assert (page.status, words_on(hers[1]) in page.text) == (403, False)
    for change in ("arm", "allow", "release"):
        assert (await bert.change(f"/waiting/{change}", attempt=reference_on(hers[1]))).status == 403
    assert "/waiting" not in (await bert.open()).text
    assert house.server.public[PARTS].button.allowance is None
    assert_consent(await click(hers))
    assert await listed(anna) == [words_on(hers[1])]


@pytest.mark.parametrize("change", ["arm", "allow", "release"])
async def test_another_site_presses_nothing(house: Rig, anna: Guest, change: str) -> None:
    hers = await begun(house)
    form = {"csrf": anna.csrf, "attempt": reference_on(hers[1])}
    assert (await anna.post(f"/waiting/{change}", {**form, "csrf": "x" * 43})).status == 403
    assert (await anna.post(f"/waiting/{change}", form, Origin="https://evil.test")).status == 403
    assert (await anna.send("GET", f"/waiting/{change}", None, **anna.said)).status == 405
    assert house.server.public[PARTS].button.allowance is None


async def test_a_flood_from_one_address_hides_nobody_and_is_told_by_number(house: Rig, anna: Guest) -> None:
    house.headers["X-Forwarded-For"] = "198.51.100.7"
    hers = await begun(house)
    for _ in range(60):
        await house.browser().authorize()
    words = await listed(anna)
    assert len(words) == 3, "all came through one proxy that nobody configured"
    page = (await anna.open(PAGE)).text
    assert "where 61 requests wait" in page
    assert "58 more requests" in page
    assert await listed(anna, f"?reference={reference_on(hers[1]).upper()}") == [words_on(hers[1])]


@pytest.mark.parametrize("sought", ["x", "00000000", "%22%3E%3Cscript%3E", "%00", "a" * 3_000])
async def test_a_reference_that_is_none_finds_nothing_and_is_shown_escaped(anna: Guest, sought: str) -> None:
    page = await anna.open(f"{PAGE}?reference={sought}")
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert '"><script>' not in page.text
    assert await listed(anna, f"?reference={sought}") == []


async def test_what_a_browser_says_of_itself_comes_out_of_a_list(house: Rig, anna: Guest) -> None:
    house.headers["User-Agent"] = "<b>amber badger</b> Chrome/1 Android"
    await begun(house)
    page = (await anna.open(PAGE)).text
    assert "Chrome on Android" in page
    assert "amber badger</b>" not in page


async def test_requests_with_the_same_two_words_are_told_apart_by_their_reference(
    house: Rig, anna: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger who begins a thousand times will hit the owner's words."""
    strangers, hers = await begun(house), await begun(house)
    assert "Another request shows the same two words" not in (await anna.open(PAGE)).text
    monkeypatch.setattr("alexa_oauth.admin.waiting.words_of", lambda _id: ("amber", "badger"))
    page = (await anna.open(PAGE)).text
    assert page.count("Another request shows the same two words") == 2
    await anna.change("/waiting/allow", attempt=reference_on(hers[1]))
    assert_consent(await click(strangers))
    assert_code(await click(hers))


async def test_while_codes_are_guessed_the_page_offers_itself(house: Rig, anna: Guest) -> None:
    assert "Somebody is trying pairing codes" not in (await anna.open(PAGE)).text
    sign_in = house.server.public[PARTS].sign_in
    assert isinstance(sign_in, PairingCode)
    for _ in range(30):
        sign_in._brake.hit()
    assert "Somebody is trying pairing codes" in (await anna.open(PAGE)).text


async def test_a_press_that_cannot_be_written_down_is_none(house: Rig, anna: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    await anna.open(PAGE)

    async def refuse(_rule: object) -> None:
        raise StorageUnavailable("disk full")

    monkeypatch.setattr(type(house.server.store), "write", lambda _store, rule: refuse(rule))
    assert (await anna.change("/waiting/arm")).status == 503
    assert house.server.public[PARTS].button.allowance is None
