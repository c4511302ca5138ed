"""Allow linking and Attempts as people see them: with nothing, with one, with many; and a link by the click, in two windows."""

import pytest
from playwright.async_api import ViewportSize, expect

from tests.browser.conftest import OpenPanel
from tests.browser.looks import looks_of
from tests.browser.panel_rooms import SCREENS, PanelRoom
from tests.browser.visitor import PHONE as PHONE_SCREEN
from tests.browser.visitor import Screen, Visitor
from tests.rig import ALEXA_URI, Rig

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = "Mozilla/5.0 (Linux; Android 12; SM-G991B) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"
IN_APP = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Alexa/2.2.6"
OTHER_VENDOR = "https://layla.amazon.com/api/skill/link/M3OTHERVENDOR123"
WITH_SCRIPTS = Screen("desktop", 1280, 900, scripts=True)


def come_from(rig: Rig, address: str, user_agent: str) -> None:
    rig.headers |= {"X-Forwarded-For": address, "User-Agent": user_agent}


async def link(rig: Rig) -> None:
    """A whole link, up to the first use of a token."""
    browser = rig.browser()
    code = (await browser.approve(await browser.authorize("alexa"))).returned["code"]
    await rig.verify((await rig.redeem(code, "alexa")).json["access_token"])


async def many_ways_to_fail(rig: Rig) -> None:
    """One attempt of each look, the oldest first."""
    come_from(rig, "198.51.100.7", PHONE)
    await link(rig)
    rig.clocks.advance(300)
    browser = rig.browser()
    await browser.approve(await browser.authorize("alexa", scope="music.read music.write"))
    rig.clocks.advance(200)
    browser = rig.browser()
    code = (await browser.approve(await browser.authorize("alexa"))).returned["code"]
    come_from(rig, "203.0.113.50", "Apache-HttpClient/4.5")
    await rig.redeem(code, None, redirect_uri=ALEXA_URI, client_id="alexa", client_secret="wrong")
    await rig.upkeep.write_refusals()
    rig.clocks.advance(200)
    come_from(rig, "198.51.100.9", IN_APP)
    await rig.browser().authorize("alexa", redirect_uri=OTHER_VENDOR)
    await rig.upkeep.write_refusals()
    for _ in range(2):
        await rig.browser().authorize("scanner", redirect_uri="https://evil.test/")
        await rig.upkeep.write_refusals()
    browser = rig.browser()
    await browser.approve(await browser.authorize("alexa"), decision="deny")
    rig.clocks.advance(30)
    await rig.browser().authorize("alexa")


async def begin_many(rig: Rig, number: int) -> None:
    """So many people and strangers at the door."""
    for place in range(number):
        come_from(rig, f"198.51.100.{place // 3}" if place % 2 else f"2001:db8:0:{place}::1", IN_APP if place % 3 else PHONE)
        await rig.browser().authorize("alexa")


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_allow_linking(screen: Screen, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen, trusted_proxies="127.0.0.1")
    rig, page = panel.rig, panel.page
    await panel.show("/waiting", "waiting-empty")
    await page.get_by_role("button", name="Allow linking now").click()
    await panel.look("waiting-armed")
    come_from(rig, "198.51.100.7", PHONE)
    await rig.browser().authorize("alexa")
    await panel.show("/waiting", "waiting-alone")
    await begin_many(rig, 2)
    await panel.show("/waiting", "waiting-contested")
    await page.get_by_role("button", name="Allow ", exact=False).first.click()
    await panel.look("waiting-picked")
    await begin_many(rig, 80)
    await panel.show("/waiting", "waiting-many")


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_attempts(screen: Screen, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen, trusted_proxies="127.0.0.1")
    await panel.show("/attempts", "attempts-empty")
    await link(panel.rig)
    await panel.show("/attempts", "attempts-one")
    await many_ways_to_fail(panel.rig)
    await panel.show("/attempts", "attempts-many")
    for unfolded in await panel.page.locator("details:not(details details)").all():
        await unfolded.locator("> summary").click()
    await panel.look("attempts-unfolded")


async def test_five_hundred_attempts_can_be_leafed_through(open_panel: OpenPanel) -> None:
    panel = await open_panel(WITH_SCRIPTS, trusted_proxies="127.0.0.1")
    await begin_many(panel.rig, 500)
    await panel.show("/attempts", "attempts-500")
    articles = 0
    for _ in range(20):
        articles += await panel.page.get_by_role("article").count()
        if await panel.page.get_by_role("link", name="Older").count():
            await panel.page.get_by_role("link", name="Older").click()
    assert articles == 500
    await panel.look("attempts-500-last")


async def test_a_press_here_and_a_click_there_and_the_panel_follows_by_itself(open_panel: OpenPanel) -> None:
    """The owner's two windows: the panel, which is only looked at, and the page that Alexa opened."""
    panel = await open_panel(WITH_SCRIPTS)
    await panel.visitor.open("/waiting")
    await panel.page.get_by_role("button", name="Allow linking now").click()
    await expect(panel.page.get_by_text("Armed by")).to_be_visible()
    phone = await phone_of(panel)
    await phone.open("/alexa/authorize?" + query_of(panel.rig))
    assert await phone.pairing_code.count() == 0
    await phone.picture("consent-allowed")
    assert (await looks_of(phone.page)).faults == ()
    await expect(panel.page.get_by_text("May link now, by the click alone")).to_be_visible(timeout=15_000)
    shown = await phone.page.locator(".words").inner_text()
    await expect(panel.page.locator(".waiting .words")).to_contain_text(shown)
    async with phone.page.expect_request(lambda request: request.url.startswith("https://ex.test/cb")) as arrival:
        await phone.approve.click()
    assert "code=" in (await arrival.value).url
    await expect(panel.page.get_by_text("Nobody waits")).to_be_visible(timeout=15_000)


async def phone_of(panel: PanelRoom) -> Visitor:
    """Another window, at the public door. The client's own page need not answer."""
    context = panel.page.context.browser
    assert context is not None
    viewport = ViewportSize(width=PHONE_SCREEN.width, height=PHONE_SCREEN.height)
    page = await (await context.new_context(java_script_enabled=False, viewport=viewport)).new_page()
    await page.route("https://ex.test/**", lambda route: route.fulfill(body="back at the client"))
    return Visitor(page, panel.rig.origin, PHONE_SCREEN)


def query_of(rig: Rig) -> str:
    return "&".join(f"{name}={value.replace(' ', '+')}" for name, value in rig.authorization("C1", state="x").items())
