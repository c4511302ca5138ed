"""The consent page of a pending request: as first shown, after a sign-in, and after one that failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from alexa_oauth.protocol.errors import ErrorCode, RequestRefused
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Client, PendingRequest
from alexa_oauth.protocol.words import words_of
from alexa_oauth.web.answers import page_answer
from alexa_oauth.web.language import spoken_in, texts_for
from alexa_oauth.web.pages import ConsentView
from alexa_oauth.web.parts import PARTS


@dataclass(frozen=True, slots=True)
class Wrong:
    """What the page says after a sign-in that led nowhere: an entry of the texts, and what is filled into it.

    `attempts_left` only where tries are counted.
    """

    entry: str
    values: Mapping[str, str] = field(default_factory=dict)
    attempts_left: int | None = None


def consent_page(request: web.Request, client: Client, pending: PendingRequest, wrong: Wrong | None = None) -> web.Response:
    """The page that asks. Everything on it comes from the server's own record of the request, but for its language."""
    parts, texts = request.app[PARTS], texts_for(request)
    person = pending.person
    view = ConsentView(
        client_name=client.name,
        redirect_host=urlsplit(pending.request.redirect_uri).netloc,
        scopes=tuple(texts[f"scopes.{token}"] for token in pending.request.scope),
        sign_in=parts.sign_in.way,
        person=person.name if person and person.is_confirmed else None,
        elsewhere=parts.elsewhere.service if parts.elsewhere else None,
        is_allowed=parts.button.allowed_by(pending.request_id) is not None,
        request_id=pending.request_id,
        csrf=pending.csrf,
        words=words_of(pending.request_id),
        error=texts.say(wrong.entry, **wrong.values) if wrong else None,
        attempts_left=wrong.attempts_left if wrong else None,
        reference=pending.attempt,
    )
    return page_answer(parts.pages, parts.pages.consent(view, texts), headers=spoken_in(texts))


def consent_page_again(request: web.Request, pending: PendingRequest, wrong: Wrong | None = None) -> web.Response:
    """The page for a request whose client may have changed since it was first shown."""
    client = request.app[PARTS].store.read(lambda tx: tx.clients.find(pending.request.client_id))
    if client is None:
        raise RequestRefused(ErrorCode.ACCESS_DENIED, "The client is not known any more", Reason.CLIENT_UNKNOWN)
    return consent_page(request, client, pending, wrong)
