"""Whether a change was wanted by the person in whose name it arrives.

Each form carries an HMAC over whom it was made for, under a key of this process. Nothing is stored, and no cookie is needed,
which matters inside Home Assistant: all panels share one origin there, so that a neighbour could plant or read a cookie, and
`Origin` names Home Assistant for all of them. A page of another site can neither read this value nor work it out, and one
person's value is worth nothing in another's name. What a neighbouring panel runs as a script in Home Assistant's own origin
can read everything there, this page included: against that no value helps, nor would anything else here.
"""

import hashlib
import hmac

from aiohttp import web

from alexa_oauth.protocol.credentials import base64url, is_same
from alexa_oauth.protocol.ports import Entropy

_WANTED_FROM = frozenset({None, "same-origin", "none"})


class Csrf:
    """The values of one process: a restart makes the forms of open pages stale, which is said in words."""

    def __init__(self, entropy: Entropy) -> None:
        """Draw the key."""
        self._key = entropy(32)

    def value_for(self, holder: str) -> str:
        """What forms carry that are made for that session or person."""
        return base64url(hmac.digest(self._key, holder.encode(), hashlib.sha256))


def is_foreign(request: web.Request) -> bool:
    """Whether another site's page sent this. Our own arrive with `Origin: null`, since our pages ask for `no-referrer`."""
    origin = request.headers.get("Origin")
    own = {request.host, request.headers.get("X-Forwarded-Host")}
    is_ours = origin in {None, "null"} or (origin or "").partition("://")[2] in own
    return not is_ours or request.headers.get("Sec-Fetch-Site") not in _WANTED_FROM


def is_genuine(sent: str, expected: str) -> bool:
    """Compare two values in constant time."""
    return is_same(sent, expected)
