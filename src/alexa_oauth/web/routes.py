"""The public application: one table of what the world can reach."""

from aiohttp import web

from alexa_oauth.protocol.metadata import AUTHORIZATION_PATH, INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH
from alexa_oauth.protocol.sign_in import return_path
from alexa_oauth.web.approve import approve
from alexa_oauth.web.authorize import authorize
from alexa_oauth.web.counted import counted
from alexa_oauth.web.health import health
from alexa_oauth.web.home import home
from alexa_oauth.web.introspect import introspect
from alexa_oauth.web.metadata import metadata
from alexa_oauth.web.middleware import plain_errors, quiet_headers, undated_in_doubt
from alexa_oauth.web.misdirected import note_misdirected
from alexa_oauth.web.parts import PARTS, Parts
from alexa_oauth.web.revoke import revoke
from alexa_oauth.web.sign_in import returning_from
from alexa_oauth.web.token import token
from alexa_oauth.web.verify import verify

METADATA_PATH = "/.well-known/oauth-authorization-server"


def public_application(parts: Parts) -> web.Application:
    """The application of the public listener."""
    app = web.Application(middlewares=[plain_errors(parts.entropy, parts.doubts_clock), note_misdirected])
    app[PARTS] = parts
    app.on_response_prepare.extend([quiet_headers, undated_in_doubt])
    app.add_routes([*routes(parts), counted(web.get("/", home), parts.metrics)])
    return app


def routes(parts: Parts) -> list[web.RouteDef]:
    """All that Alexa, a person's browser and a proxy ask for; the front page is not among them."""
    found = [
        web.get(AUTHORIZATION_PATH, authorize, allow_head=False),
        web.post(AUTHORIZATION_PATH, authorize),
        web.post("/alexa/approve", approve),
        web.post(TOKEN_PATH, token),
        web.post(REVOCATION_PATH, revoke),
        web.post(INTROSPECTION_PATH, introspect),
        web.get("/alexa/verify", verify),
        web.get(METADATA_PATH, metadata),
        web.get(f"{METADATA_PATH}/alexa", metadata),
        web.get("/health", health),
    ]
    if parts.elsewhere is not None:
        found.append(web.get(return_path(parts.elsewhere.way), returning_from(parts.elsewhere), allow_head=False))
    return [counted(route, parts.metrics) for route in found]
