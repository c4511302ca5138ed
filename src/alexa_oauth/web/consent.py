"""The consent page of a pending request: as first shown, after a sign-in, and after one that failed."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from alexa_oauth.protocol.errors import ErrorCode, RequestRefused
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Client, PendingRequest
from alexa_oauth.protocol.policy import SCOPES
from alexa_oauth.protocol.words import words_of
from alexa_oauth.web.answers import page_answer
from alexa_oauth.web.pages import ConsentView
from alexa_oauth.web.parts import Parts


@dataclass(frozen=True, slots=True)
class Wrong:
    """What the page says after a sign-in that led nowhere; `attempts_left` only where tries are counted."""

    error: str
    attempts_left: int | None = None


def consent_page(parts: Parts, client: Client, pending: PendingRequest, wrong: Wrong | None = None) -> web.Response:
    """The page that asks. Everything on it comes from the server's own record of the request."""
    person = pending.person
    view = ConsentView(
        client_name=client.name,
        redirect_host=urlsplit(pending.request.redirect_uri).netloc,
        scopes=tuple(SCOPES[token] for token in pending.request.scope),
        sign_in=parts.sign_in.way,
        person=person.name if person and person.is_confirmed else None,
        elsewhere=parts.elsewhere.service if parts.elsewhere else None,
        request_id=pending.request_id,
        csrf=pending.csrf,
        words=words_of(pending.request_id),
        error=wrong.error if wrong else None,
        attempts_left=wrong.attempts_left if wrong else None,
        reference=pending.attempt,
    )
    return page_answer(parts.pages, parts.pages.consent(view))


def consent_page_again(parts: Parts, pending: PendingRequest, wrong: Wrong | None = None) -> web.Response:
    """The page for a request whose client may have changed since it was first shown."""
    client = parts.store.read(lambda tx: tx.clients.find(pending.request.client_id))
    if client is None:
        raise RequestRefused(ErrorCode.ACCESS_DENIED, "The client is not known any more", Reason.CLIENT_UNKNOWN)
    return consent_page(parts, client, pending, wrong)
