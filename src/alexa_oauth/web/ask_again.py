"""What a person reads whose sign-in led nowhere: why, on the consent page where there is another try."""

from dataclasses import dataclass
from typing import Final, assert_never

from aiohttp import web

from alexa_oauth.protocol import authorization, departure
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import PendingRequest
from alexa_oauth.protocol.sign_in import (
    AwaitsAdministrator,
    NotAllowed,
    NothingEntered,
    NotSignedIn,
    ServiceUnavailable,
    SignInCrowded,
    SignInFailed,
)
from alexa_oauth.web.caller import identify
from alexa_oauth.web.consent import Wrong, consent_page_again
from alexa_oauth.web.endpoint import count_failure
from alexa_oauth.web.parts import PARTS, Parts
from alexa_oauth.web.problems import crowded_page, problem_for, problem_page


@dataclass(frozen=True, slots=True)
class _Entries:
    """What a page says whose fields held the wrong thing, or nothing."""

    wrong: str
    nothing: str


_OF_A_CODE: Final = _Entries("pairing_code.wrong", "pairing_code.nothing")
_OF_A_PASSWORD: Final = _Entries("password.wrong", "password.nothing")
_HOUSE: Final = "Home Assistant"
"""Whose accounts a person has who signs in on our own page."""


async def ask_again(request: web.Request, pending: PendingRequest, outcome: NotSignedIn) -> web.Response:
    """Answer a sign-in that led nowhere. The request waits on, but for one at which too much was guessed."""
    parts = request.app[PARTS]
    match outcome:
        case NothingEntered():
            return consent_page_again(request, pending, Wrong(_entries(parts).nothing))
        case SignInCrowded():
            return crowded_page(request, pending.attempt, outcome.retry_after)
        case SignInFailed():
            return await _failed(request, pending, outcome)
        case ServiceUnavailable():
            _report(request, pending, Reason.SIGN_IN_UNAVAILABLE, {"service": outcome.service, "problem": outcome.problem})
            return consent_page_again(request, pending, Wrong("sign_in.unavailable", {"service": outcome.service}))
        case NotAllowed():
            await parts.store.write(lambda tx: departure.refuse(tx, pending, outcome))
            return consent_page_again(request, pending, _not_allowed(parts, outcome))
        case AwaitsAdministrator():
            await parts.store.write(lambda tx: departure.keep_waiting(tx, pending, outcome))
            return consent_page_again(request, pending, Wrong("sign_in.awaited", {"name": outcome.person.name}))
        case _:
            assert_never(outcome)


async def _failed(request: web.Request, pending: PendingRequest, failed: SignInFailed) -> web.Response:
    parts = request.app[PARTS]
    if not failed.attempts_left:
        await parts.store.write(lambda tx: authorization.give_up(tx, pending))
        parts.button.answered(pending.request_id)
        return problem_page(request, problem_for(Reason.SIGN_IN_EXHAUSTED), pending.attempt)
    _report(request, pending, Reason.SIGN_IN_WRONG)
    wait = count_failure(parts, identify(request))
    if wait is not None:
        return crowded_page(request, pending.attempt, wait)
    return consent_page_again(request, pending, _wrong(parts, failed))


def _wrong(parts: Parts, failed: SignInFailed) -> Wrong:
    if parts.elsewhere is not None:
        return Wrong("sign_in.failed", {"service": parts.elsewhere.service})
    return Wrong(_entries(parts).wrong, attempts_left=failed.attempts_left)


def _entries(parts: Parts) -> _Entries:
    return _OF_A_PASSWORD if parts.sign_in.way == "password" else _OF_A_CODE


def _not_allowed(parts: Parts, refused: NotAllowed) -> Wrong:
    if refused.person is not None:
        return Wrong("sign_in.not_allowed", {"name": refused.person.name})
    return Wrong("sign_in.refused", {"service": parts.elsewhere.service if parts.elsewhere is not None else _HOUSE})


def _report(request: web.Request, pending: PendingRequest, reason: Reason, detail: dict[str, str] | None = None) -> None:
    parts, client_id, address = request.app[PARTS], pending.request.client_id, identify(request).address
    parts.report(Event(EventName.SIGN_IN_FAILED, pending.attempt, client_id, reason=reason, address=address, detail=detail or {}))
