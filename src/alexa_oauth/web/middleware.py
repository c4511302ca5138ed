"""What holds for every answer: errors in one shape, headers that tell nothing, one line in the log at debug level."""

import logging
from collections.abc import Callable
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from alexa_oauth.protocol.credentials import new_attempt
from alexa_oauth.protocol.errors import ErrorCode
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.web.answers import error_answer, json_answer
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.plain_answer import QUIET, PlainAnswer

_log = structlog.get_logger(__name__)


def plain_errors(entropy: Entropy, doubts_clock: Callable[[], bool] = lambda: False) -> Middleware:
    """404 and 405 as JSON that reflects nothing of the request; a fault of ours as 500 that only tells where to look it up.

    While the clock is in doubt, no plain answer is dated (`undated_in_doubt` sees to the others).
    """
    tells_all = _log.is_enabled_for(logging.DEBUG)

    @web.middleware
    async def plain(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
            if tells_all:
                _log.debug("request.answered", method=request.method, route=route_of(request), status=response.status)
        except web.HTTPException as error:
            response = _refusal(error)
        except Exception:  # noqa: BLE001 - the last line of defence: no fault of ours may reach a stranger in aiohttp's words
            reference = new_attempt(entropy)
            _log.exception("request.failed", route=route_of(request), reference=reference)
            response = error_answer(ErrorCode.SERVER_ERROR, f"An unexpected fault; the log says more under {reference}")
        if type(response) is PlainAnswer:  # `isinstance` takes a microsecond: aiohttp's answers are abstract mappings
            response.is_dated = not doubts_clock()
        return response

    return plain


async def quiet_headers(_: web.Request, response: web.StreamResponse) -> None:
    """No answer names its server, is sniffed for another type, or sends the page's address along."""
    response.headers.pop("Server", None)
    response.headers.update(QUIET)


async def undated_in_doubt(request: web.Request, response: web.StreamResponse) -> None:
    """A server whose clock may be wrong sends no `Date` (RFC 9110 §6.6.1); else it would confirm itself through a proxy."""
    if request.app[PARTS].doubts_clock():
        response.headers.pop("Date", None)


def route_of(request: web.Request) -> str:
    """The route's own path, never the one that was sent."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def malformed_answer(status: int) -> PlainAnswer:
    """The answer to what is no HTTP, or never reached a handler; aiohttp's own would repeat what it could not read."""
    error = ErrorCode.SERVER_ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ErrorCode.INVALID_REQUEST
    return json_answer({"error": error.value}, status)


def _refusal(error: web.HTTPException) -> PlainAnswer:
    match error:
        case web.HTTPMethodNotAllowed():
            return json_answer({"error": "method_not_allowed"}, 405, {"Allow": ", ".join(sorted(error.allowed_methods))})
        case web.HTTPNotFound():
            return json_answer({"error": "not_found"}, 404)
        case _:
            return error_answer(ErrorCode.INVALID_REQUEST, HTTPStatus(error.status).phrase, status=error.status)
