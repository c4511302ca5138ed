"""The real server under its own certificate, a client elsewhere, and a browser that finds both by name."""

import asyncio
import http.client
import json
import shutil
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
import trustme
from playwright.async_api import Browser, BrowserContext, async_playwright

from alexa_oauth.admin import ingress
from tests.browser.elsewhere import HOSTS, Elsewhere, served
from tests.browser.panel_rooms import PanelRoom
from tests.browser.visitor import PHONE, Screen, Visitor
from tests.gateway import home_assistant
from tests.panel import PATH, link_to
from tests.rig import Rig, running
from tests.running_server import DEADLINE_SECONDS, RunningServer

HOME: Final = "home.test"
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.test 127.0.0.1",
)

StartHome = Callable[..., Awaitable["Home"]]
OpenBrowser = Callable[..., Awaitable[BrowserContext]]
Visit = Callable[..., Awaitable[Visitor]]
OpenPanel = Callable[..., Awaitable[PanelRoom]]


class Home(RunningServer):
    """The server, as the internet knows it: by name and over TLS."""

    def __init__(self, data_dir: Path, certificate: Path, **settings: str) -> None:
        super().__init__(data_dir)
        self.environment |= {
            "ALEXA_OAUTH_PUBLIC_URL": self.origin,
            "ALEXA_OAUTH_SSL": "true",
            "ALEXA_OAUTH_CERTFILE": str(certificate),
            "ALEXA_OAUTH_KEYFILE": str(certificate),
            **{f"ALEXA_OAUTH_{name.upper()}": value for name, value in settings.items()},
        }

    @property
    def origin(self) -> str:
        """The public address."""
        return f"https://{HOME}:{self.port}"

    @property
    def url(self) -> str:
        """The origin of the public endpoints on this machine."""
        return f"https://127.0.0.1:{self.port}"

    def _connection(self) -> http.client.HTTPConnection:
        context = ssl._create_unverified_context()  # noqa: S323 - it only waits for a port of this machine
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS, context=context)


@pytest.fixture(scope="session")
def certificate() -> trustme.LeafCert:
    """One certificate for all names of these tests; the browser is told to take it as it is."""
    return trustme.CA().issue_cert(HOME, *HOSTS)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path is not None, "Chromium is not installed"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere(certificate: trustme.LeafCert) -> AsyncIterator[Elsewhere]:
    """The client's three origins."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(tls)
    async with served(tls) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def start_home(tmp_path: Path, certificate: trustme.LeafCert, elsewhere: Elsewhere) -> AsyncIterator[StartHome]:
    """Start the server, with settings of one's own, for the client elsewhere."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "oauth_clients.json").write_text(json.dumps(elsewhere.clients_file))
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "certificate.pem")
    started: list[Home] = []

    async def begin(**settings: str) -> Home:
        server = Home(folder, tmp_path / "certificate.pem", **settings)
        started.append(server)
        await asyncio.to_thread(server.__enter__)
        return server

    yield begin
    for server in started:
        await asyncio.to_thread(server.__exit__, None, None, None)


@pytest_asyncio.fixture(loop_scope="session")
async def home(start_home: StartHome) -> Home:
    """The server as it is by default: a pairing code is asked for."""
    return await start_home()


@pytest_asyncio.fixture(loop_scope="session")
async def open_browser(chromium: Browser) -> AsyncIterator[OpenBrowser]:
    """A browser with no cookies yet."""
    async with AsyncExitStack() as stack:

        async def begin(screen: Screen = PHONE, locale: str = "en-US") -> BrowserContext:
            context = await chromium.new_context(
                viewport={"width": screen.width, "height": screen.height},
                device_scale_factor=screen.density,
                color_scheme=screen.scheme,
                java_script_enabled=screen.scripts,
                ignore_https_errors=True,
                locale=locale,
            )
            return await stack.enter_async_context(context)

        yield begin


@pytest_asyncio.fixture(loop_scope="session")
async def visit(home: Home, open_browser: OpenBrowser) -> Visit:
    """A person with a browser of their own at that screen."""

    async def begin(screen: Screen = PHONE) -> Visitor:
        context = await open_browser(screen)
        return Visitor(await context.new_page(), home.origin, screen)

    return begin


@pytest_asyncio.fixture(loop_scope="session")
async def open_panel(tmp_path: Path, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenPanel]:
    """Open the panel of one server, by its one-time link, or inside Home Assistant as a user of that id and name."""
    monkeypatch.setattr(ingress, "GATEWAY", ip_address("127.0.0.1"))
    async with AsyncExitStack() as stack:
        rigs: dict[bool, Rig] = {}

        async def server(*, supervised: bool, settings: dict[str, str]) -> Rig:
            if supervised not in rigs:
                folder = tmp_path / ("add-on" if supervised else "checkout")
                rigs[supervised] = await stack.enter_async_context(running(folder, settings, supervised=supervised))
            return rigs[supervised]

        async def begin(screen: Screen = PHONE, user: tuple[str, str] | None = None, **settings: str) -> PanelRoom:
            rig = await server(supervised=user is not None, settings={"sign_in": "pairing_code", **settings})
            page = await (await open_browser(screen)).new_page()
            if user is None:
                visitor = Visitor(page, rig.admin_origin, screen)
                await visitor.open(await link_to(rig))
                await page.wait_for_url(f"{rig.admin_origin}/")
            else:
                around = await stack.enter_async_context(home_assistant(rig.admin_origin))
                around.sign_in(*user)
                visitor = Visitor(page, around.origin + PATH, screen)
            return PanelRoom(rig, visitor)

        yield begin
