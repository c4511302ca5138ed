"""POST /alexa/revoke: the revocation endpoint (RFC 7009)."""

from aiohttp import web

from alexa_oauth.protocol import revocation
from alexa_oauth.protocol.errors import missing_parameter
from alexa_oauth.protocol.events import EventName
from alexa_oauth.web.answers import JSON
from alexa_oauth.web.caller import identify
from alexa_oauth.web.endpoint import answers_refusals, authenticate_named_client, check_parameters
from alexa_oauth.web.forms import read_form
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.plain_answer import PlainAnswer


@answers_refusals(EventName.REVOCATION_REFUSED)
async def revoke(request: web.Request) -> PlainAnswer:
    """Revoke a token; 200 for one that is unknown too (RFC 7009 §2.2). `token_type_hint` is not needed to find it.

    The body is empty, yet named JSON: some clients read every answer so, and would take another type for a failure.
    """
    parameters = await read_form(request)
    check_parameters(parameters)
    client = authenticate_named_client(request, parameters)
    if (token := parameters.get("token")) is None:
        raise missing_parameter("token")
    address = identify(request).address
    await request.app[PARTS].store.write(lambda tx: revocation.revoke(tx, client, token, address))
    return PlainAnswer(further=JSON)
