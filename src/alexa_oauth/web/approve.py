"""POST /alexa/approve: the person's answer to the consent page."""

from typing import assert_never

from aiohttp import web

from alexa_oauth.protocol import authorization
from alexa_oauth.protocol.authorization import Claim
from alexa_oauth.protocol.errors import ClockDoubtful, ErrorCode, RequestRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import Parameters, PendingRequest
from alexa_oauth.protocol.ports import SignedIn, SignInCrowded, SignInFailed, Visitor
from alexa_oauth.web.answers import page_answer, redirect_answer
from alexa_oauth.web.caller import identify
from alexa_oauth.web.consent import Wrong, consent_page
from alexa_oauth.web.endpoint import count_failure
from alexa_oauth.web.forms import FormRefused, read_form
from alexa_oauth.web.parts import PARTS, Parts
from alexa_oauth.web.problems import CROWDED, UNAVAILABLE, Problem, problem_for
from alexa_oauth.web.session import browser_of, is_foreign

_WRONG = "That code is wrong, or has expired. Read the current code and try again."
_DECISIONS = frozenset({"approve", "deny"})


async def approve(request: web.Request) -> web.Response:
    """Judge who answers before what is answered; every refusal is a page, since nobody proved where to return to."""
    parts = request.app[PARTS]
    try:
        if is_foreign(request):
            raise _refused(Reason.ORIGIN_FOREIGN)
        parameters = await read_form(request)
        claim = _claim(request, parameters)
        pending = parts.store.read(lambda tx: authorization.find_claimed(tx, claim))
        return await _decide(request, parameters, claim, pending)
    except FormRefused as refused:
        return _page(parts, problem_for(Reason.PARAMETER_MALFORMED), status=refused.status)
    except RequestRefused as refused:
        reason = refused.refusal.reason
        parts.report(Event(EventName.CONSENT_REFUSED, reason=reason, address=identify(request).address))
        return _page(parts, problem_for(reason))
    except (StorageUnavailable, ClockDoubtful):
        return _page(parts, UNAVAILABLE)


def _claim(request: web.Request, parameters: Parameters) -> Claim:
    if parameters.repeated or parameters.malformed or parameters.get("decision") not in _DECISIONS:
        raise _refused(Reason.PARAMETER_MALFORMED)
    csrf = parameters.get("csrf")
    browser = browser_of(request)
    if csrf is None:
        raise _refused(Reason.CSRF_MISMATCH)
    if browser is None:
        raise _refused(Reason.BROWSER_MISMATCH)
    return Claim(parameters.get("request") or "", browser, csrf)


async def _decide(request: web.Request, parameters: Parameters, claim: Claim, pending: PendingRequest) -> web.Response:
    parts = request.app[PARTS]
    policy, entropy = parts.policy, parts.entropy
    if parameters.get("decision") == "deny":
        return redirect_answer(await parts.store.write(lambda tx: authorization.deny(tx, claim, policy)), status=303)
    caller = identify(request)
    outcome = await parts.sign_in.prove(pending, parameters.values, Visitor(caller.address, caller.is_known))
    match outcome:
        case SignedIn():
            location = await parts.store.write(lambda tx: authorization.approve(tx, claim, outcome, policy, entropy))
            return redirect_answer(location, status=303)
        case SignInFailed():
            return await _ask_again(request, pending, outcome)
        case SignInCrowded():
            return _page(parts, CROWDED, retry_after=outcome.retry_after)
        case _:
            assert_never(outcome)


async def _ask_again(request: web.Request, pending: PendingRequest, failed: SignInFailed) -> web.Response:
    parts = request.app[PARTS]
    caller = identify(request)
    if not failed.attempts_left:
        await parts.store.write(lambda tx: authorization.give_up(tx, pending))
        return _page(parts, problem_for(Reason.SIGN_IN_EXHAUSTED), reference=pending.attempt)
    client_id = pending.request.client_id
    parts.report(Event(EventName.SIGN_IN_FAILED, pending.attempt, client_id, reason=Reason.SIGN_IN_WRONG, address=caller.address))
    wait = count_failure(parts, caller)
    if wait is not None:
        return _page(parts, CROWDED, reference=pending.attempt, retry_after=wait)
    client = parts.store.read(lambda tx: tx.clients.find(client_id))
    if client is None:
        raise _refused(Reason.CLIENT_UNKNOWN)
    return consent_page(parts, client, pending, Wrong(_WRONG, failed.attempts_left))


def _page(
    parts: Parts, problem: Problem, *, reference: str = "", retry_after: int | None = None, status: int | None = None
) -> web.Response:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return page_answer(parts.pages, parts.pages.problem(problem.view(reference)), status or problem.status, headers)


def _refused(reason: Reason) -> RequestRefused:
    return RequestRefused(ErrorCode.ACCESS_DENIED, "The answer was refused", reason)
