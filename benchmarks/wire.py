"""The requests of the benchmark, as they go over the wire. The server and the bare handler are sent the same."""

import base64
import json
import urllib.request
from typing import Any, Final
from urllib.parse import urlencode

ROTATING: Final = "rotating"
KEEPING: Final = "keeping"
_SECRET: Final = "0123456789abcdef" * 4
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
_VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
REDIRECT_URI: Final = "https://client.test/callback"
CLIENTS: Final = {
    name: {"client_type": "confidential", "client_secret": _SECRET, "redirect_uris": [REDIRECT_URI], "refresh": profile}
    for name, profile in {ROTATING: "strict_window", KEEPING: "overlap"}.items()
}
"""One client whose refresh tokens rotate at every use, one whose refresh token stays."""

HEALTH: Final = "GET /health HTTP/1.1\r\nHost: benchmark\r\n\r\n"


def check(access_token: str) -> str:
    """A token check, as a reverse proxy sends it for each request that it guards."""
    return f"GET /alexa/verify HTTP/1.1\r\nHost: benchmark\r\nAuthorization: Bearer {access_token}\r\n\r\n"


def exchange(client_id: str, code: str) -> str:
    """The exchange of a code, with its proof (RFC 7636)."""
    return _post(client_id, _exchange(code))


def refresh(client_id: str, refresh_token: str) -> str:
    """A refresh."""
    return _post(client_id, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def link(origin: str, client_id: str, code: str) -> dict[str, Any]:
    """Exchange a code now, and return the tokens."""
    body = urlencode(_exchange(code)).encode()
    request = urllib.request.Request(f"{origin}/alexa/token", body, {"Authorization": _basic(client_id)})  # noqa: S310 - our own
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
        return dict(json.load(answer))


def _exchange(code: str) -> dict[str, str]:
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": _VERIFIER}


def _post(client_id: str, form: dict[str, str]) -> str:
    body = urlencode(form)
    return (
        f"POST /alexa/token HTTP/1.1\r\nHost: benchmark\r\nAuthorization: {_basic(client_id)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


def _basic(client_id: str) -> str:
    return f"Basic {base64.b64encode(f'{client_id}:{_SECRET}'.encode()).decode()}"
