"""RFC 7662: token introspection."""

from functools import partial

import pytest

from tests.attacks.links import rotated
from tests.rig import ISSUER, NOW, SECRETS, Rig, basic

rfc7662 = partial(pytest.mark.conformance.with_args, "RFC 7662")

INACTIVE = {"active": False}


@rfc7662("2.1", "A request MUST be a POST of a form")
async def test_post_of_a_form_alone(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    authorized = {"Authorization": basic("RS", SECRETS["RS"])}
    asked = await rig.send("GET", f"/alexa/introspect?token={token}", headers=authorized)
    assert (asked.status, asked.headers["Allow"]) == (405, "POST")
    json = await rig.send("POST", "/alexa/introspect", b'{"token": "x"}', {**authorized, "Content-Type": "application/json"})
    assert json.refusal == (415, "invalid_request")


@rfc7662("2.1", "The parameter token is REQUIRED")
async def test_token_is_required(rig: Rig) -> None:
    assert (await rig.post("/alexa/introspect", "RS", {})).refusal == (400, "invalid_request")


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "pigeon"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@rfc7662("2.1", "A token that is not found by its hint MUST be searched for among all types")
async def test_a_wrong_hint_hides_no_token(rig: Rig, kind: str, hint: str) -> None:
    tokens = await rig.link()
    assert (await rig.introspect(tokens[kind], token_type_hint=hint)).json["active"] is True


@rfc7662("2.1", "The endpoint MUST ask for authorization, against scanning for tokens")
@rfc7662("2.3", "Credentials that do not fit are answered by a 401")
async def test_nobody_asks_without_credentials(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    for answer in (
        await rig.introspect(token, None),
        await rig.introspect(token, None, client_id="RS"),
        await rig.post("/alexa/introspect", None, {"token": token}, Authorization=basic("RS", "wrong")),
    ):
        assert answer.refusal == (401, "invalid_client")


@pytest.mark.parametrize("client_id", ["C1", "P1"])
@rfc7662("2.1", "Who may ask is for the server to decide: clients that are marked so, and no public one")
async def test_other_clients_may_not_ask(rig: Rig, client_id: str) -> None:
    token = (await rig.link("C1"))["access_token"]
    assert (await rig.introspect(token, client_id)).refusal == (403, "unauthorized_client")


@rfc7662("2.2", "The response is JSON with active, a boolean; instants are integers, seconds since 1970")
async def test_a_live_access_token(rig: Rig) -> None:
    answer = await rig.introspect((await rig.link())["access_token"])
    assert (answer.status, answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (
        200,
        "application/json",
        "no-store",
    )
    assert answer.json == {
        "active": True,
        "scope": "music.read music.control",
        "client_id": "C1",
        "sub": "local",
        "iss": ISSUER,
        "token_type": "Bearer",
        "iat": NOW,
        "exp": NOW + 1_800,
    }


@rfc7662("2.2", "Nothing SHOULD be told of a token that is not active, not even why")
@rfc7662("2.2", "To ask about a token that is not active is no error")
async def test_what_is_not_active_is_told_in_one_way(rig: Rig) -> None:
    tokens = await rig.link()
    await rig.revoke(tokens["refresh_token"])
    for token in (tokens["access_token"], tokens["refresh_token"], "made-up"):
        answer = await rig.introspect(token)
        assert (answer.status, answer.json) == (200, INACTIVE)


@rfc7662("4", "A token that can expire MUST be active only until then")
async def test_an_expired_token_is_not_active(rig: Rig) -> None:
    tokens = await rig.link()
    rig.clocks.advance(1_799)
    assert await rig.is_live(tokens["access_token"])
    rig.clocks.advance(1)
    assert (await rig.introspect(tokens["access_token"])).json == INACTIVE
    rig.clocks.advance(90 * 86_400)
    assert (await rig.introspect(tokens["refresh_token"])).json == INACTIVE


@rfc7662("4", "A token that can be revoked MUST be active only until then")
async def test_a_rotated_or_revoked_token_is_not_active(rig: Rig) -> None:
    first, second = await rotated(rig, "C3")
    assert [await rig.is_live(tokens["refresh_token"]) for tokens in (first, second)] == [False, True]
    await rig.revoke(second["access_token"], "C3")
    assert not await rig.is_live(second["access_token"])


@rfc7662("4", "Tokens MUST be too random to be found by scanning, and failures at authentication are limited")
async def test_scanning_needs_credentials_and_these_cannot_be_guessed(rig: Rig) -> None:
    answers = [
        await rig.post("/alexa/introspect", None, {"token": "x"}, Authorization=basic("RS", f"guess-{guess}"))
        for guess in range(11)
    ]
    assert [answer.status for answer in answers] == [401] * 10 + [429]
