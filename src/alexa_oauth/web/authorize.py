"""GET and POST /alexa/authorize: the authorization endpoint (RFC 6749 §3.1)."""

from dataclasses import replace

from aiohttp import web

from alexa_oauth.protocol import authorization
from alexa_oauth.protocol.authorization import ReturnAddress, Visit
from alexa_oauth.protocol.credentials import new_attempt
from alexa_oauth.protocol.errors import ErrorCode, Refusal, RequestRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.metadata import GRANT_TYPES
from alexa_oauth.protocol.models import AuthorizationRequest, Parameters
from alexa_oauth.protocol.redirect_uri import is_loopback
from alexa_oauth.web.answers import redirect_answer
from alexa_oauth.web.caller import identify, is_local, user_agent_of
from alexa_oauth.web.consent import consent_page
from alexa_oauth.web.forms import FormRefused, raw_query, read_form, read_query
from alexa_oauth.web.parts import PARTS, Parts
from alexa_oauth.web.problems import UNAVAILABLE, problem_for, problem_page
from alexa_oauth.web.session import new_browser, remember

_UNAVAILABLE = Refusal(
    ErrorCode.TEMPORARILY_UNAVAILABLE, "The server cannot store anything at the moment", Reason.STORAGE_UNAVAILABLE
)


async def authorize(request: web.Request) -> web.Response:
    """Show the consent page, or say what is wrong: on a page of our own until client and redirect URI are known good."""
    parts = request.app[PARTS]
    attempt = new_attempt(parts.entropy)
    parameters = shown = Parameters({})
    try:
        parameters = await _read(request)
        _check_reachable(request)
        address = parts.store.read(lambda tx: authorization.locate(tx.clients, parameters, parts.policy.issuer))
    except FormRefused as refused:
        reason = Reason.PARAMETER_MALFORMED
        problem = replace(problem_for(reason), status=refused.status)
    except RequestRefused as refused:
        reason, shown = refused.refusal.reason, parameters
        problem = problem_for(reason)
    except StorageUnavailable:
        problem, reason = UNAVAILABLE, Reason.STORAGE_UNAVAILABLE
    else:
        return await _answer_back(request, address, parameters, attempt)
    parts.report(_refused(request, attempt, reason, parameters))
    return problem_page(request, problem, attempt, shown.values)


async def _answer_back(request: web.Request, address: ReturnAddress, parameters: Parameters, attempt: str) -> web.Response:
    """From here on, every refusal goes back to the client."""
    parts = request.app[PARTS]
    try:
        checked = authorization.check(address, parameters)
        visit = Visit(attempt, identify(request).address, user_agent_of(request), new_browser(request, parts.entropy))
        if _is_self_test(request, address):
            return redirect_answer(address.with_code(await _approve_self_test(parts, checked, visit)))
        return await _ask(request, address, checked, visit)
    except RequestRefused as refused:
        refusal = refused.refusal
    except StorageUnavailable:
        refusal = _UNAVAILABLE
    parts.report(_refused(request, attempt, refusal.reason, parameters))
    return redirect_answer(address.with_error(refusal))


async def _ask(request: web.Request, address: ReturnAddress, checked: AuthorizationRequest, visit: Visit) -> web.Response:
    parts = request.app[PARTS]
    pending = await parts.store.write(lambda tx: authorization.begin(tx, checked, visit, parts.entropy))
    parts.button.arrived(pending.request_id)
    parts.report(Event(EventName.CONSENT_SHOWN, visit.attempt, checked.client_id, address=visit.address))
    response = consent_page(request, address.client, pending)
    remember(response, parts.face, visit.browser)
    return response


async def _approve_self_test(parts: Parts, checked: AuthorizationRequest, visit: Visit) -> str:
    policy, entropy = parts.policy, parts.entropy
    return await parts.store.write(lambda tx: authorization.approve_self_test(tx, checked, visit, policy, entropy))


def _is_self_test(request: web.Request, address: ReturnAddress) -> bool:
    """A code without a person: only for a request from this machine, through no proxy, that returns to this machine."""
    client = address.client
    may_pass = request.app[PARTS].face.self_test and client.auto_approve
    return may_pass and is_local(request) and all(is_loopback(uri) for uri in client.redirect_uris)


def _check_reachable(request: web.Request) -> None:
    if not request.app[PARTS].face.is_configured and not is_local(request):
        raise RequestRefused(ErrorCode.SERVER_ERROR, "public_url is not set", Reason.PUBLIC_URL_UNSET)


async def _read(request: web.Request) -> Parameters:
    """The parameters, from the query or from the body, but never from both (RFC 6749 §3.1)."""
    if request.method == "GET":
        return read_query(request)
    if raw_query(request):
        raise FormRefused(400, "Parameters stand in the query and in the body")
    return await read_form(request)


def _refused(request: web.Request, attempt: str, reason: Reason, parameters: Parameters) -> Event:
    """A `grant_type` says that a token request came to the wrong address."""
    detail = {name: value for name in ("redirect_uri", "scope") if (value := parameters.get(name))}
    detail["user_agent"] = user_agent_of(request)
    grant_type = parameters.get("grant_type")
    if grant_type in GRANT_TYPES:
        detail["grant_type"] = grant_type
    client_id, address = parameters.get("client_id"), identify(request).address
    return Event(EventName.AUTHORIZE_REFUSED, attempt, client_id, reason=reason, address=address, detail=detail)
