"""Signing in with Amazon, and by a password of Home Assistant's, in a real browser: from Alexa's request to the way back."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from alexa_oauth.sign_in.amazon import Amazon
from alexa_oauth.sign_in.password import Password
from alexa_oauth.sign_in.passwords import SupervisorPasswords
from alexa_oauth.sign_in.throttle import Throttle
from alexa_oauth.web.parts import PARTS
from tests.addon.supervisor_api import Supervisor
from tests.addon.supervisor_api import running as supervising
from tests.browser.conftest import OpenBrowser, OpenPanel
from tests.browser.elsewhere import CLIENT_ID, CLIENT_SECRET, Elsewhere
from tests.browser.panel_rooms import PanelRoom
from tests.browser.test_linking import has_landed
from tests.browser.test_looks import SCREENS, check
from tests.browser.visitor import PHONE, Screen, Visitor
from tests.panel import link_to
from tests.rig import TOKEN, Rig, running
from tests.sign_in.amazon import PROFILE, StandInAmazon, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

StartRig = Callable[..., Awaitable[Rig]]


@pytest_asyncio.fixture(loop_scope="session")
async def start(tmp_path: Path, elsewhere: Elsewhere) -> AsyncIterator[StartRig]:
    """A server in this process, for the client elsewhere."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "oauth_clients.json").write_text(json.dumps(elsewhere.clients_file))
    async with AsyncExitStack() as stack:

        async def begin(*, supervised: bool = False, **settings: str) -> Rig:
            return await stack.enter_async_context(running(folder, settings, supervised=supervised))

        yield begin


async def redeem(rig: Rig, elsewhere: Elsewhere) -> str:
    """The subject of the link that comes of the code which arrived."""
    form = {
        "grant_type": "authorization_code",
        "code": elsewhere.arrivals[-1]["code"],
        "redirect_uri": elsewhere.redirect_uri,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    token = (await rig.post("/alexa/token", None, form)).json["access_token"]
    return (await rig.verify(token)).headers["X-OAuth-Subject"]


@pytest_asyncio.fixture(loop_scope="session")
async def at_amazon(start: StartRig) -> AsyncIterator[Rig]:
    """A server whose Amazon is the stand-in, and to which that sends people back."""
    async with served(StandInAmazon()) as amazon:
        secrets = {"amazon_client_id": PROFILE.client_id, "amazon_client_secret": PROFILE.client_secret}
        rig = await start(sign_in="amazon", **secrets)
        amazon.profile = replace(PROFILE, return_url=f"{rig.origin}/alexa/sign-in/amazon")
        way = rig.server.public[PARTS].sign_in
        assert isinstance(way, Amazon)
        way._amazon._region, way._amazon._profile = amazon.region, amazon.profile
        yield rig


async def test_an_account_of_amazons_is_confirmed_at_the_panel_and_links(
    at_amazon: Rig, elsewhere: Elsewhere, open_browser: OpenBrowser
) -> None:
    visitor = Visitor(await (await open_browser(PHONE)).new_page(), at_amazon.origin, PHONE)
    await visitor.open(elsewhere.authorization())
    await check(visitor, "amazon-1-before")
    assert await visitor.approve.count() == 0, "nobody can approve who did not sign in"
    await visitor.page.get_by_role("button", name="Sign in with Amazon").click()
    await expect(visitor.alert).to_contain_text("Anna Amsel must first be allowed by an administrator")
    await check(visitor, "amazon-2-waits")

    screen = replace(PHONE, scripts=True)
    panel = PanelRoom(at_amazon, Visitor(await (await open_browser(screen)).new_page(), at_amazon.admin_origin, screen))
    await panel.visitor.open(await link_to(at_amazon))
    await panel.page.wait_for_url(f"{at_amazon.admin_origin}/")
    await panel.show("/waiting", "account-waits")
    await panel.page.get_by_role("button", name="Let this account in").click()
    await panel.page.get_by_text("Anna Amsel may link from now on").wait_for()
    await panel.page.get_by_text("Send away", exact=True).click()
    await panel.look("account-let-in")

    await visitor.page.get_by_role("button", name="Sign in with Amazon").click()
    await expect(visitor.page.get_by_text("Signed in as Anna Amsel")).to_be_visible()
    await check(visitor, "amazon-3-signed-in")
    await visitor.approve.click()
    await has_landed(visitor)
    assert (await redeem(at_amazon, elsewhere)).startswith("amazon:amzn1.account.")


@pytest_asyncio.fixture(loop_scope="session")
async def at_supervisor(start: StartRig) -> AsyncIterator[Rig]:
    """An add-on whose Supervisor is the stand-in, and whose waits are over at once."""
    async with supervising(Supervisor(TOKEN, {"anna": "correct horse"}, frozenset({"auth_api"}))) as origin:
        rig = await start(supervised=True, sign_in="password")
        way = rig.server.public[PARTS].sign_in
        assert isinstance(way, Password)
        way._passwords = SupervisorPasswords(TOKEN, rig.server.outbound.session, origin)
        way._throttle = Throttle(lambda: rig.clocks.running, lambda _: asyncio.sleep(0))
        yield rig


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_a_password_of_home_assistants_links(
    screen: Screen, at_supervisor: Rig, elsewhere: Elsewhere, open_browser: OpenBrowser
) -> None:
    visitor = Visitor(await (await open_browser(screen)).new_page(), at_supervisor.origin, screen)
    await visitor.open(elsewhere.authorization())
    controls = await check(visitor, "password")
    assert controls["Approve & Link Account"] == controls["Deny"]
    await visitor.page.get_by_label("User name").fill("Anna")
    await visitor.page.get_by_label("Password", exact=True).fill("battery staple")
    await visitor.approve.click()
    await expect(visitor.alert).to_contain_text("User name or password is wrong")
    await expect(visitor.page.get_by_label("User name")).to_be_focused()
    await check(visitor, "password-wrong")
    await visitor.page.keyboard.type("Anna")
    await visitor.page.keyboard.press("Tab")
    await visitor.page.keyboard.type("correct horse")
    await visitor.page.keyboard.press("Enter")
    await has_landed(visitor)
    assert await redeem(at_supervisor, elsewhere) == "ha-name:anna"


@pytest.mark.parametrize("language", ["de", "fr", "ja", "hi"])
async def test_the_page_that_asks_for_a_password_in_other_languages(
    language: str, at_supervisor: Rig, elsewhere: Elsewhere, open_browser: OpenBrowser
) -> None:
    visitor = Visitor(await (await open_browser(PHONE, language)).new_page(), at_supervisor.origin, PHONE)
    await visitor.open(elsewhere.authorization())
    await check(visitor, f"password-{language}")


async def test_the_panel_reminds_of_a_weak_way_to_sign_in(open_panel: OpenPanel) -> None:
    for screen in (replace(PHONE, scripts=True), Screen("desktop", 1280, 900, "dark", scripts=True)):
        panel = await open_panel(screen, sign_in="approve_only")
        await panel.show("/waiting", "weak-sign-in")
