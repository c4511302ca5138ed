"""Panels to look at in a browser, both ways in, and what nothing may be said against on any of their pages.

    async def test_links(open_panel: OpenPanel) -> None:
        for screen in SCREENS:
            panel = await open_panel(screen)          # an administrator, by the one-time link
            await panel.show("/links", "links-empty")  # opens it, keeps a picture, and demands that it is without fault

`panel.rig` is the server, to fill it first. `await open_panel(screen, user=BERT)` opens it inside Home Assistant instead.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

from tests.browser.looks import looks_of
from tests.browser.visitor import Screen, Visitor
from tests.rig import Rig

AXE: Final = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS: Final = [
    Screen(name, width, height, scheme, scripts=scripts)
    for name, width, height in (("phone", 390, 844), ("narrow", 320, 640), ("desktop", 1280, 900))
    for scheme in ("light", "dark")
    for scripts in (True, False)
    if scripts or scheme == "light"
]
"""Phone, small phone and desktop, light and dark, with scripts and without."""

_RUN_AXE: Final = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations", "incomplete"] });
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
}"""


@dataclass(slots=True)
class PanelRoom:
    """A panel on somebody's screen."""

    rig: Rig
    visitor: Visitor

    @property
    def page(self) -> Page:
        """The browser's page."""
        return self.visitor.page

    async def show(self, path: str, name: str) -> None:
        """Open a page, and look at it."""
        await self.visitor.open(path)
        await self.look(name)

    async def look(self, name: str) -> None:
        """Keep a picture of the page as it stands, and demand that neither eye nor axe-core finds fault with it."""
        await self.visitor.picture(f"panel-{name}")
        looks = await looks_of(self.page)
        assert looks.faults == (), looks.faults
        assert self.visitor.complaints == [], self.visitor.complaints
        if self.visitor.screen.scripts:
            faults = await faults_of(self.page)
            assert faults == [], faults


async def faults_of(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands: every rule that it has, best practices included."""
    await page.evaluate(AXE.read_text("utf-8"))
    found: Any = await page.evaluate(_RUN_AXE)
    return [str(fault) for fault in found]
