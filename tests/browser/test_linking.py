"""A person links their account: a real browser, the real server, and a client on another origin."""

import asyncio
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Home, Visit
from tests.browser.elsewhere import CLIENT_ID, CLIENT_SECRET, LANDED, STATE, Elsewhere
from tests.browser.visitor import PHONE, Screen, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCREENS = [
    PHONE,
    Screen("phone", 390, 844, "dark"),
    Screen("phone", 390, 844, "light", scripts=True),
    Screen("narrow", 320, 640, "dark", scripts=True),
    Screen("desktop", 1280, 900, "dark", scripts=True),
]
WRONG_CODE = "BBBB-BBBB"


async def code_for(home: Home) -> str:
    return await asyncio.to_thread(home.pairing_code)


async def redeem(home: Home, elsewhere: Elsewhere, code: str) -> Any:  # noqa: ANN401 - whatever the server says
    """The client's own call, which no browser sees."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": elsewhere.redirect_uri,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{home.url}/alexa/token", data=form, ssl=False) as response,
    ):
        return await response.json()


async def has_landed(visitor: Visitor) -> None:
    await expect(visitor.page.get_by_role("heading", name=LANDED)).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_d14_d16_d27_a_person_approves_and_lands_three_origins_further(
    screen: Screen, home: Home, elsewhere: Elsewhere, visit: Visit
) -> None:
    visitor = await visit(screen)
    await visitor.open(elsewhere.authorization())

    await visitor.pairing_code.fill(await code_for(home))
    await visitor.approve.click()
    await has_landed(visitor)

    (arrival,) = elsewhere.arrivals
    assert arrival["state"] == STATE
    assert arrival["iss"] == home.origin
    assert (await redeem(home, elsewhere, arrival["code"]))["scope"] == "music.read music.control"
    assert visitor.complaints == []
    ways = [home.origin, home.origin, *map(elsewhere.origin, range(3))]
    assert visitor.requested == [("document", way.removeprefix("https://")) for way in ways]


async def test_these_tests_would_see_a_policy_that_stops_the_way_back(home: Home, elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()

    async def forbid_the_way_back(route: Route) -> None:
        answer = await route.fetch(url=route.request.url.replace(home.origin, home.url))
        policy = answer.headers["content-security-policy"]
        await route.fulfill(
            response=answer, headers={**answer.headers, "content-security-policy": f"{policy}; form-action 'self'"}
        )

    await visitor.page.route("**/alexa/authorize?*", forbid_the_way_back)
    await visitor.open(elsewhere.authorization())
    await visitor.pairing_code.fill(await code_for(home))
    async with visitor.page.expect_console_message():
        await visitor.approve.click()

    assert "form-action" in visitor.complaints[0]
    assert elsewhere.arrivals == []


async def test_d24_a_wrong_code_is_said_in_the_page_and_the_request_lives_on(
    home: Home, elsewhere: Elsewhere, visit: Visit
) -> None:
    visitor = await visit()
    await visitor.open(elsewhere.authorization())

    await visitor.pairing_code.fill(WRONG_CODE)
    await visitor.approve.click()

    await expect(visitor.alert).to_contain_text("4 tries left.")
    await expect(visitor.pairing_code).to_be_focused()
    await expect(visitor.pairing_code).to_have_value("")
    await visitor.pairing_code.fill((await code_for(home)).replace("-", "").lower())
    await visitor.approve.click()
    await has_landed(visitor)
    assert "code" in elsewhere.arrivals[0]
    assert visitor.complaints == []


async def test_five_wrong_codes_close_the_request(elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open(elsewhere.authorization())

    for _ in range(5):
        await visitor.pairing_code.fill(WRONG_CODE)
        await visitor.approve.click()

    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Too many wrong tries")
    assert elsewhere.arrivals == []


async def test_denying_needs_no_code_and_takes_the_answer_back(elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open(elsewhere.authorization())

    await visitor.deny.click()
    await has_landed(visitor)

    (arrival,) = elsewhere.arrivals
    assert arrival["error"] == "access_denied"
    assert arrival["state"] == STATE
    assert "code" not in arrival
    assert visitor.complaints == []


async def test_approving_without_a_code_asks_for_it_and_costs_no_try(elsewhere: Elsewhere, visit: Visit) -> None:
    """The field stands in nobody's way whose request was allowed in the panel meanwhile."""
    visitor = await visit()
    await visitor.open(elsewhere.authorization())

    await visitor.approve.click()

    await expect(visitor.alert).to_contain_text("No code was entered")
    await expect(visitor.alert).not_to_contain_text("left")
    await expect(visitor.pairing_code).to_be_focused()
    assert visitor.complaints == []


