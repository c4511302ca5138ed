"""The far side of a link: a client on another origin, which sends the browser on twice more, as Amazon's does."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

CLIENT_ID: Final = "amazon-alexa"
CLIENT_SECRET: Final = "browser-secret-0123456789abcdef0123456789abcdef"
STATE: Final = "A2/opaque+state=.--" + "x" * 1_000
HOSTS: Final = ("pitangui.test", "skills-store.test", "alexa.test")
"""Where the browser arrives first, and where it is sent from there."""

LANDED: Final = "Your account has been linked or left alone, and this is the third origin."


@dataclass(slots=True)
class Elsewhere:
    """The client's web site. `arrivals` are the parameters that its redirect URI received."""

    port: int
    arrivals: list[dict[str, str]] = field(default_factory=list)

    def origin(self, number: int) -> str:
        """One of the three origins; the redirect URI is on the first."""
        return f"https://{HOSTS[number]}:{self.port}"

    @property
    def redirect_uri(self) -> str:
        """The redirect URI, as it is registered."""
        return f"{self.origin(0)}/api/skill/link/M2BROWSER"

    @property
    def clients_file(self) -> dict[str, object]:
        """What `oauth_clients.json` says of the client."""
        return {
            CLIENT_ID: {
                "name": "Amazon Alexa",
                "client_type": "confidential",
                "client_secret": CLIENT_SECRET,
                "redirect_uris": [self.redirect_uri],
            }
        }

    def authorization(self, **changes: str) -> str:
        """Path and query of an authorization request as Alexa sends it."""
        parameters = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect_uri,
            "scope": "music.read music.control",
            "state": STATE,
            **changes,
        }
        return f"/alexa/authorize?{urlencode(parameters)}"


@asynccontextmanager
async def served(tls: ssl.SSLContext) -> AsyncIterator[Elsewhere]:
    """The three origins on one free port of this machine, told apart by their names."""
    elsewhere = Elsewhere(0)

    async def arrive(request: web.Request) -> web.Response:
        elsewhere.arrivals.append(dict(request.query))
        return web.Response(status=302, headers={"Location": f"{elsewhere.origin(1)}/return"})

    async def pass_on(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{elsewhere.origin(2)}/landed"})

    async def land(_: web.Request) -> web.Response:
        page = f'<!doctype html><html lang="en"><title>Landed</title><link rel="icon" href="data:,"><h1>{LANDED}</h1>'
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/api/skill/link/M2BROWSER", arrive), web.get("/return", pass_on), web.get("/landed", land)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        elsewhere.port = runner.addresses[0][1]
        yield elsewhere
    finally:
        await runner.cleanup()
