"""POST /alexa/approve: the person's answer to the consent page."""

from typing import Final, assert_never

from aiohttp import web

from alexa_oauth.protocol import authorization, departure
from alexa_oauth.protocol.authorization import Claim
from alexa_oauth.protocol.errors import ErrorCode, RequestRefused
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Parameters, PendingRequest
from alexa_oauth.protocol.sign_in import (
    AwaitsAdministrator,
    GoElsewhere,
    NotAllowed,
    NothingEntered,
    ServiceUnavailable,
    SignedIn,
    SignInCrowded,
    SignInFailed,
    SignInOutcome,
    Visitor,
)
from alexa_oauth.web.answers import redirect_answer
from alexa_oauth.web.ask_again import ask_again
from alexa_oauth.web.caller import identify
from alexa_oauth.web.consent import consent_page_again
from alexa_oauth.web.endpoint import shows_refusals
from alexa_oauth.web.forms import read_form
from alexa_oauth.web.parts import PARTS, Parts
from alexa_oauth.web.session import browser_of, is_foreign

_APPROVE: Final = "approve"
_DENY: Final = "deny"
_SIGN_IN: Final = "sign_in"


@shows_refusals
async def approve(request: web.Request) -> web.Response:
    """Judge who answers before what is answered."""
    if is_foreign(request):
        raise _refused(Reason.ORIGIN_FOREIGN)
    parameters = await read_form(request)
    claim = _claim(request, parameters)
    pending = request.app[PARTS].store.read(lambda tx: authorization.find_claimed(tx, claim))
    return await _decide(request, parameters, claim, pending)


def _claim(request: web.Request, parameters: Parameters) -> Claim:
    decisions = _decisions(request.app[PARTS])
    if parameters.repeated or parameters.malformed or parameters.get("decision") not in decisions:
        raise _refused(Reason.PARAMETER_MALFORMED)
    return Claim(parameters.get("request") or "", browser_of(request) or "", parameters.get("csrf") or "")


def _decisions(parts: Parts) -> frozenset[str]:
    """What the page's buttons can say; that of the sign-in is there only if another service's page is the proof."""
    return frozenset({_APPROVE, _DENY} if parts.elsewhere is None else {_APPROVE, _DENY, _SIGN_IN})


async def _decide(request: web.Request, parameters: Parameters, claim: Claim, pending: PendingRequest) -> web.Response:
    parts = request.app[PARTS]
    policy, entropy = parts.policy, parts.entropy
    if parameters.get("decision") == _DENY:
        location = await parts.store.write(lambda tx: authorization.deny(tx, claim, policy))
        return _send_back(parts, pending, location)
    if parameters.get("decision") == _SIGN_IN and parts.button.allowed_by(pending.request_id):
        return consent_page_again(request, pending)
    outcome = await _who(request, parameters, pending)
    match outcome:
        case SignedIn():
            location = await parts.store.write(lambda tx: authorization.approve(tx, claim, outcome, policy, entropy))
            return _send_back(parts, pending, location)
        case GoElsewhere():
            await parts.store.write(lambda tx: departure.depart(tx, claim, outcome.departure))
            return redirect_answer(outcome.location, status=303)
        case NothingEntered() | SignInFailed() | SignInCrowded() | ServiceUnavailable() | NotAllowed() | AwaitsAdministrator():
            return await ask_again(request, pending, outcome)
        case _:
            assert_never(outcome)


async def _who(request: web.Request, parameters: Parameters, pending: PendingRequest) -> SignInOutcome:
    """Who approves: the person whom the request remembers, in whatever way they were let in, or who proves it now."""
    parts, person = request.app[PARTS], pending.person
    if person is not None and person.is_confirmed and parameters.get("decision") == _APPROVE:
        return SignedIn(person.subject, name=person.name)
    by = parts.button.allowed_by(pending.request_id)
    if by is not None:
        return SignedIn(by, way="button")
    caller = identify(request)
    return await parts.sign_in.prove(pending, parameters.values, Visitor(caller.address, caller.is_known))


def _send_back(parts: Parts, pending: PendingRequest, location: str) -> web.Response:
    parts.button.answered(pending.request_id)
    return redirect_answer(location, status=303)


def _refused(reason: Reason) -> RequestRefused:
    return RequestRefused(ErrorCode.ACCESS_DENIED, "The answer was refused", reason)