async def test_d26_the_back_button_gives_no_second_code(home: Home, elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit(Screen("phone", 390, 844, scripts=True))
    await visitor.open(elsewhere.authorization())
    answered = {name: await visitor.page.locator(f"[name={name}]").input_value() for name in ("request", "csrf")}
    code = await code_for(home)
    await visitor.pairing_code.fill(code)
    await visitor.approve.click()
    await has_landed(visitor)

    await visitor.page.go_back()
    await visitor.pairing_code.fill(code)
    await visitor.approve.click()
    await expect(visitor.alert).to_be_visible()
    for name, value in answered.items():
        await visitor.page.locator(f"[name={name}]").evaluate("(field, value) => { field.value = value }", value)
    await visitor.pairing_code.fill(await code_for(home))
    await visitor.approve.click()

    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("This request is over")
    assert len(elsewhere.arrivals) == 1


async def test_the_keyboard_alone_approves(home: Home, elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open(elsewhere.authorization())

    await visitor.page.keyboard.press("Tab")
    await expect(visitor.pairing_code).to_be_focused()
    await visitor.page.keyboard.type(await code_for(home))
    await visitor.page.keyboard.press("Enter")
    await has_landed(visitor)

    assert "code" in elsewhere.arrivals[0]


async def test_the_keyboard_alone_denies(elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open(elsewhere.authorization())

    for control in (visitor.pairing_code, visitor.approve, visitor.deny):
        await visitor.page.keyboard.press("Tab")
        await expect(control).to_be_focused()
        ring = await control.evaluate("element => getComputedStyle(element).outline")
        assert "solid 3px" in ring, "one sees where the keyboard is"
    await visitor.page.keyboard.press("Space")
    await has_landed(visitor)

    assert elsewhere.arrivals[0]["error"] == "access_denied"


async def test_d09_two_tabs_of_one_browser_each_approve_their_own(home: Home, elsewhere: Elsewhere, visit: Visit) -> None:
    first = await visit()
    second = Visitor(await first.page.context.new_page(), home.origin, first.screen)
    await first.open(elsewhere.authorization(state="first"))
    await second.open(elsewhere.authorization(state="second"))

    for tab in (first, second):
        await tab.pairing_code.fill(await code_for(home))
        await tab.approve.click()
        await has_landed(tab)

    assert [arrival["state"] for arrival in elsewhere.arrivals] == ["first", "second"]
    assert elsewhere.arrivals[0]["code"] != elsewhere.arrivals[1]["code"]


async def test_d12_a_page_that_lost_its_cookie_approves_nothing(home: Home, elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open(elsewhere.authorization())
    await visitor.page.context.clear_cookies()

    await visitor.pairing_code.fill(await code_for(home))
    await visitor.approve.click()

    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("This page belongs to another browser")
    assert elsewhere.arrivals == []


async def test_d17_the_cookie_is_bound_to_the_host_and_hidden_from_scripts(elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open(elsewhere.authorization())

    (cookie,) = await visitor.page.context.cookies()

    assert cookie["name"].startswith("__Host-")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")


async def test_an_address_that_is_not_registered_is_shown_as_text_and_never_followed(elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit(Screen("phone", 390, 844, scripts=True))
    hostile = "https://evil.test/cb?<script>alert(1)</script><img src=x onerror=alert(2)>"

    response = await visitor.open(elsewhere.authorization(redirect_uri=hostile))

    assert response.status == 400
    await expect(visitor.page.locator("dd").last).to_have_text(hostile)
    assert visitor.complaints == []
    assert len(visitor.requested) == 1


async def test_d16_nothing_that_is_opened_is_kept_by_the_browser(home: Home, elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()

    for path in ("/", elsewhere.authorization(), elsewhere.authorization(client_id="unknown")):
        response = await visitor.open(path)
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-frame-options"] == "DENY"
    assert {kind for kind, _ in visitor.requested} == {"document"}
    assert visitor.complaints == []
    assert await code_for(home) not in await visitor.page.content()
