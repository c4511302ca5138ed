"""The way in inside Home Assistant: who is let in, and who they are.

Home Assistant checks who is signed in and passes their requests on through its ingress gateway, which says who they are. Every
other container of the same network can reach this port, too, and say whatever it likes: so the connection itself must come
from the gateway. Under which path the browser sees the panel, the gateway only repeats: that proves nothing.
"""

import re
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from alexa_oauth.admin.csrf import Csrf
from alexa_oauth.admin.visit import Visit
from alexa_oauth.protocol.models import Resident
from alexa_oauth.protocol.people import recognise, welcome
from alexa_oauth.protocol.ports import Store
from alexa_oauth.web.caller import peer_of

GATEWAY: Final = ip_address("172.30.32.2")
"""Where the Supervisor, which runs the gateway, is in every installation of Home Assistant."""

_USER_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_PATH: Final = re.compile(r"/api/hassio_ingress/[0-9A-Za-z_-]{1,200}")
_NAME_CHARACTERS: Final = 80


class HomeAssistantDoor:
    """Lets in whom Home Assistant signed in; the first of them becomes administrator."""

    framed_by = "'self'"
    """To the browser, Home Assistant and the panel are of one origin."""

    def __init__(self, store: Store, csrf: Csrf) -> None:
        """`store` knows the people who were here before."""
        self._store = store
        self._csrf = csrf

    def check(self, request: web.Request) -> None:
        """403 for every other peer, whatever the path."""
        if peer_of(request) != GATEWAY:
            raise web.HTTPForbidden

    async def admit(self, request: web.Request) -> Visit | None:
        """The person whom Home Assistant names, written down if they or their name are new."""
        subject = _subject_of(request)
        if subject is None:
            return None
        person = await self._person(subject, _name_of(request))
        return Visit(person, _path_of(request), self._csrf.value_for(subject), may_sign_out=False)

    async def _person(self, subject: str, name: str) -> Resident:
        known = self._store.read(lambda tx: recognise(tx, subject, name))
        return known if known is not None else await self._store.write(lambda tx: welcome(tx, subject, name))


def _subject_of(request: web.Request) -> str | None:
    """Who is signed in, as the subject of what they approve."""
    ids = request.headers.getall("X-Remote-User-Id", [])
    return f"ha:{ids[0]}" if len(ids) == 1 and _USER_ID.fullmatch(ids[0]) else None


def _name_of(request: web.Request) -> str:
    """What Home Assistant calls the person; it sends UTF-8."""
    sent = request.headers.get("X-Remote-User-Display-Name") or request.headers.get("X-Remote-User-Name") or ""
    readable = sent.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    name = "".join(mark for mark in readable if mark.isprintable()).strip()
    return name[:_NAME_CHARACTERS] or "Somebody without a name"


def _path_of(request: web.Request) -> str:
    path = request.headers.get("X-Ingress-Path", "")
    return path if _PATH.fullmatch(path) else ""
