"""The panel in a real browser: framed by Home Assistant, attacked by a neighbour, by keyboard, and while things happen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from aiohttp import web
from playwright.async_api import Frame, Page, expect

from tests.browser.conftest import OpenPanel
from tests.browser.panel_rooms import PanelRoom
from tests.browser.visitor import Screen
from tests.panel import ANNA, PATH

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PLAIN: Final = Screen("desktop", 1280, 900)
SCRIPTED: Final = Screen("desktop", 1280, 900, scripts=True)
READY: Final = {"public_url": "https://alexa.example.org", "vendor_ids": "M1A2B3C4D5E6F7"}
URI: Final = "https://layla.amazon.com/api/skill/link/M1A2B3C4D5E6F7"
USER: Final = (ANNA, "Anna")


def home_of(panel: PanelRoom) -> str:
    """Home Assistant's origin."""
    return panel.visitor.home.removesuffix(PATH)


@asynccontextmanager
async def evil_page(page: Page, html: str) -> AsyncIterator[None]:
    """Another site, as near as can be: on this machine, so that nothing but the panel's own answers keeps it out."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=f"<!doctype html><title>Evil</title>{html}", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await page.goto(f"http://evil.test:{runner.addresses[0][1]}/")
        yield
    finally:
        await runner.cleanup()


def framed(page: Page) -> Frame:
    """The one frame of the page."""
    (frame,) = page.main_frame.child_frames
    return frame


@pytest.mark.parametrize("screen", [PLAIN, SCRIPTED], ids=str)
@pytest.mark.parametrize("host", ["127.0.0.1", "home.test"])
async def test_inside_home_assistant_pages_and_changes_work_in_their_frame(
    screen: Screen, host: str, open_panel: OpenPanel
) -> None:
    panel = await open_panel(screen, user=USER, **READY)
    await panel.page.goto(f"{home_of(panel).replace('127.0.0.1', host)}/alexa_oauth")
    frame = framed(panel.page)
    await frame.get_by_role("button", name="Start linking now").click()
    await expect(frame.get_by_text("Now enable the skill in the Alexa app.")).to_be_visible()
    await frame.get_by_role("navigation", name="Panel").get_by_role("link", name="Links").click()
    await expect(frame.get_by_role("heading", name="Links", exact=True)).to_be_visible()
    assert framed(panel.page).url.endswith(f"{PATH}/links")
    assert panel.visitor.complaints == []


@pytest.mark.parametrize("user", [None, USER], ids=["checkout", "home-assistant"])
async def test_another_site_can_not_frame_it(user: tuple[str, str] | None, open_panel: OpenPanel) -> None:
    panel = await open_panel(SCRIPTED, user=user)
    async with evil_page(panel.page, f'<iframe src="{panel.visitor.home}/"></iframe>'):
        await panel.page.wait_for_load_state("networkidle")
        assert framed(panel.page).url == "chrome-error://chromewebdata/"
        assert any("frame-ancestors" in complaint for complaint in panel.visitor.complaints), panel.visitor.complaints


@pytest.mark.parametrize("policy", ["no-referrer", "unsafe-url"])
@pytest.mark.parametrize("user", [None, USER], ids=["checkout", "home-assistant"])
async def test_another_site_s_form_changes_nothing_in_the_name_of_who_is_signed_in(
    user: tuple[str, str] | None, policy: str, open_panel: OpenPanel
) -> None:
    """Inside Home Assistant by http the browser tells no more than `Origin: null`: the value in the form is all there is."""
    panel = await open_panel(PLAIN, user=user, **READY)
    await panel.visitor.open("/")
    home = panel.visitor.home.replace("127.0.0.1", "home.test") if user else panel.visitor.home
    form = f'<form method="post" action="{home}/linking"><button>Win</button></form>'
    async with evil_page(panel.page, f'<meta name="referrer" content="{policy}">{form}'):
        await panel.page.get_by_role("button", name="Win").click()
        await expect(panel.page.get_by_role("heading", level=1)).to_be_visible()
        assert panel.page.url.endswith("/linking"), "it stayed where the refusal is"
    assert "linking.started" not in {event.name for event in await panel.rig.audit()}


async def test_a_step_turns_green_while_one_looks(open_panel: OpenPanel) -> None:
    panel = await open_panel(SCRIPTED, **READY)
    await panel.visitor.open("/")
    steps = panel.page.locator("#linking .checklist > li")
    await expect(steps.first).to_have_class("open")
    await panel.rig.browser().authorize("amazon-alexa", redirect_uri=URI)
    await expect(steps.first).to_have_class("done", timeout=15_000)
    await expect(panel.page.locator("#said")).to_have_text("1 of 4 steps are done")


async def test_without_scripts_a_link_looks_again(open_panel: OpenPanel) -> None:
    panel = await open_panel(PLAIN, **READY)
    await panel.visitor.open("/")
    await panel.rig.browser().authorize("amazon-alexa", redirect_uri=URI)
    await panel.page.get_by_role("link", name="Check again").click()
    await expect(panel.page.locator("#linking .checklist > li").first).to_have_class("done")
    assert await panel.page.get_by_role("button", name="Copy").count() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "home.test"])
async def test_a_value_is_copied_by_https_and_by_http(host: str, open_panel: OpenPanel) -> None:
    panel = await open_panel(SCRIPTED, user=USER, **READY)
    await panel.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await panel.page.goto(f"{home_of(panel).replace('127.0.0.1', host)}{PATH}/")
    value = panel.page.get_by_text("https://alexa.example.org/alexa/token", exact=True)
    await panel.page.locator(".copyable", has=value).get_by_role("button").click()
    await expect(panel.page.locator("#said")).to_have_text("Copied")
    await panel.page.goto(panel.visitor.home + "/audit")
    await panel.page.get_by_label("Subject").focus()
    await panel.page.keyboard.press("Control+v")
    await expect(panel.page.get_by_label("Subject")).to_have_value("https://alexa.example.org/alexa/token")


async def test_the_keyboard_reaches_the_content_at_once_and_answers_a_question(open_panel: OpenPanel) -> None:
    panel = await open_panel(PLAIN, **READY)
    await panel.rig.link("C1")
    await panel.visitor.open("/links")
    await panel.page.keyboard.press("Tab")
    await expect(panel.visitor.focused).to_have_text("Skip to the content")
    await panel.page.keyboard.press("Enter")
    await panel.page.keyboard.press("Tab")
    await expect(panel.visitor.focused).to_have_text("End")
    await panel.page.keyboard.press("Enter")
    await panel.page.keyboard.press("Tab")
    await expect(panel.visitor.focused).to_have_text("End this link")
    await panel.page.keyboard.press("Enter")
    await expect(panel.page.get_by_role("status").first).to_have_text("The link has ended.")
