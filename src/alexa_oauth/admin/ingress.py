"""The panel inside Home Assistant: who is let in, who they are, and what they see.

Home Assistant checks who is signed in and passes their requests on through its ingress gateway, which says who they are. Every
other container of the same network can reach this port, too, and say whatever it likes: so the connection itself must come
from the gateway. Under which path the browser sees the panel, the gateway only repeats: that proves nothing.
"""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from alexa_oauth import __version__
from alexa_oauth.protocol.credentials import new_pairing_code
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.ports import Entropy, Store
from alexa_oauth.web.answers import page_answer
from alexa_oauth.web.caller import peer_of
from alexa_oauth.web.pages import Pages, PanelView
from alexa_oauth.web.problems import UNAVAILABLE

GATEWAY: Final = ip_address("172.30.32.2")
"""Where the Supervisor, which runs the gateway, is in every installation of Home Assistant."""

_USER_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_PATH: Final = re.compile(r"/api/hassio_ingress/[0-9A-Za-z_-]{1,200}")


@web.middleware
async def from_gateway_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 for every other peer, whatever the path."""
    if peer_of(request) != GATEWAY:
        raise web.HTTPForbidden
    return await handler(request)


def subject_of(request: web.Request) -> str | None:
    """Who is signed in to Home Assistant, as the subject of what they approve; to be asked behind `from_gateway_only` alone."""
    ids = request.headers.getall("X-Remote-User-Id", [])
    return f"ha:{ids[0]}" if len(ids) == 1 and _USER_ID.fullmatch(ids[0]) else None


def path_of(request: web.Request) -> str:
    """Under which path the browser sees the panel: what every link begins with."""
    path = request.headers.get("X-Ingress-Path", "")
    return path if _PATH.fullmatch(path) else ""


class IngressPanel:
    """The one page so far: a pairing code for whoever is signed in."""

    def __init__(self, store: Store, pages: Pages, entropy: Entropy, *, asks_for_code: bool) -> None:
        """`asks_for_code` says whether the consent page wants a pairing code."""
        self._store = store
        self._pages = pages
        self._entropy = entropy
        self._asks_for_code = asks_for_code

    async def home(self, request: web.Request) -> web.Response:
        """What to do next, and the code of this person."""
        subject = subject_of(request)
        try:
            shown = await self._code(subject) if subject and self._asks_for_code else None
        except StorageUnavailable:
            return self._framed(self._pages.problem(UNAVAILABLE.view(reference="")), UNAVAILABLE.status)
        return self._framed(self._pages.panel(PanelView(__version__, path_of(request), self._asks_for_code, shown)))

    async def _code(self, subject: str) -> tuple[str, str]:
        """The person's present code, and until when it works on the household's clocks."""
        fresh = new_pairing_code(self._entropy)
        code, expires_at = await self._store.write(lambda tx: tx.pairing_codes.current(subject, fresh))
        return f"{code[:4]}-{code[4:]}", datetime.fromtimestamp(expires_at, UTC).astimezone().strftime("%H:%M")

    def _framed(self, html: str, status: int = HTTPStatus.OK) -> web.Response:
        """Home Assistant frames the panel; to the browser both are of one origin."""
        headers = {"Content-Security-Policy": self._pages.framed_policy, "X-Frame-Options": "SAMEORIGIN"}
        return page_answer(self._pages, html, status, headers)
