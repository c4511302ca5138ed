"""Accounts of another service, such as Amazon's: whom an administrator lets in, and sends away again."""

from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import done
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.admin.visit import form_of, person_of
from alexa_oauth.protocol.accounts import confirm, withdraw
from alexa_oauth.protocol.models import Person
from alexa_oauth.protocol.ports import Transaction

_BACK: Final = "/waiting"
_CONFIRMED: Final = "{name} may link from now on. Now sign in once more on the page on the phone."
_GONE: Final = "That request waits no longer. Begin again in the Alexa app."
_WITHDRAWN: Final = "{name} may link no longer. Links that were made stay until you end them."
_UNKNOWN: Final = "Nothing was changed: that account may not link."


async def let_in(request: web.Request) -> web.Response:
    """Confirm the account that signed in for a waiting request."""
    attempt, by = form_of(request).get("attempt", ""), person_of(request).subject

    def rule(tx: Transaction) -> Person | None:
        pending = tx.authorizations.find_waiting(attempt)
        return confirm(tx, pending, by) if pending is not None else None

    person = await request.app[PARTS].store.write(rule)
    return done(request, _BACK, _CONFIRMED.format(name=person.name) if person else _GONE)


async def send_away(request: web.Request) -> web.Response:
    """Take a confirmation back."""
    subject, by = form_of(request).get("subject", ""), person_of(request).subject
    person = await request.app[PARTS].store.write(lambda tx: withdraw(tx, subject, by))
    return done(request, _BACK, _WITHDRAWN.format(name=person.name) if person else _UNKNOWN)
