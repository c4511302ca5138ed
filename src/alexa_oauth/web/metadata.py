"""GET /.well-known/oauth-authorization-server: what this server offers (RFC 8414)."""

import hashlib
import json

from aiohttp import web

from alexa_oauth.protocol.metadata import metadata as describe
from alexa_oauth.web.parts import PARTS


async def metadata(request: web.Request) -> web.Response:
    """The document, which caches may keep for five minutes."""
    body = json.dumps(describe(request.app[PARTS].policy.issuer)).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"Cache-Control": "public, max-age=300", "ETag": etag}
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", headers=headers)
