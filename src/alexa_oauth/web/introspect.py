"""POST /alexa/introspect: the introspection endpoint (RFC 7662), for clients that are marked so."""

from aiohttp import web

from alexa_oauth.protocol import introspection
from alexa_oauth.protocol.errors import ErrorCode, missing_parameter
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.web.answers import error_answer, json_answer
from alexa_oauth.web.caller import identify
from alexa_oauth.web.endpoint import answers_refusals, authenticate_named_client, check_parameters
from alexa_oauth.web.first_use import note_first_use
from alexa_oauth.web.forms import read_form
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.plain_answer import PlainAnswer


@answers_refusals(EventName.INTROSPECTION_REFUSED)
async def introspect(request: web.Request) -> PlainAnswer:
    """Say what a token is worth. Asking about an access token is a use of it: it has reached a resource."""
    parameters = await read_form(request)
    check_parameters(parameters)
    client = authenticate_named_client(request, parameters)
    parts = request.app[PARTS]
    if client.is_public or not client.introspect:
        parts.report(
            Event(
                EventName.INTROSPECTION_REFUSED,
                client_id=client.client_id,
                reason=Reason.CLIENT_MAY_NOT_INTROSPECT,
                address=identify(request).address,
            )
        )
        return error_answer(ErrorCode.UNAUTHORIZED_CLIENT, "This client may not introspect", status=403)
    if (token := parameters.get("token")) is None:
        raise missing_parameter("token")
    described = parts.store.read(lambda tx: introspection.introspect(tx, token, parts.policy))
    if described["active"]:
        await note_first_use(parts.store, token)
    return json_answer(described)
