"""GET /health: whether the server can do its work."""

from typing import Final

from aiohttp import web

from alexa_oauth.web.answers import json_answer
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.plain_answer import PlainAnswer

MESSAGE: Final = "Music Assistant OAuth Server"
ENDPOINTS: Final = ("/alexa/authorize", "/alexa/token", "/health")
"""Both to the letter: monitors compare them."""


async def health(request: web.Request) -> PlainAnswer:
    """200 if every check is ok, else 503. Answers from memory, so that a locked or full disk cannot hold it up."""
    parts = request.app[PARTS]
    checks = dict(parts.checks())
    ok = all(outcome == "ok" for outcome in checks.values())
    return json_answer(
        {
            "status": "ok" if ok else "error",
            "message": MESSAGE,
            "endpoints": list(ENDPOINTS),
            "version": parts.version,
            "instance": parts.instance(),
            "checks": checks,
        },
        status=200 if ok else 503,
    )
