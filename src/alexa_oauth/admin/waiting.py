"""Allow linking now: who waits at the consent page, and whom an administrator lets link by the click alone."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import done, page
from alexa_oauth.admin.parts import PARTS, AdminParts
from alexa_oauth.admin.visit import form_of, person_of
from alexa_oauth.diagnosis.user_agent import describe
from alexa_oauth.protocol.allowing import Allowance, find_to_allow, record_press
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import EventName
from alexa_oauth.protocol.models import Person, WaitingRequest
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.words import words_of

PATH: Final = "/waiting"
LISTED: Final = 50

_REFERENCE: Final = re.compile(r"[0-9a-f]{8}")
_ARMED: Final = "Armed for ten minutes. Now begin in the Alexa app."
_NOT_ARMED: Final = "Somebody waits already, so nothing was armed: pick the request whose words you see on the phone."
_ALLOWED: Final = "Allowed. Now press Approve & Link Account on the page that shows these words: {words}."
_GONE: Final = "That request waits no longer. Begin again in the Alexa app."
_RELEASED: Final = "Nothing passes by the click alone any more."


@dataclass(frozen=True, slots=True)
class RequestView:
    """One waiting request. `of_address` wait from its address, it included.

    `is_alike`: another listed request shows the same two words. `signed_in` is who has proved who they are already; the account
    may still have to be confirmed.
    """

    attempt: str
    words: str
    client_name: str
    begun_at: int
    address: str
    of_address: int
    browser: str
    is_allowed: bool
    is_alike: bool
    signed_in: Person | None


@dataclass(frozen=True, slots=True)
class WaitingView:
    """`by` is who gave the `allowance`. `unlisted` is how many more wait; `sought` is the reference that was looked for.

    `accounts` are those of another service that an administrator confirmed.
    """

    now: int
    allowance: Allowance | None
    by: str
    requests: tuple[RequestView, ...]
    unlisted: int
    sought: str
    is_guessed_at: bool
    accounts: tuple[Person, ...]


async def show(request: web.Request) -> web.Response:
    """The button and the list."""
    return page(request, "waiting", _view(request.app[PARTS], request.query.get("reference", "").strip().lower()))


async def arm(request: web.Request) -> web.Response:
    """Press the button. What it lets through is settled before anything is waited for, so that nobody slips in between."""
    parts, by = request.app[PARTS], person_of(request)
    if not parts.button.press(by.subject, waiting=parts.store.read(lambda tx: tx.authorizations.count_waiting())):
        return done(request, PATH, _NOT_ARMED)
    try:
        await parts.store.write(lambda tx: record_press(tx, EventName.BUTTON_ARMED, by))
    except StorageUnavailable:
        parts.button.release()
        raise
    return done(request, PATH, _ARMED)


async def allow(request: web.Request) -> web.Response:
    """Let one request through: the one that the person picked."""
    parts, by, attempt = request.app[PARTS], person_of(request), form_of(request).get("attempt", "")
    pending = await parts.store.write(lambda tx: find_to_allow(tx, attempt, by))
    if pending is None:
        return done(request, PATH, _GONE)
    parts.button.pick(pending.request_id, by.subject)
    return done(request, PATH, _ALLOWED.format(words=" ".join(words_of(pending.request_id))))


async def release(request: web.Request) -> web.Response:
    """Take back what the button let through."""
    parts, by = request.app[PARTS], person_of(request)
    parts.button.release()
    await parts.store.write(lambda tx: record_press(tx, EventName.BUTTON_RELEASED, by))
    return done(request, PATH, _RELEASED)


def _view(parts: AdminParts, sought: str) -> WaitingView:
    allowance = parts.button.allowance

    def look(tx: Transaction) -> WaitingView:
        waiting = _found(tx, sought) if sought else tx.authorizations.waiting(LISTED)
        giver = tx.people.find(allowance.by) if allowance else None
        listed = _listed(parts, tx, waiting)
        return WaitingView(
            now=tx.now,
            allowance=allowance,
            by=giver.name if giver else "somebody at the terminal",
            requests=listed,
            unlisted=0 if sought else tx.authorizations.count_waiting() - len(listed),
            sought=sought,
            is_guessed_at=parts.is_guessed_at(),
            accounts=tx.accounts.confirmed(),
        )

    return parts.store.read(look)


def _found(tx: Transaction, reference: str) -> tuple[WaitingRequest, ...]:
    """The one request of that reference: however many wait, its own page tells it."""
    pending = tx.authorizations.find_waiting(reference) if _REFERENCE.fullmatch(reference) else None
    return () if pending is None else (WaitingRequest(pending, 1),)


def _listed(parts: AdminParts, tx: Transaction, waiting: tuple[WaitingRequest, ...]) -> tuple[RequestView, ...]:
    same = Counter(words_of(found.pending.request_id) for found in waiting)
    alike = {words for words, number in same.items() if number > 1}
    return tuple(_row(parts, tx, found, is_alike=words_of(found.pending.request_id) in alike) for found in waiting)


def _row(parts: AdminParts, tx: Transaction, found: WaitingRequest, *, is_alike: bool) -> RequestView:
    pending = found.pending
    client = tx.clients.find(pending.request.client_id)
    return RequestView(
        attempt=pending.attempt,
        words=" ".join(words_of(pending.request_id)),
        client_name=client.name if client else pending.request.client_id,
        begun_at=pending.created_at,
        address=pending.address,
        of_address=found.of_address,
        browser=describe(pending.user_agent),
        is_allowed=parts.button.allowed_by(pending.request_id) is not None,
        is_alike=is_alike,
        signed_in=pending.person,
    )
