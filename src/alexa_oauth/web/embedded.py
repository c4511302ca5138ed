"""The public routes among those of another application, which knows nothing of ours: what holds for every answer goes along."""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from alexa_oauth.web.middleware import plain_errors, quiet_headers, undated_in_doubt
from alexa_oauth.web.parts import PARTS, Parts
from alexa_oauth.web.routes import routes

_OURS: Final = web.RequestKey("alexa_oauth", bool)


def add_routes(app: web.Application, parts: Parts) -> None:
    """Add them under their own paths; the application's other answers stay as they are."""
    app[PARTS] = parts
    plain = plain_errors(parts.entropy, parts.doubts_clock)

    def framed(handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            request[_OURS] = True
            return await plain(request, handler)

        return answer

    app.on_response_prepare.append(_finish)
    app.add_routes([web.RouteDef(route.method, route.path, framed(route.handler), route.kwargs) for route in routes(parts)])


async def _finish(request: web.Request, response: web.StreamResponse) -> None:
    if _OURS in request:
        await quiet_headers(request, response)
        await undated_in_doubt(request, response)
