"""The admin application: Home Assistant opens it, or else a one-time link, since the terminal is in the household's hands."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from alexa_oauth.admin.ingress import IngressPanel, from_gateway_only
from alexa_oauth.protocol.credentials import new_secret
from alexa_oauth.protocol.ports import Entropy, Store
from alexa_oauth.web.answers import page_answer
from alexa_oauth.web.middleware import plain_errors, quiet_headers
from alexa_oauth.web.pages import Pages, ProblemView

LINK_SECONDS: Final = 600
SESSION_LIMIT: Final = 32

_COOKIE: Final = "alexa_oauth_admin"
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_CLOSED: Final = ProblemView(
    "This link opens nothing",
    "A link to the panel works once, and for ten minutes.",
    reference="",
    fix="Run `alexa-oauth admin-link` for a new one.",
)
_OPEN: Final = ProblemView(
    "alexa-oauth is running",
    "Its commands show the values for the Alexa developer console, the links and the audit trail.",
    reference="",
    fix="Run `alexa-oauth --help` for the list of commands.",
)


@dataclass(frozen=True, slots=True)
class AdminParts:
    """What the admin application is put together from. `asks_for_code`: approving takes a pairing code."""

    store: Store
    pages: Pages
    entropy: Entropy
    asks_for_code: bool


class _Panel:
    def __init__(self, parts: AdminParts) -> None:
        self._parts = parts
        self._sessions: dict[str, None] = {}

    async def open(self, request: web.Request) -> web.Response:
        """Spend the link and begin a session of this browser's."""
        _check_name(request)
        link = request.match_info["link"]
        if not await self._parts.store.write(lambda tx: tx.admin_links.spend(link)):
            return page_answer(self._parts.pages, self._parts.pages.problem(_CLOSED), 403)
        session = new_secret(self._parts.entropy)
        while len(self._sessions) >= SESSION_LIMIT:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[session] = None
        response = web.Response(status=303, headers={"Location": "/", "Cache-Control": "no-store"})
        response.set_cookie(_COOKIE, session, httponly=True, samesite="Strict", path="/")
        return response

    async def home(self, request: web.Request) -> web.Response:
        """The panel's first page, for those who opened it by a link."""
        _check_name(request)
        is_open = request.cookies.get(_COOKIE) in self._sessions
        html = self._parts.pages.problem(_OPEN if is_open else _CLOSED)
        return page_answer(self._parts.pages, html, 200 if is_open else 403)


def admin_application(parts: AdminParts, *, supervised: bool) -> web.Application:
    """The application of the admin listener; `supervised`: Home Assistant opens it, and nobody else."""
    gate = [from_gateway_only] if supervised else []
    app = web.Application(middlewares=[plain_errors(parts.entropy), *gate])
    app.on_response_prepare.append(quiet_headers)
    app.add_routes(_routes_in_home_assistant(parts) if supervised else _routes_by_link(parts))
    return app


def _routes_in_home_assistant(parts: AdminParts) -> list[web.RouteDef]:
    panel = IngressPanel(parts.store, parts.pages, parts.entropy, asks_for_code=parts.asks_for_code)
    return [web.get("/", panel.home)]


def _routes_by_link(parts: AdminParts) -> list[web.RouteDef]:
    panel = _Panel(parts)
    return [web.get("/", panel.home), web.get("/open/{link}", panel.open, allow_head=False)]


def _check_name(request: web.Request) -> None:
    """A name that points here but is not ours is DNS rebinding: a page of the internet that wants to read the panel."""
    if urlsplit(f"//{request.host}").hostname not in _LOCAL_NAMES:
        raise web.HTTPNotFound
