"""What stands behind the guard in the place of Music Assistant: it tells what reached it."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

GREETING: Final = "connected"


@dataclass(slots=True)
class Player:
    """A server on a free port of this machine. `calls` are the header fields of every request that reached it."""

    port: int = 0
    calls: list[dict[str, list[str]]] = field(default_factory=list)


@asynccontextmanager
async def playing() -> AsyncIterator[Player]:
    """Serve until the end of the block."""
    player = Player()

    async def answer(request: web.Request) -> web.StreamResponse:
        names = {name.lower() for name in request.headers}
        player.calls.append({name: request.headers.getall(name) for name in names})
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await _greet(request)
        return web.json_response({"path": request.raw_path, "body": hashlib.sha256(await request.read()).hexdigest()})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        player.port = runner.addresses[0][1]
        yield player
    finally:
        await runner.cleanup()


async def _greet(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(GREETING)
    await socket.close()
    return socket
