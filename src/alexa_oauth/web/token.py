"""POST /alexa/token: the token endpoint (RFC 6749 §3.2)."""

from typing import assert_never

from aiohttp import web

from alexa_oauth.protocol.client_authentication import method_of
from alexa_oauth.protocol.errors import ErrorCode, OwnCall, Refusal, RequestRefused, missing_parameter
from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.metadata import DOCTORS_GRANT_TYPE, GRANT_TYPES
from alexa_oauth.protocol.models import Client, Parameters, TokenResponse
from alexa_oauth.protocol.refresh import read_refresh_request, refresh
from alexa_oauth.protocol.token import read_code_request, redeem
from alexa_oauth.web.answers import json_answer
from alexa_oauth.web.caller import identify
from alexa_oauth.web.endpoint import answers_refusals, authenticate_client, check_parameters, refusal_answer
from alexa_oauth.web.forms import read_form
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.plain_answer import PlainAnswer


@answers_refusals(EventName.TOKEN_REFUSED)
async def token(request: web.Request) -> PlainAnswer:
    """Exchange a code, or refresh."""
    parameters = await read_form(request)
    check_parameters(parameters)
    grant_type = _grant_type(parameters)
    client = authenticate_client(request, parameters)
    outcome = await _exchange(request, client, grant_type, parameters)
    match outcome:
        case TokenResponse():
            return _success(outcome)
        case Refusal():
            return refusal_answer(request, outcome)
        case _:
            assert_never(outcome)


def _grant_type(parameters: Parameters) -> str:
    if (grant_type := parameters.get("grant_type")) is None:
        raise missing_parameter("grant_type")
    if grant_type not in GRANT_TYPES:
        refused = OwnCall if grant_type == DOCTORS_GRANT_TYPE else RequestRefused
        raise refused(
            ErrorCode.UNSUPPORTED_GRANT_TYPE,
            "grant_type must be authorization_code or refresh_token",
            Reason.GRANT_TYPE_UNSUPPORTED,
        )
    return grant_type


async def _exchange(request: web.Request, client: Client, grant_type: str, parameters: Parameters) -> TokenResponse | Refusal:
    parts = request.app[PARTS]
    policy, entropy = parts.policy, parts.entropy
    address = identify(request).address
    if grant_type == "authorization_code":
        by = method_of(request.headers.get("Authorization"), parameters.values)
        code_request = read_code_request(parameters, address, by)
        return await parts.store.write(lambda tx: redeem(tx, client, code_request, policy, entropy))
    refresh_request = read_refresh_request(parameters, address)
    return await parts.store.write(lambda tx: refresh(tx, client, refresh_request, policy, entropy))


def _success(answer: TokenResponse) -> PlainAnswer:
    return json_answer(
        {
            "access_token": answer.access_token,
            "token_type": "Bearer",
            "expires_in": answer.expires_in,
            "refresh_token": answer.refresh_token,
            "scope": " ".join(answer.scope),
        }
    )
