"""Requests that miss an endpoint by a little: how two swapped or mistyped addresses in a developer console look from here.

They are answered like all others that lead nowhere, and counted for whoever runs the server.
"""

import re
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from alexa_oauth.protocol.credentials import new_attempt
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.metadata import AUTHORIZATION_PATH, TOKEN_PATH
from alexa_oauth.web.caller import identify, user_agent_of
from alexa_oauth.web.parts import PARTS

_ENDPOINTS: Final = {
    "token": TOKEN_PATH,
    "tokens": TOKEN_PATH,
    "access_token": TOKEN_PATH,
    "authorize": AUTHORIZATION_PATH,
    "authorise": AUTHORIZATION_PATH,
    "authorization": AUTHORIZATION_PATH,
    "auth": AUTHORIZATION_PATH,
}
"""By the last word of a path, in whatever case and with whatever slashes, the endpoint that was probably meant."""
_TELLABLE: Final = re.compile(r"[A-Za-z0-9/_.-]{1,60}")
"""A path that can be repeated to the operator; another one is a stranger's text."""


@web.middleware
async def note_misdirected(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count what was meant for another address or method."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed:
        if request.path == TOKEN_PATH:
            _report(request, Reason.METHOD_WRONG, TOKEN_PATH)
        raise
    except web.HTTPNotFound:
        meant = _ENDPOINTS.get(request.path.rstrip("/").rpartition("/")[2].lower())
        if meant is not None:
            _report(request, Reason.PATH_UNKNOWN, meant)
        raise


def _report(request: web.Request, reason: Reason, meant: str) -> None:
    """A person who is sent to a wrong address has begun an attempt; a program's call names none."""
    parts = request.app[PARTS]
    attempt = new_attempt(parts.entropy) if request.method == "GET" and "response_type=" in request.query_string else None
    detail = {"meant": meant, "method": request.method[:16], "user_agent": user_agent_of(request)}
    if _TELLABLE.fullmatch(request.path):
        detail["path"] = request.path
    event = Event(EventName.REQUEST_MISDIRECTED, attempt, reason=reason, address=identify(request).address, detail=detail)
    parts.report(event)
