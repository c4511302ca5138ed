"""GET /alexa/sign-in/<way>: the browser comes back from the sign-in page of another service."""

from typing import assert_never

from aiohttp import web

from alexa_oauth.protocol import departure
from alexa_oauth.protocol.departure import Arrival
from alexa_oauth.protocol.errors import ErrorCode, RequestRefused
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Parameters, PendingRequest
from alexa_oauth.protocol.sign_in import (
    AwaitsAdministrator,
    NotAllowed,
    NothingEntered,
    ServiceUnavailable,
    SignedIn,
    SignInCrowded,
    SignInElsewhere,
    SignInFailed,
    Visitor,
)
from alexa_oauth.web.ask_again import ask_again
from alexa_oauth.web.caller import identify
from alexa_oauth.web.consent import consent_page_again
from alexa_oauth.web.endpoint import Handler, shows_refusals
from alexa_oauth.web.forms import read_query
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.session import browser_of


def returning_from(way: SignInElsewhere) -> Handler:
    """The endpoint to which that way's service sends the browser back."""

    @shows_refusals
    async def sign_in(request: web.Request) -> web.Response:
        """Judge whose browser this is before what it brings; nothing that came with it is shown."""
        parts = request.app[PARTS]
        parameters = read_query(request)
        arrival = _arrival(request, parameters, way.way)
        returned = await parts.store.write(lambda tx: departure.come_back(tx, arrival))
        if not returned.is_first:
            return consent_page_again(request, returned.pending)
        return await _judge(request, way, returned.pending, parameters)

    return sign_in


def _arrival(request: web.Request, parameters: Parameters, way: str) -> Arrival:
    if parameters.repeated or parameters.malformed:
        raise _refused(Reason.PARAMETER_MALFORMED)
    return Arrival(way, parameters.get("state") or "", browser_of(request) or "")


async def _judge(request: web.Request, way: SignInElsewhere, pending: PendingRequest, parameters: Parameters) -> web.Response:
    parts = request.app[PARTS]
    caller = identify(request)
    verdict = await way.judge_return(pending, parameters.values, Visitor(caller.address, caller.is_known))
    match verdict:
        case SignedIn():
            known = await parts.store.write(lambda tx: departure.welcome(tx, pending, verdict))
            return consent_page_again(request, known)
        case NothingEntered() | SignInFailed() | SignInCrowded() | ServiceUnavailable() | NotAllowed() | AwaitsAdministrator():
            return await ask_again(request, pending, verdict)
        case _:
            assert_never(verdict)


def _refused(reason: Reason) -> RequestRefused:
    return RequestRefused(ErrorCode.ACCESS_DENIED, "The answer was refused", reason)
