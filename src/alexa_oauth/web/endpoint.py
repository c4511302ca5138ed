"""What the endpoints share: how a refusal is reported, counted and said, to programs as JSON and to people on a page."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from http import HTTPStatus
from typing import Final, assert_never

from aiohttp import web

from alexa_oauth.protocol.client_authentication import FAILED, authenticate, read_credentials
from alexa_oauth.protocol.errors import ClockDoubtful, ErrorCode, OwnCall, Refusal, RequestRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import Client, Parameters
from alexa_oauth.web.answers import REALM, error_answer, unavailable_answer
from alexa_oauth.web.caller import Caller, identify
from alexa_oauth.web.forms import FormRefused
from alexa_oauth.web.parts import PARTS, Parts
from alexa_oauth.web.plain_answer import PlainAnswer
from alexa_oauth.web.problems import UNAVAILABLE, problem_for, problem_page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_GUESSES: Final = frozenset({ErrorCode.INVALID_CLIENT, ErrorCode.INVALID_GRANT})


def answers_refusals(name: EventName) -> Callable[[Handler], Handler]:
    """Wrap a handler so that what it raises becomes the answer of RFC 6749 §5.2, reported as an event of that name."""

    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except FormRefused as refused:
                if refused.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:  # a body that broke off is told to nobody
                    _report(request, name, Reason.BODY_UNREADABLE)
                return error_answer(ErrorCode.INVALID_REQUEST, refused.description, status=refused.status)
            except OwnCall as refused:
                return refusal_answer(request, refused.refusal)
            except RequestRefused as refused:
                _report(request, name, refused.refusal)
                return refusal_answer(request, refused.refusal)
            except StorageUnavailable:
                _report(request, name, Reason.STORAGE_UNAVAILABLE)
                return unavailable_answer()
            except ClockDoubtful:
                _report(request, name, Reason.CLOCK_DOUBTFUL)
                return unavailable_answer()

        return guarded

    return wrap


def shows_refusals(handler: Handler) -> Handler:
    """Wrap a handler so that what it raises becomes a page: for requests of which nobody proved where they may be returned to."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except FormRefused as refused:
            return problem_page(request, replace(problem_for(Reason.PARAMETER_MALFORMED), status=refused.status))
        except RequestRefused as refused:
            _report(request, EventName.CONSENT_REFUSED, refused.refusal)
            return problem_page(request, problem_for(refused.refusal.reason), refused.refusal.attempt or "")
        except (StorageUnavailable, ClockDoubtful):
            return problem_page(request, UNAVAILABLE)

    return guarded


def refusal_answer(request: web.Request, refusal: Refusal) -> PlainAnswer:
    """Say a refusal; wrong credentials count against the address, and judge what is said from some number on."""
    if refusal.error in _GUESSES:
        wait = count_failure(request.app[PARTS], identify(request))
        if wait is not None:
            return error_answer(
                ErrorCode.SLOW_DOWN, "Too many failed attempts from this address", headers={"Retry-After": str(wait)}
            )
    challenge = refusal.error is ErrorCode.INVALID_CLIENT and "Authorization" in request.headers
    headers = {"WWW-Authenticate": f'Basic realm="{REALM}", charset="UTF-8"'} if challenge else None
    return error_answer(refusal.error, refusal.description, headers=headers)


def count_failure(parts: Parts, caller: Caller) -> int | None:
    """Count a failed attempt; the seconds to wait once the address had too many. Behind an unknown proxy all look alike."""
    return parts.limiter.failed(caller.address) if caller.is_known else None


def check_parameters(parameters: Parameters) -> None:
    """RFC 6749 §3.2: no parameter may come twice, and what cannot be read is no request."""
    if parameters.repeated:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "A parameter is repeated", Reason.PARAMETER_REPEATED)
    if parameters.malformed:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "A parameter cannot be read", Reason.PARAMETER_MALFORMED)


def authenticate_client(request: web.Request, parameters: Parameters) -> Client:
    """The client of a request, judged before anything waits for the writer."""
    headers = request.headers.getall("Authorization", [])
    if len(headers) > 1:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "Authorization is repeated", Reason.CREDENTIALS_TWICE)
    credentials = read_credentials(headers[0] if headers else None, parameters.values)
    return request.app[PARTS].store.read(lambda tx: authenticate(tx.clients, credentials))


def authenticate_named_client(request: web.Request, parameters: Parameters) -> Client:
    """The client of a request that makes no sense without one (RFC 7009 §2.1, RFC 7662 §2.1): nameless is not authenticated."""
    if "Authorization" not in request.headers and parameters.get("client_id") is None:
        raise RequestRefused(ErrorCode.INVALID_CLIENT, FAILED, Reason.SECRET_MISSING)
    return authenticate_client(request, parameters)


def _report(request: web.Request, name: EventName, refused: Refusal | Reason) -> None:
    address = identify(request).address
    match refused:
        case Refusal():
            event = Event(name, refused.attempt, refused.client_id, reason=refused.reason, address=address)
        case Reason():
            event = Event(name, reason=refused, address=address)
        case _:
            assert_never(refused)
    request.app[PARTS].report(event)
