"""Attacks by reuse of a refresh token (RFC 9700 §4.14.2), and the honest retries that must not be taken for one."""

import asyncio
from dataclasses import replace

import pytest

from alexa_oauth.protocol.events import EventName, Reason
from tests.attacks.disk import statements_written
from tests.attacks.links import DAY, HOUR, INVALID_GRANT, assert_dead, is_refused, refreshed, rotated
from tests.attacks.verdict import define_clients
from tests.rig import CLIENTS, Answer, Rig


@pytest.mark.parametrize(("client_id", "rotates"), [("C1", True), ("C3", True), ("P1", True), ("alexa", False)])
async def test_g01_g02_a_refresh_gives_a_new_access_token_and_rotates_as_the_profile_says(
    rig: Rig,
    client_id: str,
    rotates: bool,  # noqa: FBT001 - the table reads best so
) -> None:
    tokens = await rig.link(client_id)
    answer = await refreshed(rig, tokens, client_id)
    assert answer["access_token"] != tokens["access_token"]
    assert (answer["refresh_token"] != tokens["refresh_token"]) is rotates
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 1_800, tokens["scope"])
    assert await rig.is_live(answer["access_token"])
    assert await rig.is_live(tokens["access_token"]), "the old access token lives until it expires"


@pytest.mark.parametrize(("client_id", "after"), [("C1", [1, 30]), ("alexa", [5, 15, 60])])
async def test_g04_a_retry_gets_the_same_answer(rig: Rig, client_id: str, after: list[int]) -> None:
    old, new = await rotated(rig, client_id)
    begun = rig.clocks.running
    for seconds in after:
        rig.clocks.advance(begun + seconds - rig.clocks.running)
        assert await refreshed(rig, old, client_id) == {**new, "expires_in": 1_800 - seconds}
    assert len(await rig.audit(EventName.TOKEN_REPLAYED)) == len(after)


async def test_g04_retries_do_not_make_the_window_longer(rig: Rig) -> None:
    old, new = await rotated(rig, "C1")
    for _ in range(3):
        rig.clocks.advance(10)
        await refreshed(rig, old, "C1")
    rig.clocks.advance(1)
    assert await is_refused(rig, old, "C1")
    await assert_dead(rig, "C1", new)


async def test_g04_alexas_late_retry_gets_the_head_and_never_a_third_token(rig: Rig) -> None:
    old, new = await rotated(rig, "alexa")
    rig.clocks.advance(61)
    late = await refreshed(rig, old, "alexa")
    assert late["refresh_token"] == new["refresh_token"]
    assert late["access_token"] != new["access_token"]
    assert late["expires_in"] == 1_800


async def test_g04_a_retry_for_less_does_not_get_the_wider_answer(rig: Rig) -> None:
    old, new = await rotated(rig, "C1")
    narrow = (await rig.refresh(old["refresh_token"], scope="music.read")).json
    assert (narrow["scope"], narrow["refresh_token"]) == ("music.read", new["refresh_token"])
    assert narrow["access_token"] != new["access_token"]


async def at_once(rig: Rig, token: str, client_id: str) -> list[Answer]:
    rig.headers["X-Forwarded-For"] = "192.0.2.1"  # a proxy that nobody configured: nobody is told to slow down
    return await asyncio.gather(*(rig.refresh(token, client_id) for _ in range(200)))


@pytest.mark.parametrize("client_id", ["C1", "alexa"])
async def test_g05_two_hundred_refreshes_at_once_that_rotate_make_one_pair(rig: Rig, client_id: str) -> None:
    tokens = await rig.link(client_id)
    rig.clocks.advance(8 * DAY)
    answers = await at_once(rig, tokens["refresh_token"], client_id)
    assert {answer.status for answer in answers} == {200}
    ((access_token, refresh_token),) = {(answer.json["access_token"], answer.json["refresh_token"]) for answer in answers}
    assert refresh_token != tokens["refresh_token"]
    assert await rig.is_live(access_token)


async def test_g05_two_hundred_refreshes_at_once_of_a_head_that_stays_leave_32_access_tokens(rig: Rig) -> None:
    tokens = await rig.link("alexa")
    answers = await at_once(rig, tokens["refresh_token"], "alexa")
    assert {answer.json["refresh_token"] for answer in answers} == {tokens["refresh_token"]}
    issued = {answer.json["access_token"] for answer in answers} | {tokens["access_token"]}
    assert len(issued) == 201
    assert sum([await rig.is_live(access_token) for access_token in issued]) == 32


async def test_g05_without_a_window_one_of_two_hundred_wins_and_the_others_give_the_theft_away(rig: Rig) -> None:
    tokens = await rig.link("C3")
    answers = await at_once(rig, tokens["refresh_token"], "C3")
    (winner,) = [answer for answer in answers if answer.status == 200]
    assert {answer.refusal for answer in answers if answer is not winner} == {INVALID_GRANT}
    await assert_dead(rig, "C3", tokens, winner.json)


