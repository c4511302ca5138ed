"""What holds for every answer: errors in one shape, headers that tell nothing, one line in the log at debug level."""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from aiohttp import web

from alexa_oauth.protocol.errors import ErrorCode
from alexa_oauth.web.answers import error_answer, json_answer
from alexa_oauth.web.parts import PARTS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = structlog.get_logger(__name__)


@web.middleware
async def plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """404 and 405 as JSON that reflects nothing of the request; a fault of ours as 500 that says nothing of its cause."""
    try:
        response = await handler(request)
    except web.HTTPMethodNotAllowed as error:
        return json_answer({"error": "method_not_allowed"}, 405, {"Allow": ", ".join(sorted(error.allowed_methods))})
    except web.HTTPNotFound:
        return json_answer({"error": "not_found"}, 404)
    except web.HTTPException as error:
        return error_answer(ErrorCode.INVALID_REQUEST, HTTPStatus(error.status).phrase, status=error.status)
    except Exception:  # noqa: BLE001 - the last line of defence: no fault of ours may reach a stranger in aiohttp's words
        _log.exception("request.failed", route=route_of(request))
        return error_answer(ErrorCode.SERVER_ERROR, "The server met an unexpected fault; its log says more")
    _log.debug("request.answered", method=request.method, route=route_of(request), status=response.status)
    return response


async def quiet_headers(_: web.Request, response: web.StreamResponse) -> None:
    """No answer names its server, is sniffed for another type, or sends the page's address along."""
    response.headers.pop("Server", None)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"


async def undated_in_doubt(request: web.Request, response: web.StreamResponse) -> None:
    """A server whose clock may be wrong sends no `Date` (RFC 9110 §6.6.1); else it would confirm itself through a proxy."""
    if request.app[PARTS].doubts_clock():
        response.headers.pop("Date", None)


def route_of(request: web.Request) -> str:
    """The route's own path, never the one that was sent."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def malformed_answer(status: int) -> web.Response:
    """The answer to what is no HTTP; aiohttp's own would repeat the bytes that it could not read."""
    error = ErrorCode.SERVER_ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ErrorCode.INVALID_REQUEST
    body = json.dumps({"error": error.value}).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"})
