"""What binds a consent page to the browser in which it was opened."""

import re
from typing import Final

from aiohttp import web

from alexa_oauth.protocol.credentials import new_secret
from alexa_oauth.protocol.policy import PENDING_SECONDS
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.web.parts import PARTS, PublicFace

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def browser_of(request: web.Request) -> str | None:
    """The secret in the browser's cookie, or `None`. It names no person and lasts no longer than a request for approval."""
    cookie = request.cookies.get(_name(request.app[PARTS].face), "")
    return cookie if _SECRET.fullmatch(cookie) else None


def new_browser(request: web.Request, entropy: Entropy) -> str:
    """The browser's secret, kept over parallel tabs, so that each of them can approve its own request."""
    return browser_of(request) or new_secret(entropy)


def remember(response: web.Response, face: PublicFace, browser: str) -> None:
    """Set the cookie. `Lax`, since the flow begins with a navigation from elsewhere."""
    response.set_cookie(
        _name(face), browser, max_age=PENDING_SECONDS, path="/", secure=face.is_secure, httponly=True, samesite="Lax"
    )


def is_foreign(request: web.Request) -> bool:
    """Whether another site's page sent this POST. Our own arrive as `null`, since our pages ask for `no-referrer`."""
    origin = request.headers.get("Origin")
    own = request.app[PARTS].face.origin
    return origin not in {None, "null", own} or request.headers.get("Sec-Fetch-Site") == "cross-site"


def _name(face: PublicFace) -> str:
    """With `__Host-` no neighbouring host can plant the cookie; browsers accept the prefix by https alone."""
    return "__Host-alexa_oauth" if face.is_secure else "alexa_oauth"