@pytest.mark.parametrize("proof", ["access token at a resource", "access token introspected", "access token revoked"])
async def test_g06_once_the_new_answer_has_arrived_the_old_token_is_reuse(rig: Rig, proof: str) -> None:
    old, new = await rotated(rig, "C1")
    if proof == "access token introspected":
        assert await rig.is_live(new["access_token"])
    elif proof == "access token revoked":
        assert (await rig.revoke(new["access_token"])).status == 200
    else:
        assert (await rig.verify(new["access_token"])).status == 200
    assert await is_refused(rig, old, "C1")
    await assert_dead(rig, "C1", old, new)
    assert [event.reason for event in await rig.audit(EventName.TOKEN_REUSED)][-1] is Reason.REFRESH_TOKEN_REUSED


async def test_g06_without_a_window_the_old_token_is_reuse_at_once(rig: Rig) -> None:
    old, new = await rotated(rig, "C3")
    assert await is_refused(rig, old, "C3")
    await assert_dead(rig, "C3", old, new)


async def test_g06_alexas_old_token_works_for_an_hour_after_the_head_was_used_and_then_ends_nothing(rig: Rig) -> None:
    """Her servers do not all change over at once; the thief of that token alone would need her secret as well."""
    old, new = await rotated(rig, "alexa")
    await refreshed(rig, new, "alexa")
    rig.clocks.advance(HOUR)
    assert (await refreshed(rig, old, "alexa"))["refresh_token"] == new["refresh_token"]
    rig.clocks.advance(1)
    assert await is_refused(rig, old, "alexa")
    assert await rig.audit(EventName.GRANT_ENDED) == []
    assert len(await rig.audit(EventName.TOKEN_REUSED)) == 1
    await refreshed(rig, new, "alexa")


@pytest.mark.parametrize("client_id", ["C1", "C3", "alexa"])
async def test_g07_g08_two_generations_back_is_reuse_even_in_the_same_second(rig: Rig, client_id: str) -> None:
    """Generations decide, not instants: all of this happens within one window, for C1 and C3 within one second."""
    answers = await rotated(rig, client_id, times=3)
    assert await is_refused(rig, answers[1], client_id)
    await assert_dead(rig, client_id, *answers)
    assert [event.reason for event in await rig.audit(EventName.GRANT_ENDED)] == [Reason.REFRESH_TOKEN_REUSED]


@pytest.mark.parametrize("client_id", ["C1", "alexa"])
@pytest.mark.parametrize("revoked", [0, 1], ids=["by the old token", "by the new token"])
async def test_g09_no_window_survives_a_revocation(rig: Rig, client_id: str, revoked: int) -> None:
    answers = await rotated(rig, client_id)
    assert (await rig.revoke(answers[revoked]["refresh_token"], client_id)).status == 200
    await assert_dead(rig, client_id, *answers)


async def test_g29_with_the_grant_all_its_access_tokens_end_at_once(rig: Rig) -> None:
    first, _, head = await rotated(rig, "alexa", times=2)
    siblings = [await refreshed(rig, head, "alexa") for _ in range(5)]
    assert all([await rig.is_live(sibling["access_token"]) for sibling in siblings])
    assert await is_refused(rig, first, "alexa")
    await assert_dead(rig, "alexa", head, *siblings)


async def test_g31_the_ten_thousandth_generation_ends_with_as_little_work_as_the_third(rig: Rig) -> None:
    """A grant is one row, however often it was refreshed."""

    async def work_to_end(generation: int) -> int:
        tokens = await rig.link()
        presented = rig.store.keys.ring.read_refresh_token(tokens["refresh_token"])
        assert presented is not None
        key = rig.store.keys.ring.newest_token_key_id
        ahead = rig.store.keys.ring.refresh_token(key, replace(presented, generation=generation))
        await refreshed(rig, {"refresh_token": ahead}, "C1")
        with statements_written(rig) as statements:
            assert await is_refused(rig, tokens, "C1")
        return len(statements)

    assert await work_to_end(10_000) == await work_to_end(3)


async def test_g33_alexas_old_token_works_until_the_new_one_is_used(rig: Rig) -> None:
    old, new = await rotated(rig, "alexa")
    for _ in range(5):
        rig.clocks.advance(80 * DAY)
        assert (await refreshed(rig, old, "alexa"))["refresh_token"] == new["refresh_token"]
    await refreshed(rig, new, "alexa")


async def test_g06_a_predecessor_is_judged_by_the_profile_under_which_it_was_rotated(rig: Rig) -> None:
    old, new = await rotated(rig, "C1")
    assert define_clients(rig, {**CLIENTS, "C1": {**CLIENTS["C1"], "refresh": "strict"}}) == ()
    assert (await refreshed(rig, old, "C1"))["refresh_token"] == new["refresh_token"], "a change closes no open window"
    newest = await refreshed(rig, new, "C1")
    assert await is_refused(rig, new, "C1"), "and it leaves none open for what is rotated after it"
    await assert_dead(rig, "C1", newest)
