"""What a person reads whose sign-in led nowhere: why, on the consent page where there is another try."""

from typing import assert_never

from aiohttp import web

from alexa_oauth.protocol import authorization, departure
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import PendingRequest
from alexa_oauth.protocol.sign_in import (
    AwaitsAdministrator,
    NotAllowed,
    NotSignedIn,
    ServiceUnavailable,
    SignInCrowded,
    SignInFailed,
)
from alexa_oauth.web.answers import problem_answer
from alexa_oauth.web.caller import identify
from alexa_oauth.web.consent import Wrong, consent_page_again
from alexa_oauth.web.endpoint import count_failure
from alexa_oauth.web.parts import PARTS, Parts
from alexa_oauth.web.problems import CROWDED, problem_for

_WRONG = "That code is wrong, or has expired. Read the current code and try again."
_FAILED_ELSEWHERE = "You are not signed in: {service} did not confirm who you are. Try again, or choose Deny."
_UNAVAILABLE = "{service} does not answer at the moment. Your request is still waiting: try again in a moment."
_NOT_ALLOWED = "{name} may not approve links in this home. Ask whoever runs this server, or sign in as somebody else."
_REFUSED = "{service} does not let this account in. Sign in with another one, or ask whoever runs {service}."
_AWAITED = "{name} must first be allowed by an administrator, in the panel of this server. Then sign in here once more."
_NAMELESS = "This account"


async def ask_again(request: web.Request, pending: PendingRequest, outcome: NotSignedIn) -> web.Response:
    """Answer a sign-in that led nowhere. The request waits on, but for one at which too much was guessed."""
    parts = request.app[PARTS]
    service = parts.elsewhere.service if parts.elsewhere is not None else _NAMELESS
    match outcome:
        case SignInCrowded():
            return problem_answer(parts.pages, CROWDED, retry_after=outcome.retry_after)
        case SignInFailed():
            return await _failed(request, pending, outcome)
        case ServiceUnavailable():
            _report(request, pending, Reason.SIGN_IN_UNAVAILABLE, {"service": outcome.service, "problem": outcome.problem})
            return consent_page_again(parts, pending, Wrong(_UNAVAILABLE.format(service=outcome.service)))
        case NotAllowed():
            await parts.store.write(lambda tx: departure.refuse(tx, pending, outcome))
            told = _NOT_ALLOWED if outcome.why is Reason.NOT_AN_APPROVER else _REFUSED
            name = outcome.person.name if outcome.person else _NAMELESS
            return consent_page_again(parts, pending, Wrong(told.format(name=name, service=service)))
        case AwaitsAdministrator():
            await parts.store.write(lambda tx: departure.keep_waiting(tx, pending, outcome))
            return consent_page_again(parts, pending, Wrong(_AWAITED.format(name=outcome.person.name)))
        case _:
            assert_never(outcome)


async def _failed(request: web.Request, pending: PendingRequest, failed: SignInFailed) -> web.Response:
    parts = request.app[PARTS]
    if not failed.attempts_left:
        await parts.store.write(lambda tx: authorization.give_up(tx, pending))
        return problem_answer(parts.pages, problem_for(Reason.SIGN_IN_EXHAUSTED), pending.attempt)
    _report(request, pending, Reason.SIGN_IN_WRONG)
    wait = count_failure(parts, identify(request))
    if wait is not None:
        return problem_answer(parts.pages, CROWDED, pending.attempt, retry_after=wait)
    return consent_page_again(parts, pending, _wrong(parts, failed))


def _wrong(parts: Parts, failed: SignInFailed) -> Wrong:
    if parts.elsewhere is not None:
        return Wrong(_FAILED_ELSEWHERE.format(service=parts.elsewhere.service))
    return Wrong(_WRONG, failed.attempts_left)


def _report(request: web.Request, pending: PendingRequest, reason: Reason, detail: dict[str, str] | None = None) -> None:
    parts, client_id, address = request.app[PARTS], pending.request.client_id, identify(request).address
    parts.report(Event(EventName.SIGN_IN_FAILED, pending.attempt, client_id, reason=reason, address=address, detail=detail or {}))
