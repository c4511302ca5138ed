"""The consent page of a pending request, as first shown and as shown again after a wrong sign-in."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from alexa_oauth.protocol.models import Client, PendingRequest
from alexa_oauth.protocol.policy import SCOPES
from alexa_oauth.protocol.words import words_of
from alexa_oauth.web.answers import page_answer
from alexa_oauth.web.pages import ConsentView
from alexa_oauth.web.parts import Parts


@dataclass(frozen=True, slots=True)
class Wrong:
    """What the page says after a wrong sign-in."""

    error: str
    attempts_left: int


def consent_page(parts: Parts, client: Client, pending: PendingRequest, wrong: Wrong | None = None) -> web.Response:
    """The page that asks. Everything on it comes from the server's own record of the request."""
    view = ConsentView(
        client_name=client.name,
        redirect_host=urlsplit(pending.request.redirect_uri).netloc,
        scopes=tuple(SCOPES[token] for token in pending.request.scope),
        sign_in=parts.sign_in.way,
        request_id=pending.request_id,
        csrf=pending.csrf,
        words=words_of(pending.request_id),
        error=wrong.error if wrong else None,
        attempts_left=wrong.attempts_left if wrong else None,
        reference=pending.attempt,
    )
    return page_answer(parts.pages, parts.pages.consent(view))
