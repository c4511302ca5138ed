"""Sign-in on the page of a real Home Assistant, in a real browser, from Alexa's request to the way back to Alexa."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Home, OpenBrowser, StartHome
from tests.browser.core_process import HASS, PASSWORD, Account, CoreProcess
from tests.browser.elsewhere import Elsewhere
from tests.browser.looks import looks_of
from tests.browser.test_linking import has_landed, redeem
from tests.browser.visitor import Screen, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = Screen("phone", 390, 844, scripts=True)
DESKTOP = Screen("desktop", 1280, 900, "dark", scripts=True)


@dataclass(slots=True)
class Household:
    """A Core, and who lives there: its owner, who has a second factor, and two without rights."""

    core: CoreProcess
    anna: Account
    bodo: Account
    carla: Account
    homes: list[Home] = field(default_factory=list)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def household(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Household]:
    """Core takes seconds to start, so the tests of this file share one."""
    assert HASS.exists(), "there is no environment for Home Assistant; ./test.sh --all makes it"
    core = CoreProcess(tmp_path_factory.mktemp("core"))
    try:
        await asyncio.to_thread(core.start)
        await asyncio.to_thread(core.onboard, "Anna")
        yield Household(core, await core.owner("Anna"), await core.add("Bodo"), await core.add("Carla"))
    finally:
        await asyncio.to_thread(core.stop)


@pytest_asyncio.fixture(loop_scope="session")
async def home(household: Household, start_home: StartHome) -> Home:
    """The server, to which Home Assistant is known by a name for browsers and by an address for itself."""
    core = household.core
    return await start_home(sign_in="home_assistant", home_assistant_url=core.outside_url, home_assistant_internal_url=core.url)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(home: Home, open_browser: OpenBrowser) -> Visitor:
    """A person with a phone whose browser runs scripts, which Home Assistant's page needs and ours does not."""
    context = await open_browser(PHONE)
    return Visitor(await context.new_page(), home.origin, PHONE)


async def enter(page: Page, account: Account) -> None:
    """Fill in Home Assistant's own page, and its second one if the account asks for that."""
    await page.locator("input[name=username]").fill(account.username)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("input[name=password]").press("Enter")
    if account.secret is not None:
        code = page.locator("input[name=code]")
        await code.fill(account.second_factor)
        await code.press("Enter")


async def begin(visitor: Visitor, elsewhere: Elsewhere) -> None:
    """Come from Alexa, and press the button."""
    await visitor.open(elsewhere.authorization())
    await visitor.page.get_by_role("button", name="Sign in with Home Assistant").click()


async def test_the_owner_signs_in_with_a_second_factor_approves_and_lands_at_alexa(
    household: Household, home: Home, elsewhere: Elsewhere, visitor: Visitor
) -> None:
    await visitor.open(elsewhere.authorization())
    await visitor.picture("home-assistant-1-before")
    assert await visitor.approve.count() == 0, "nobody can approve who did not sign in"
    await expect(visitor.deny).to_be_visible()
    await visitor.page.get_by_role("button", name="Sign in with Home Assistant").click()
    await visitor.page.locator("input[name=password]").wait_for()
    assert visitor.page.url.startswith(f"{household.core.outside_url}/auth/authorize?")
    await visitor.picture("home-assistant-2-its-page")
    await enter(visitor.page, household.anna)
    await expect(visitor.page.get_by_text("Signed in as Anna")).to_be_visible()
    await visitor.picture("home-assistant-3-signed-in")
    assert await household.core.holders_of_owners_access() == {f"{household.core.url}/"}, "ours was given back before the click"
    await visitor.approve.click()
    await has_landed(visitor)
    tokens = await redeem(home, elsewhere, elsewhere.arrivals[-1]["code"])
    assert tokens["token_type"] == "Bearer"
    listed = await asyncio.to_thread(home.run, "links", "--json")
    assert f'"ha:{household.anna.user_id}"' in listed.stdout
    assert PASSWORD not in home.printed


async def test_a_wrong_second_factor_is_home_assistants_affair_and_brings_nobody_back(
    household: Household, elsewhere: Elsewhere, visitor: Visitor
) -> None:
    await begin(visitor, elsewhere)
    await visitor.page.locator("input[name=username]").fill(household.anna.username)
    await visitor.page.locator("input[name=password]").fill(PASSWORD)
    await visitor.page.locator("input[name=password]").press("Enter")
    code = visitor.page.locator("input[name=code]")
    await code.fill("000000" if household.anna.second_factor != "000000" else "111111")
    await code.press("Enter")
    await expect(visitor.page.get_by_text("Invalid authentication code")).to_be_visible()
    assert visitor.page.url.startswith(household.core.outside_url)


async def test_who_signed_in_can_deny(household: Household, elsewhere: Elsewhere, visitor: Visitor) -> None:
    await begin(visitor, elsewhere)
    await enter(visitor.page, household.anna)
    await visitor.deny.click()
    await has_landed(visitor)
    assert elsewhere.arrivals[-1]["error"] == "access_denied"


