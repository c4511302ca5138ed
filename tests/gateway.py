"""Home Assistant around the panel, as a browser sees it: a page with a frame, and the way through its ingress gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

from tests.panel import PATH

_KEPT: Final = (
    "Content-Type",
    "Content-Disposition",
    "Content-Security-Policy",
    "X-Frame-Options",
    "Location",
    "Referrer-Policy",
)
_PAGE: Final = """<!doctype html><html lang="en"><title>Home Assistant</title>
<style>html, body, iframe {{ width: 100%; height: 100%; margin: 0; border: 0; display: block }}</style>
<iframe title="Alexa Link" src="{path}/"></iframe></html>"""


@dataclass(slots=True)
class HomeAssistant:
    """One household's, with the panel behind it and somebody signed in."""

    panel: str
    origin: str = ""
    user_id: str = ""
    name: str = ""

    def sign_in(self, user_id: str, name: str) -> None:
        """From now on it is that user who sits at the browser."""
        self.user_id, self.name = user_id, name

    async def frame(self, _request: web.Request) -> web.Response:
        """The page of the panel, as the side bar opens it."""
        return web.Response(text=_PAGE.format(path=PATH), content_type="text/html")

    async def pass_on(self, request: web.Request) -> web.Response:
        """What the gateway does: the prefix goes, and the names of the person come."""
        said = {
            **{name: value for name, value in request.headers.items() if not name.startswith(("X-Remote-User", "Host"))},
            "X-Ingress-Path": PATH,
            "X-Remote-User-Id": self.user_id,
            "X-Remote-User-Display-Name": self.name,
            "X-Forwarded-Host": request.host,
            "X-Forwarded-For": request.remote or "",
        }
        target = URL(self.panel + request.raw_path.removeprefix(PATH), encoded=True)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(request.method, target, headers=said, data=await request.read(), allow_redirects=False) as answer,
        ):
            kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
            return web.Response(body=await answer.read(), status=answer.status, headers=kept)


@asynccontextmanager
async def home_assistant(panel: str) -> AsyncIterator[HomeAssistant]:
    """Home Assistant before a panel that takes this machine for its gateway."""
    around = HomeAssistant(panel)
    app = web.Application()
    app.add_routes([web.get("/alexa_oauth", around.frame), web.route("*", f"{PATH}/{{path:.*}}", around.pass_on)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        around.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield around
    finally:
        await runner.cleanup()
