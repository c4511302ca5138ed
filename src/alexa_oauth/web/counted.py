"""Counting answers: around each handler of the table, so that it costs no search for the route."""

import re
from http import HTTPStatus
from typing import Final

from aiohttp import web

from alexa_oauth.metrics import NO_ERROR, Metrics
from alexa_oauth.protocol.errors import ErrorCode
from alexa_oauth.web.plain_answer import PlainAnswer

_ERROR: Final = re.compile(rb'\{"error": "([a-z_]{1,40})"')
_KNOWN: Final = frozenset(ErrorCode)


def counted(route: web.RouteDef, metrics: Metrics) -> web.RouteDef:
    """The route, its answers counted under its own path."""
    endpoint, handler, clock = metrics.of(route.path), route.handler, metrics.clock

    async def count(request: web.Request) -> web.StreamResponse:
        begun = clock()
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPException as refused:
            endpoint.answered(refused.status, NO_ERROR, clock() - begun)
            raise
        except Exception:
            endpoint.answered(HTTPStatus.INTERNAL_SERVER_ERROR, ErrorCode.SERVER_ERROR, clock() - begun)
            raise
        error = NO_ERROR if response.status < HTTPStatus.BAD_REQUEST else _error_of(response)
        endpoint.answered(response.status, error, clock() - begun)
        return response

    return web.RouteDef(route.method, route.path, count, route.kwargs)


def _error_of(response: web.StreamResponse) -> str:
    """The `error` of a refusal in JSON, if it is one of the list."""
    found = _ERROR.match(response.body) if isinstance(response, PlainAnswer) else None
    error = found[1].decode() if found else NO_ERROR
    return error if error in _KNOWN else NO_ERROR
