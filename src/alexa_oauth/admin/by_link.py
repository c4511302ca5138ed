"""The way in from a checkout: a one-time link, since the terminal that shows it is in the household's hands."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from alexa_oauth.admin.csrf import Csrf
from alexa_oauth.admin.visit import Visit
from alexa_oauth.protocol.credentials import new_secret
from alexa_oauth.protocol.models import LOCAL_SUBJECT, Resident
from alexa_oauth.protocol.ports import Entropy, Store

LINK_SECONDS: Final = 600
SESSION_LIMIT: Final = 32
IDLE_SECONDS: Final = 3_600
SESSION_SECONDS: Final = 12 * 3_600

LOCAL_PERSON: Final = Resident(LOCAL_SUBJECT, "Administrator", is_administrator=True)
LIVE: Final = "X-Panel-Live"
"""The header field of what a page fetches by itself: nobody need sit in front of it."""


@dataclass(slots=True)
class _Session:
    begun: float
    used: float


class Sessions:
    """Who opened the panel by a link, in memory: a restart ends them all. The oldest goes when there are too many."""

    def __init__(self, entropy: Entropy, running: Callable[[], float]) -> None:
        """`running` counts seconds and is never stepped."""
        self._entropy = entropy
        self._running = running
        self._sessions: dict[str, _Session] = {}

    def begin(self) -> str:
        """A new session's secret."""
        while len(self._sessions) >= SESSION_LIMIT:
            self._sessions.pop(next(iter(self._sessions)))
        secret, now = new_secret(self._entropy), self._running()
        self._sessions[secret] = _Session(now, now)
        return secret

    def is_open(self, secret: str, *, is_used: bool) -> bool:
        """Whether the session may go on; `is_used` says that a person does something in it."""
        session, now = self._sessions.get(secret), self._running()
        if session is None:
            return False
        if now - session.used >= IDLE_SECONDS or now - session.begun >= SESSION_SECONDS:
            self.end(secret)
            return False
        if is_used:
            session.used = now
        return True

    def end(self, secret: str) -> None:
        """End it."""
        self._sessions.pop(secret, None)


class LinkDoor:
    """Lets in who holds a session, and begins one for who holds a link."""

    framed_by = "'none'"

    def __init__(self, store: Store, csrf: Csrf, sessions: Sessions) -> None:
        """`store` knows the links."""
        self._store = store
        self._csrf = csrf
        self._sessions = sessions

    def check(self, request: web.Request) -> None:
        """404 under a name that points here but is not ours: DNS rebinding, by which a page of the internet would read the panel.

        An address cannot be made to point elsewhere.
        """
        if not _is_own(request.host):
            raise web.HTTPNotFound

    async def admit(self, request: web.Request) -> Visit | None:
        """An administrator, as long as the session lasts."""
        secret = request.cookies.get(_cookie(request), "")
        if not self._sessions.is_open(secret, is_used=LIVE not in request.headers):
            return None
        return Visit(LOCAL_PERSON, "", self._csrf.value_for(secret), may_sign_out=True)

    async def open(self, request: web.Request) -> str | None:
        """Spend the link and begin a session; its secret, or `None` if the link is not good."""
        link = request.match_info["link"]
        is_good = await self._store.write(lambda tx: tx.admin_links.spend(link))
        return self._sessions.begin() if is_good else None

    def remember(self, request: web.Request, response: web.Response, secret: str) -> None:
        """Keep the session in this browser."""
        response.set_cookie(_cookie(request), secret, httponly=True, samesite="Strict", path="/")

    def sign_out(self, request: web.Request) -> None:
        """End the session of this browser."""
        self._sessions.end(request.cookies.get(_cookie(request), ""))


def _cookie(request: web.Request) -> str:
    """Browsers keep the cookies of all ports of a machine together, so that two servers on it need two names."""
    return f"alexa_oauth_admin_{urlsplit(f'//{request.host}').port or 80}"


def _is_own(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        name = parts.hostname or ""
        return parts.port != 0 and (name == "localhost" or bool(ip_address(name)))
    except ValueError:
        return False
