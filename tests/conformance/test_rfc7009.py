"""RFC 7009: token revocation."""

from functools import partial

import pytest

from tests.attacks.disk import writing_locked
from tests.attacks.links import assert_dead
from tests.rig import Rig, basic

rfc7009 = partial(pytest.mark.conformance.with_args, "RFC 7009")


@rfc7009("2", "The revocation of refresh tokens MUST be supported")
@rfc7009("2.1", "With a refresh token, all access tokens of its grant SHOULD be revoked")
async def test_a_refresh_token_takes_its_grant_along(rig: Rig) -> None:
    first = await rig.link()
    second = (await rig.refresh(first["refresh_token"])).json
    assert (await rig.revoke(second["refresh_token"])).status == 200
    await assert_dead(rig, "C1", first, second)


@rfc7009("2", "The revocation of access tokens SHOULD be supported")
@rfc7009("2.1", "With an access token, its refresh token MAY be revoked: it is not")
async def test_an_access_token_goes_alone(rig: Rig) -> None:
    tokens = await rig.link()
    assert (await rig.revoke(tokens["access_token"])).status == 200
    assert (await rig.verify(tokens["access_token"])).status == 401
    assert (await rig.refresh(tokens["refresh_token"])).status == 200


@rfc7009("2.1", "The parameter token is REQUIRED")
async def test_token_is_required(rig: Rig) -> None:
    answer = await rig.post("/alexa/revoke", "C1", {})
    assert (answer.refusal, answer.json["error_description"]) == (
        (400, "invalid_request"),
        "Missing required parameter: token",
    )


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "pigeon"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@rfc7009("2.1", "A token that is not found by its hint MUST be searched for among all types")
@rfc7009("2.2", "An unknown hint is ignored")
async def test_a_wrong_hint_saves_no_token(rig: Rig, kind: str, hint: str) -> None:
    tokens = await rig.link()
    assert (await rig.revoke(tokens[kind], token_type_hint=hint)).status == 200
    assert not await rig.is_live(tokens[kind])


@rfc7009("2.1", "The server first checks the credentials of a confidential client")
async def test_a_confidential_client_authenticates(rig: Rig) -> None:
    tokens = await rig.link()
    for answer in (
        await rig.revoke(tokens["access_token"], None, client_id="C1"),
        await rig.revoke(tokens["access_token"], None),
        await rig.post("/alexa/revoke", None, {"token": tokens["access_token"]}, Authorization=basic("C1", "wrong")),
    ):
        assert answer.refusal == (401, "invalid_client")
    assert await rig.is_live(tokens["access_token"])


@rfc7009("2.1", "The server checks that the token was issued to the client that asks")
async def test_a_public_client_revokes_its_own_tokens_alone(rig: Rig) -> None:
    own, anothers = await rig.link("P1"), await rig.link("C1")
    for tokens in (own, anothers):
        await rig.revoke(tokens["access_token"], "P1")
    assert [await rig.is_live(tokens["access_token"]) for tokens in (own, anothers)] == [False, True]


@rfc7009("2.1", "A revocation takes effect at once")
async def test_the_next_request_is_refused(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    assert (await rig.verify(token)).status == 200
    await rig.revoke(token)
    assert (await rig.verify(token)).status == 401


@rfc7009("2.2", "An invalid token is answered by 200 too")
async def test_what_is_no_token_is_revoked_already(rig: Rig) -> None:
    tokens = await rig.link()
    answers = [await rig.revoke(token) for token in (tokens["access_token"], tokens["access_token"], "made-up")]
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}


@rfc7009("2.2.1", "On a 503 the token still exists, and Retry-After MAY say when to try again")
async def test_while_the_disk_is_locked_nothing_is_revoked(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    with writing_locked(rig):
        answer = await rig.revoke(token)
        assert (answer.refusal, answer.headers["Retry-After"]) == ((503, "temporarily_unavailable"), "5")
    assert await rig.is_live(token)


@rfc7009("5", "The endpoint MUST be protected against guessing as the token endpoint is")
async def test_failures_of_both_endpoints_are_counted_together(rig: Rig) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}
    for guess in range(10):
        path = "/alexa/token" if guess % 2 else "/alexa/revoke"
        await rig.post(path, None, form, Authorization=basic("C1", f"guess-{guess}"))
    assert (await rig.post("/alexa/revoke", None, form, Authorization=basic("C1", "guess"))).refusal == (429, "slow_down")
