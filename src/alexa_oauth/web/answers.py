"""How outcomes are said over HTTP: JSON to programs, pages to people."""

import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from alexa_oauth.protocol.errors import ErrorCode
from alexa_oauth.web.pages import Pages
from alexa_oauth.web.plain_answer import NO_STORE, PlainAnswer, header_fields

RETRY_SECONDS: Final = 5
REALM: Final = "alexa-oauth"
JSON: Final = header_fields({"Content-Type": "application/json"})

_encode: Final = json.JSONEncoder().encode

_STATUS: Final = {
    ErrorCode.INVALID_CLIENT: 401,
    ErrorCode.SERVER_ERROR: 500,
    ErrorCode.TEMPORARILY_UNAVAILABLE: 503,
    ErrorCode.SLOW_DOWN: 429,
}


def json_answer(body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> PlainAnswer:
    """JSON that no cache may keep."""
    further = JSON if headers is None else JSON + header_fields(headers)
    return PlainAnswer(status, further, _encode(body).encode())


def error_answer(
    error: ErrorCode, description: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> PlainAnswer:
    """RFC 6749 §5.2."""
    body = {"error": error.value, "error_description": description}
    return json_answer(body, status or _STATUS.get(error, 400), headers)


def unavailable_answer() -> PlainAnswer:
    """Nothing was used up: the caller may send the same request again."""
    return error_answer(
        ErrorCode.TEMPORARILY_UNAVAILABLE,
        "The server cannot answer at the moment; the same request works later",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def page_answer(pages: Pages, html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A page for a person, which no other page may frame and no cache may keep."""
    return web.Response(
        text=html,
        status=status,
        content_type="text/html",
        headers={
            **NO_STORE,
            "Content-Security-Policy": pages.content_security_policy,
            "X-Frame-Options": "DENY",
            **(headers or {}),
        },
    )


def redirect_answer(location: str, status: int = 302) -> web.Response:
    """The `Location` goes out byte for byte: aiohttp's own redirects would re-write it. After a POST, 303 (RFC 9700 §4.12)."""
    return web.Response(status=status, headers={**NO_STORE, "Location": location})
