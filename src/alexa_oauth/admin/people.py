"""Who administers the panel: the changes that one administrator can make to others."""

from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import done
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.admin.visit import form_of, person_of
from alexa_oauth.protocol.people import appoint, dismiss

_REMOVED: Final = "They are an administrator no longer."
_KEPT: Final = "Nothing was changed: one administrator must stay."


async def add(request: web.Request) -> web.Response:
    """Make somebody an administrator who opened the panel before."""
    subject, by = form_of(request).get("subject", ""), person_of(request)
    person = await request.app[PARTS].store.write(lambda tx: appoint(tx, subject, by))
    return done(request, "/", f"{person.name} is an administrator now." if person else "Nobody by that name opened the panel.")


async def remove(request: web.Request) -> web.Response:
    """Let somebody administer no longer, unless nobody would be left."""
    subject, by = form_of(request).get("subject", ""), person_of(request)
    is_removed = await request.app[PARTS].store.write(lambda tx: dismiss(tx, subject, by))
    return done(request, "/", _REMOVED if is_removed else _KEPT)
