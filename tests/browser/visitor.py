"""A person at a browser, and all that the browser complained of meanwhile."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Locator, Page, Request, Response

PICTURES: Final = Path(__file__).parents[2] / ".artefacts" / "browser"
_STATUS: Final = "Failed to load resource: the server responded with a status of 4"
"""How Chromium notes that a page came with an error status, which is what some of ours should do."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a person looks at, and whether scripts may run in it."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"] = "light"
    scripts: bool = False

    def __str__(self) -> str:
        """The name of its pictures and its tests."""
        return f"{self.name}-{self.scheme}{'-scripts' if self.scripts else ''}"

    @property
    def density(self) -> int:
        """Pixels of the device per pixel of the page."""
        return 1 if self.name == "desktop" else 2


PHONE: Final = Screen("phone", 390, 844)


class Visitor:
    """One tab of a browser. `complaints` are console messages and script errors, `requested` what was fetched."""

    def __init__(self, page: Page, home: str, screen: Screen) -> None:
        self.page = page
        self.home = home
        self.screen = screen
        self.complaints: list[str] = []
        self.requested: list[tuple[str, str]] = []
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note_request)

    async def open(self, path: str) -> Response:
        """Go to a page of the server."""
        response = await self.page.goto(self.home + path)
        assert response is not None
        return response

    @property
    def pairing_code(self) -> Locator:
        """The field, by its label."""
        return self.page.get_by_label("Pairing code")

    @property
    def approve(self) -> Locator:
        """The button, by its name."""
        return self.page.get_by_role("button", name="Approve & Link Account", exact=True)

    @property
    def deny(self) -> Locator:
        """The button, by its name."""
        return self.page.get_by_role("button", name="Deny", exact=True)

    @property
    def alert(self) -> Locator:
        """What the page says went wrong."""
        return self.page.get_by_role("alert")

    @property
    def focused(self) -> Locator:
        """Whatever has the keyboard."""
        return self.page.locator(":focus")

    async def heading(self) -> str:
        """The page's first heading."""
        return await self.page.get_by_role("heading", level=1).inner_text()

    async def picture(self, name: str) -> None:
        """Keep the whole page as a picture, for people to judge."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}-{self.screen}.png", full_page=True)

    def _note_message(self, message: ConsoleMessage) -> None:
        if not message.text.startswith(_STATUS):
            self.complaints.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        self.requested.append((request.resource_type, urlsplit(request.url).netloc))