async def test_who_is_no_administrator_is_told_so_and_somebody_else_can_sign_in(
    household: Household, elsewhere: Elsewhere, visitor: Visitor
) -> None:
    await begin(visitor, elsewhere)
    await enter(visitor.page, household.bodo)
    await expect(visitor.alert).to_contain_text("Bodo")
    await visitor.picture("home-assistant-4-not-allowed")
    assert await visitor.approve.count() == 0
    await visitor.page.get_by_role("button", name="Sign in with Home Assistant").click()
    await enter(visitor.page, household.anna)
    await visitor.approve.click()
    await has_landed(visitor)
    assert "code" in elsewhere.arrivals[-1]


async def test_everyone_may_approve_if_the_household_says_so(
    household: Household, elsewhere: Elsewhere, start_home: StartHome, open_browser: OpenBrowser
) -> None:
    home = await start_home(sign_in="home_assistant", home_assistant_url=household.core.url, approvers="everyone")
    visitor = Visitor(await (await open_browser(PHONE)).new_page(), home.origin, PHONE)
    await begin(visitor, elsewhere)
    await enter(visitor.page, household.bodo)
    await expect(visitor.page.get_by_text("Signed in as Bodo")).to_be_visible()


async def test_a_disabled_account_is_refused_by_home_assistant_and_brings_nobody_back(
    household: Household, elsewhere: Elsewhere, visitor: Visitor
) -> None:
    await household.core.let_in(household.carla, allowed=False)
    await begin(visitor, elsewhere)
    await enter(visitor.page, household.carla)
    await expect(visitor.page.get_by_text("User is not active")).to_be_visible()
    await household.core.let_in(household.carla, allowed=True)


async def test_an_account_that_is_disabled_on_the_way_back_is_refused(
    household: Household, home: Home, elsewhere: Elsewhere, visitor: Visitor
) -> None:
    async def disable_first(route: Route) -> None:
        await household.core.let_in(household.carla, allowed=False)
        await route.continue_()

    await visitor.page.route(f"{home.origin}/alexa/sign-in/**", disable_first)
    await begin(visitor, elsewhere)
    await enter(visitor.page, household.carla)
    await expect(visitor.alert).to_contain_text("Home Assistant")
    await visitor.picture("home-assistant-5-refused-account")
    assert await visitor.approve.count() == 0
    await household.core.let_in(household.carla, allowed=True)


async def test_the_name_for_browsers_is_no_use_to_the_server_which_asks_inside(
    household: Household, elsewhere: Elsewhere, start_home: StartHome, open_browser: OpenBrowser
) -> None:
    """Without the address inside, this very name cannot be asked, and nobody is sent away for nothing."""
    home = await start_home(sign_in="home_assistant", home_assistant_url=household.core.outside_url)
    visitor = Visitor(await (await open_browser(DESKTOP)).new_page(), home.origin, DESKTOP)
    await begin(visitor, elsewhere)
    await expect(visitor.alert).to_contain_text("Home Assistant")
    await visitor.picture("home-assistant-6-unavailable")
    assert visitor.page.url == f"{home.origin}/alexa/approve"
    assert "sign_in_unavailable" in home.printed


async def test_home_assistant_restarts_meanwhile_and_the_request_waits(
    household: Household, elsewhere: Elsewhere, visitor: Visitor
) -> None:
    await asyncio.to_thread(household.core.stop)
    await begin(visitor, elsewhere)
    await expect(visitor.alert).to_contain_text("Home Assistant")
    await asyncio.to_thread(household.core.start)
    await visitor.page.get_by_role("button", name="Sign in with Home Assistant").click()
    await enter(visitor.page, household.anna)
    await visitor.approve.click()
    await has_landed(visitor)


@pytest.mark.parametrize("screen", [Screen("narrow", 320, 640, "dark", scripts=True), DESKTOP], ids=str)
async def test_the_pages_around_the_sign_in_can_be_read_and_touched(
    screen: Screen, household: Household, home: Home, elsewhere: Elsewhere, open_browser: OpenBrowser
) -> None:
    visitor = Visitor(await (await open_browser(screen)).new_page(), home.origin, screen)
    await visitor.open(elsewhere.authorization())
    assert (await looks_of(visitor.page)).faults == ()
    await visitor.picture("home-assistant-1-before")
    await visitor.page.get_by_role("button", name="Sign in with Home Assistant").click()
    await enter(visitor.page, household.anna)
    await expect(visitor.approve).to_be_visible()
    assert (await looks_of(visitor.page)).faults == ()
    await visitor.picture("home-assistant-3-signed-in")


async def test_our_pages_need_no_script_and_load_nothing_from_elsewhere(
    home: Home, elsewhere: Elsewhere, visitor: Visitor, household: Household
) -> None:
    await begin(visitor, elsewhere)
    await enter(visitor.page, household.anna)
    await expect(visitor.approve).to_be_visible()
    own = home.origin.removeprefix("https://")
    kinds = [kind for kind, host in visitor.requested if host == own]
    assert set(kinds) == {"document"}
