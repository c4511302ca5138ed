"""What every request passes before its handler: the door, the rights of the person, and the proof that a change is wanted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from alexa_oauth.admin.answers import Problem, problem
from alexa_oauth.admin.csrf import is_foreign, is_genuine
from alexa_oauth.admin.visit import FORM, VISIT, Door, person_of
from alexa_oauth.protocol.errors import RowDamaged, StorageUnavailable
from alexa_oauth.web.forms import FormRefused, read_form

_log = structlog.get_logger(__name__)

OPEN: Final = "open"
"""The name of the one route that is for those who are not let in yet."""
CSRF_FIELD: Final = "csrf"

_UNAVAILABLE: Final = Problem(
    "Not available at the moment",
    "The server cannot read or store anything right now. Nothing is lost.",
    "Wait a moment, then load this page again. If it stays so, the log says why: a full disk is the usual cause.",
    503,
)
_DAMAGED: Final = Problem(
    "A stored row is damaged",
    "This page needs something from the database that does not open any more.",
    "The page Health says where it stands and what helps.",
    500,
)
_ADMINISTRATORS_ONLY: Final = Problem(
    "This page is for administrators",
    "You see and end your own links; an administrator of this panel sees more.",
    "Ask one of them to add you under People, on the page Set up.",
    403,
)
_FOREIGN: Final = Problem(
    "Another site asked for this", "Only a page of this panel can change something here. Nothing was changed.", status=403
)
_STALE: Final = Problem(
    "This page was out of date",
    "The server restarted, or somebody else signed in, since the page was opened. Nothing was changed.",
    "Open the page again and repeat what you did.",
    403,
)
_NOT_THERE: Final = Problem("There is no such page", "The address leads nowhere in this panel.", status=404)


class Who(Enum):
    """Whom a route is for."""

    EVERYBODY = "everybody who is let in"
    ADMINISTRATORS = "administrators"


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table. `label` names a page in the navigation.

    A POST is a change: its form is read, and its CSRF value checked, before the handler is asked. With `reads_body` the
    handler reads a body that is no form, and must begin with `check_csrf`.
    """

    method: str
    path: str
    who: Who
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    label: str | None = None
    reads_body: bool = False


def entry(door: Door, closed: Problem) -> Middleware:
    """Let in whom the door admits; `closed` is what all others read."""

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        door.check(request)
        try:
            if request.match_info.route.name == OPEN:
                return await handler(request)
            visit = await door.admit(request)
            if visit is None:
                return problem(request, closed)
            request[VISIT] = visit
            return await handler(request)
        except StorageUnavailable:
            return problem(request, _UNAVAILABLE)
        except RowDamaged as damaged:
            _log.error("row.damaged", problem=str(damaged))
            return problem(request, _DAMAGED)
        except web.HTTPNotFound:
            return problem(request, _NOT_THERE)

    return enter


def guarded(route: Route) -> Handler:
    """The handler of a route, behind what the route demands."""

    async def guard(request: web.Request) -> web.StreamResponse:
        if route.who is Who.ADMINISTRATORS and not person_of(request).is_administrator:
            return problem(request, _ADMINISTRATORS_ONLY)
        if route.method == "POST":
            refused = _foreign(request) if route.reads_body else await _read_change(request)
            if refused is not None:
                return problem(request, refused)
        return await route.handler(request)

    return guard


def check_csrf(request: web.Request, sent: str) -> web.Response | None:
    """Why the change is refused, or `None` if the value is the visitor's own."""
    return None if is_genuine(sent, request[VISIT].csrf) else problem(request, _STALE)


async def _read_change(request: web.Request) -> Problem | None:
    try:
        parameters = await read_form(request)
    except FormRefused as refused:
        return Problem("The form cannot be read", f"{refused.description}. Nothing was changed.", status=refused.status)
    if parameters.repeated or parameters.malformed or not is_genuine(parameters.get(CSRF_FIELD) or "", request[VISIT].csrf):
        return _foreign(request) or _STALE
    request[FORM] = parameters.values
    return _foreign(request)


def _foreign(request: web.Request) -> Problem | None:
    return _FOREIGN if is_foreign(request) else None
