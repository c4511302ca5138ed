"""GET /alexa/verify: whether a bearer token is good, for the `auth_request` of a reverse proxy (RFC 6750)."""

from typing import assert_never

from aiohttp import web

from alexa_oauth.protocol.errors import ClockDoubtful, RequestRefused, StorageUnavailable
from alexa_oauth.protocol.introspection import BearerRefused, check_bearer
from alexa_oauth.protocol.models import AccessToken, Scope
from alexa_oauth.protocol.scope import parse
from alexa_oauth.web.answers import REALM, RETRY_SECONDS
from alexa_oauth.web.first_use import note_first_use
from alexa_oauth.web.forms import FormRefused, raw_query, read_query
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.plain_answer import PlainAnswer, header_fields


async def verify(request: web.Request) -> PlainAnswer:
    """200 with who and what in headers, or the challenge of RFC 6750 §3. A token counts in the header field alone."""
    headers = request.headers.getall("Authorization", [])
    if not headers:
        return _challenge(401)
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        return _challenge(401)
    try:
        asked = _asked_scope(request)
        if len(headers) > 1 or request.can_read_body or asked is None:
            return _challenge(400, error="invalid_request")
        return await _judge(request, token.strip(" "), asked)
    except (StorageUnavailable, ClockDoubtful):
        return PlainAnswer(503, header_fields({"Retry-After": str(RETRY_SECONDS)}))


async def _judge(request: web.Request, token: str, asked: Scope) -> PlainAnswer:
    store = request.app[PARTS].store
    outcome = store.read(lambda tx: check_bearer(tx, token, asked))
    match outcome:
        case AccessToken():
            if outcome.used_at is None:
                await note_first_use(store, token)
            return _identity(outcome)
        case BearerRefused(insufficient_scope=True):
            return _challenge(403, error="insufficient_scope", scope=" ".join(asked))
        case BearerRefused():
            return _challenge(401, error="invalid_token")
        case _:
            assert_never(outcome)


def _asked_scope(request: web.Request) -> Scope | None:
    """The scope that the resource asks for; `None` if the query cannot be read or carries a token (RFC 6750 §2.3)."""
    if not raw_query(request):
        return ()
    try:
        query = read_query(request)
        if query.repeated or query.malformed or query.get("access_token") is not None:
            return None
        return parse(query.get("scope") or "")
    except (FormRefused, RequestRefused):
        return None


def _identity(access_token: AccessToken) -> PlainAnswer:
    who_and_what = {
        "X-OAuth-Subject": access_token.subject,
        "X-OAuth-Client": access_token.client_id,
        "X-OAuth-Scope": " ".join(access_token.scope),
    }
    return PlainAnswer(further=header_fields(who_and_what))


def _challenge(status: int, **parameters: str) -> PlainAnswer:
    said = ", ".join(f'{name}="{value}"' for name, value in {"realm": REALM, **parameters}.items())
    return PlainAnswer(status, header_fields({"WWW-Authenticate": f"Bearer {said}"}))
