"""Every page at every size, in light and dark: it fits, it can be touched and read, and a picture of it is kept."""

import pytest

from alexa_oauth.web.texts import LANGUAGES
from tests.browser.conftest import Home, OpenBrowser, StartHome, Visit
from tests.browser.elsewhere import Elsewhere
from tests.browser.looks import looks_of
from tests.browser.visitor import PHONE, Screen, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCREENS = [
    Screen(name, width, height, scheme)
    for name, width, height in (("phone", 390, 844), ("narrow", 320, 640), ("desktop", 1280, 900))
    for scheme in ("light", "dark")
]


async def check(visitor: Visitor, name: str) -> dict[str, tuple[float, float]]:
    """Keep a picture, and demand that nothing can be said against the page; the sizes of its controls."""
    await visitor.picture(name)
    looks = await looks_of(visitor.page)
    assert looks.faults == ()
    assert visitor.complaints == []
    return looks.controls


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_the_pages_of_a_server_that_asks_for_a_pairing_code(screen: Screen, elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit(screen)

    await visitor.open("/")
    await check(visitor, "home")
    await visitor.open(elsewhere.authorization(redirect_uri="https://layla.amazon.com/api/skill/link/M2" + "0123456789" * 12))
    await check(visitor, "problem")
    await visitor.open(elsewhere.authorization())
    controls = await check(visitor, "consent")
    assert controls["Approve & Link Account"] == controls["Deny"], "neither is made the easier one"
    await visitor.pairing_code.fill("BBBB-BBBB")
    await visitor.approve.click()
    await visitor.alert.wait_for()
    await check(visitor, "wrong-code")


async def test_the_page_of_a_server_that_asks_nobody_who_they_are(
    elsewhere: Elsewhere, start_home: StartHome, open_browser: OpenBrowser
) -> None:
    home = await start_home(sign_in="approve_only", anyone_may_approve="true")

    for screen in SCREENS:
        browser = await open_browser(screen)
        visitor = Visitor(await browser.new_page(), home.origin, screen)
        await visitor.open(elsewhere.authorization())
        controls = await check(visitor, "approve-only")
        assert controls["Approve & Link Account"] == controls["Deny"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_consent_page_in_every_language(
    language: str, home: Home, elsewhere: Elsewhere, open_browser: OpenBrowser
) -> None:
    """A picture shows Japanese and Hindi only where there are letters for them: Debian's fonts-noto-cjk and fonts-noto-core."""
    for screen in (PHONE, Screen("narrow", 320, 640, "dark")):
        browser = await open_browser(screen, language)
        visitor = Visitor(await browser.new_page(), home.origin, screen)
        await visitor.open(elsewhere.authorization())
        assert await visitor.page.locator("html").get_attribute("lang") == language
        controls = await check(visitor, f"consent-{language}")
        approve = await visitor.page.locator("button[value=approve]").inner_text()
        deny = await visitor.page.locator("button[value=deny]").inner_text()
        assert controls[approve] == controls[deny]
        await visitor.page.get_by_role("textbox").fill("BBBB-BBBB")
        await visitor.page.locator("button[value=approve]").click()
        await visitor.alert.wait_for()
        await check(visitor, f"wrong-code-{language}")
        await visitor.open(elsewhere.authorization(redirect_uri="https://layla.amazon.com/api/skill/link/M2OTHERVENDOR1"))
        await check(visitor, f"problem-{language}")
        await visitor.open("/")
        await check(visitor, f"home-{language}")


async def test_twice_the_size_of_letters_still_fits_a_phone(elsewhere: Elsewhere, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open(elsewhere.authorization())

    await visitor.page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")

    await check(visitor, "large-letters")
