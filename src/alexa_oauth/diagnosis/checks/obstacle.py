"""Whose answer it is, if it is not the one that this server gives: what stands in the way."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from alexa_oauth.diagnosis.causes import path
from alexa_oauth.diagnosis.causes.cause import Cause
from alexa_oauth.diagnosis.outside import Reply, Site
from alexa_oauth.protocol.metadata import TOKEN_PATH

_MANNERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""How every answer of this server's comes, refusals included."""
_CHALLENGES: Final = ("just a moment", "cf-chl", "captcha", "error code: 1020", "attention required", "verify you are human")
_SIGN_INS: Final = ("login", "signin", "sign-in", "sign_in", "sso", "auth", "cdn-cgi/access")
_GATEWAY_STATUSES: Final = frozenset({502, 503, 504, *range(520, 531)})
"""What proxies say of what is behind them; from 520 on, Cloudflare."""


def obstacle(site: Site, reply: Reply) -> tuple[Cause, str]:
    """The cause that such an answer to a request of Amazon's shows, and a sentence on who gave it."""
    status, whose = reply.status, _whose(reply)
    if _has_our_manners(reply):
        return path.POST_CHANGED, _changed(reply)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return _redirected(site, reply)
    if _is_challenge(reply):
        return path.BOT_FILTER, f"{whose} answers {status} with a test that only a person can pass."
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}:
        kind = "an access list, a ban or a country rule" if status == HTTPStatus.FORBIDDEN else "a password"
        return path.ACCESS_WALL, f"{whose} answers {status}, whichever program asks: {kind}."
    if status in _GATEWAY_STATUSES:
        return path.PROXY_FAILS, f"{whose} answers {status}: it does not reach what is behind it."
    return path.ANOTHER_SERVER, f"{whose} answers {status}, and this server would not."


def _changed(reply: Reply) -> str:
    if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return f"The path or the method does not arrive here as it was sent; this server answers {reply.status}."
    return f"A form does not arrive here as it was sent; this server answers {reply.status}: {_said(reply)}."


def _redirected(site: Site, reply: Reply) -> tuple[Cause, str]:
    location = urlsplit(reply.headers.get("Location", ""))
    stays = location.path.rstrip("/") == TOKEN_PATH
    if not stays and any(mark in location.geturl().lower() for mark in _SIGN_INS):
        return path.ACCESS_WALL, f"{_whose(reply)} sends every caller to a sign-in of its own ({reply.status})."
    host = location.hostname or site.name
    where = "another address of the same name" if host == site.name else f"the name {host}"
    return path.POST_REDIRECTED, f"{_whose(reply)} redirects the request to {where} ({reply.status})."


def _has_our_manners(reply: Reply) -> bool:
    return "error" in reply.content and all(reply.headers.get(name) == value for name, value in _MANNERS.items())


def _is_challenge(reply: Reply) -> bool:
    begins = reply.body.decode(errors="replace").lower()
    limited = "cf-mitigated" in reply.headers or reply.status == HTTPStatus.TOO_MANY_REQUESTS
    return limited or any(mark in begins for mark in _CHALLENGES)


def _said(reply: Reply) -> str:
    return str(reply.content.get("error_description") or reply.content["error"])


def _whose(reply: Reply) -> str:
    server = reply.headers.get("Server")
    return f"What calls itself {server!a}" if server else "Something that does not name itself"
