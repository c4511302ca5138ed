"""GET /metrics: the counts for Prometheus, to administrators, and to whatever machine shows the token of the settings."""

import hmac
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from alexa_oauth.admin.exposition import CONTENT_TYPE, Present, exposition
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.protocol.activity import by_hour, together
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.web.plain_answer import NO_STORE

PATH: Final = "/metrics"
HOURS: Final = 24

_REFUSED: Final = {**NO_STORE, "WWW-Authenticate": 'Bearer realm="metrics"'}


def metered(token: str | None) -> Middleware:
    """Let a machine that shows the token past the door, to this one page; others read it as they would any page."""

    @web.middleware
    async def pass_machines(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.headers.getall("Authorization", [])
        if request.path != PATH or not shown:
            return await handler(request)
        return await show(request) if _is_right(shown, token) else _refusal()

    return pass_machines


async def show(request: web.Request) -> web.Response:
    """Everything that is counted; while the database cannot be read, what is in memory."""
    parts = request.app[PARTS]
    pending = links = success = None
    try:
        now = parts.store.read(lambda tx: tx.now)
        async with parts.store.reader() as reader:
            pending, links = await reader.pending_requests(now), await reader.count_links(now)
            success = together(by_hour(await reader.activity(now - HOURS * 3_600), now, HOURS)).success
    except StorageUnavailable:
        pass
    body = exposition(parts.metrics, Present(parts.version, parts.checks(), pending, links, success))
    return web.Response(body=body, headers={**NO_STORE, "Content-Type": CONTENT_TYPE})


def _is_right(shown: list[str], token: str | None) -> bool:
    """RFC 6750 §2.1; the same time for every wrong token."""
    scheme, _, value = shown[0].partition(" ")
    if len(shown) > 1 or scheme.lower() != "bearer" or token is None:
        return False
    return hmac.compare_digest(value.strip().encode("utf-8", "surrogateescape"), token.encode())


def _refusal() -> web.Response:
    return web.Response(status=401, headers=_REFUSED, text="This is not the metrics_token of the settings\n")
