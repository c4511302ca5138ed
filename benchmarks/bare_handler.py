"""The first floor: an aiohttp handler that parses the same form and answers the same JSON, and does nothing else.

Nobody is authenticated, nothing is drawn, sealed, looked up or stored. Run as a program, it prints its port.
"""

import asyncio
import json
from typing import Final
from urllib.parse import parse_qsl

import uvloop
from aiohttp import web

_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_ACCESS_TOKEN: Final = f"aoa_at_{'a' * 43}"
_REFRESH_TOKEN: Final = f"aoa_rt_{'r' * 64}"


async def _token(request: web.Request) -> web.Response:
    form = dict(parse_qsl((await request.read()).decode()))
    answer = {
        "access_token": _ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": 1_800,
        "refresh_token": form.get("refresh_token", _REFRESH_TOKEN),
        "scope": "music.read music.control",
    }
    return web.Response(body=json.dumps(answer).encode(), headers=_NO_STORE, content_type="application/json")


async def _nothing(_: web.Request) -> web.Response:
    return web.Response(headers=_NO_STORE)


async def _serve() -> None:
    app = web.Application()
    app.add_routes([web.post("/alexa/token", _token), web.get("/alexa/verify", _nothing), web.get("/health", _nothing)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve())
