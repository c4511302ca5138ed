"""RFC 6749 chapters 5 and 6: token responses, and refreshing."""

from functools import partial

import pytest

from tests.attacks.links import rotated
from tests.attacks.verdict import DESCRIPTION
from tests.rig import SECRETS, Answer, Rig, basic

rfc6749 = partial(pytest.mark.conformance.with_args, "RFC 6749")

INVALID_GRANT = (400, "invalid_grant")
INVALID_REQUEST = (400, "invalid_request")
NO_STORE = ("no-store", "no-cache")


def caching(answer: Answer) -> tuple[str, str]:
    return answer.headers["Cache-Control"], answer.headers["Pragma"]


@rfc6749("5.1", "access_token and token_type are REQUIRED, expires_in is RECOMMENDED and a number, in a 200 of application/json")
async def test_the_token_response(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code())
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    types = {name: type(value) for name, value in answer.json.items()}
    assert types == {"access_token": str, "token_type": str, "expires_in": int, "refresh_token": str, "scope": str}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 1_800)


@rfc6749("5.1", "expires_in is the lifetime of the access token in seconds")
async def test_the_access_token_lives_as_long_as_was_said(rig: Rig) -> None:
    tokens = await rig.link()
    rig.clocks.advance(tokens["expires_in"] - 1)
    assert (await rig.verify(tokens["access_token"])).status == 200
    rig.clocks.advance(1)
    assert (await rig.verify(tokens["access_token"])).status == 401


@rfc6749("5.1", "Every response with tokens MUST say Cache-Control: no-store and Pragma: no-cache")
async def test_no_cache_keeps_tokens(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code())
    assert caching(answer) == NO_STORE
    assert caching(await rig.refresh(answer.json["refresh_token"])) == NO_STORE


@rfc6749("5.2", "A refusal is a 400 of application/json with an error code; caches may not keep it either")
async def test_a_refusal_is_json(rig: Rig) -> None:
    answer = await rig.redeem("A" * 43)
    assert (answer.refusal, caching(answer)) == (INVALID_GRANT, NO_STORE)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "authorization_code"},
        {"grant_type": "refresh_token"},
        {"grant_type": "authorization_code", "code": "A" * 43},
    ],
)
@rfc6749("5.2", "invalid_request: a parameter is missing")
async def test_a_missing_parameter(rig: Rig, form: dict[str, str]) -> None:
    assert (await rig.post("/alexa/token", "C1", form)).refusal == INVALID_REQUEST


@rfc6749("5.2", "invalid_request: several credentials, or more than one way to authenticate")
async def test_several_credentials(rig: Rig) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    body = await rig.post("/alexa/token", "C1", {**form, "client_secret": SECRETS["C1"]})
    assert body.refusal == INVALID_REQUEST


@pytest.mark.parametrize("client_id", ["C1", "nobody"])
@rfc6749("5.2", "invalid_client after an Authorization header MUST be a 401 with WWW-Authenticate of the same scheme")
async def test_failed_basic_is_challenged(rig: Rig, client_id: str) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    answer = await rig.post("/alexa/token", None, form, Authorization=basic(client_id, "wrong"))
    assert answer.refusal == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


@rfc6749("5.2", "invalid_grant: a code or refresh token is invalid, revoked or another client's, or redirect_uri differs")
async def test_invalid_grant(rig: Rig) -> None:
    tokens = await rig.link()
    answers = [
        await rig.refresh("aoa_rt_made_up"),
        await rig.refresh(tokens["refresh_token"], "C3"),
        await rig.redeem(await rig.code(), "C1", redirect_uri="https://ex.test/other"),
    ]
    await rig.revoke(tokens["refresh_token"])
    answers.append(await rig.refresh(tokens["refresh_token"]))
    assert [answer.refusal for answer in answers] == [INVALID_GRANT] * 4


@rfc6749("5.2", "unsupported_grant_type: the grant type is not known")
async def test_unsupported_grant_type(rig: Rig) -> None:
    answer = await rig.post("/alexa/token", "C1", {"grant_type": "urn:example:none"})
    assert answer.refusal == (400, "unsupported_grant_type")


@rfc6749("5.2", "invalid_scope: the scope exceeds what was granted")
@rfc6749("6", "A refresh MUST NOT ask for a scope that was not granted")
async def test_a_wider_scope(rig: Rig) -> None:
    tokens = (await rig.redeem(await rig.code(scope="music.read"))).json
    answer = await rig.refresh(tokens["refresh_token"], scope="music.read music.control")
    assert answer.refusal == (400, "invalid_scope")
    assert (await rig.refresh(tokens["refresh_token"])).status == 200


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": 'x"\\ü'},
        {"grant_type": "refresh_token", "refresh_token": "ü"},
        {"grant_type": "refresh_token", "refresh_token": "x", "scope": '"'},
    ],
)
@rfc6749("5.2", "error_description MUST NOT hold anything but visible ASCII and blanks, without quotation mark and backslash")
async def test_descriptions_hold_no_other_characters(rig: Rig, form: dict[str, str]) -> None:
    answer = await rig.post("/alexa/token", "C1", form)
    assert DESCRIPTION.fullmatch(answer.json["error_description"])


@rfc6749("6", "A refresh MUST authenticate a confidential client, and MUST check that the token was issued to it")
async def test_a_refresh_token_is_its_clients_alone(rig: Rig) -> None:
    tokens = await rig.link()
    assert (await rig.refresh(tokens["refresh_token"], None, client_id="C1")).refusal == (401, "invalid_client")
    assert (await rig.refresh(tokens["refresh_token"], "C3")).refusal == INVALID_GRANT
    assert (await rig.refresh(tokens["refresh_token"], "P1")).refusal == INVALID_GRANT
    assert (await rig.refresh(tokens["refresh_token"])).status == 200


@rfc6749("6", "A refresh without a scope is for the scope that was granted")
async def test_no_scope_is_the_granted_scope(rig: Rig) -> None:
    tokens = (await rig.redeem(await rig.code(scope="music.control"))).json
    assert (await rig.refresh(tokens["refresh_token"])).json["scope"] == "music.control"


@rfc6749("6", "A new refresh token MUST have the scope of the one before, even if the access token's was narrowed")
async def test_narrowing_does_not_stick(rig: Rig) -> None:
    tokens = await rig.link()
    narrow = (await rig.refresh(tokens["refresh_token"], scope="music.read")).json
    assert narrow["scope"] == "music.read"
    assert (await rig.verify(narrow["access_token"], "?scope=music.control")).status == 403
    assert (await rig.refresh(narrow["refresh_token"])).json["scope"] == "music.read music.control"


@rfc6749("6", "The server MAY issue a new refresh token and revoke the old one: it does")
async def test_refresh_tokens_rotate(rig: Rig) -> None:
    first, second = await rotated(rig, "C3")
    assert (await rig.refresh(first["refresh_token"], "C3")).refusal == INVALID_GRANT
    assert first["refresh_token"] != second["refresh_token"]
