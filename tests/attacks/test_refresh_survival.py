"""What must not cost a link: a jump of the clock, a power cut, a browser that is closed. And what must: disuse."""

from pathlib import Path

import pytest

from alexa_oauth.protocol.events import EventName
from tests.attacks.disk import before_each_statement, power_cut
from tests.attacks.links import DAY, HOUR, is_refused, refreshed, rotated
from tests.conftest import StartRig
from tests.rig import Rig, running


@pytest.mark.parametrize("days", [7, 90, 0])
async def test_g20_a_link_ends_by_disuse_when_it_was_told_to(start: StartRig, days: int) -> None:
    rig = await start(refresh_token_days=str(days))
    lives, dies = await rig.link("alexa"), await rig.link("alexa")
    rig.clocks.advance((days or 3_650) * DAY)
    await refreshed(rig, lives, "alexa")
    rig.clocks.advance(1)
    assert await is_refused(rig, dies, "alexa") is (days > 0)
    await refreshed(rig, lives, "alexa")


async def test_g21_a_link_that_is_used_never_ends_by_age(rig: Rig) -> None:
    """There is no absolute lifetime: the count begins anew at each use."""
    tokens = await rig.link("alexa")
    for _ in range(30):
        rig.clocks.advance(89 * DAY)
        tokens = await refreshed(rig, tokens, "alexa")


@pytest.mark.parametrize("client_id", ["C1", "C3", "alexa"])
@pytest.mark.parametrize("jump", [-HOUR, HOUR, -400 * DAY, 400 * DAY])
async def test_g22_a_jump_of_the_clock_and_back_costs_no_link(rig: Rig, client_id: str, jump: int) -> None:
    tokens = await rig.link(client_id)
    for step in (jump, -jump, jump):
        rig.clocks.step(step)
        tokens = await refreshed(rig, tokens, client_id)
        assert (await rig.verify(tokens["access_token"])).status == 200
        await rig.upkeep.watch_clock()
    assert await rig.audit(EventName.GRANT_ENDED) == []


async def test_g22_a_jump_closes_no_window(rig: Rig) -> None:
    old, new = await rotated(rig, "C1")
    rig.clocks.step(HOUR)
    rig.clocks.advance(20)
    assert await refreshed(rig, old, "C1") == {**new, "expires_in": 1_780}


async def test_g22_in_doubt_nothing_is_refused_for_its_age(rig: Rig) -> None:
    tokens = await rig.link()
    rig.clocks.step(HOUR)
    rig.clocks.advance(91 * DAY)
    answer = await rig.refresh(tokens["refresh_token"])
    assert (answer.refusal, answer.headers["Retry-After"]) == ((503, "temporarily_unavailable"), "5")
    assert (await rig.verify(tokens["access_token"])).status == 503
    rig.clocks.step(-HOUR)
    await rig.upkeep.watch_clock()
    assert await is_refused(rig, tokens, "C1"), "the step was undone, so the age is certain"


async def test_g23_the_end_of_the_browsers_session_ends_no_link(rig: Rig) -> None:
    browser = rig.browser()
    callback = await browser.approve(await browser.authorize("alexa"))
    tokens = (await rig.redeem(callback.returned["code"], "alexa")).json
    browser.cookies.clear()
    rig.clocks.advance(15 * DAY)
    await rig.upkeep.sweep()
    await refreshed(rig, tokens, "alexa")


@pytest.mark.parametrize("client_id", ["C1", "alexa"])
@pytest.mark.parametrize("off", [0, 50])
async def test_g26_a_power_cut_before_the_answer_arrived_leaves_the_retry_its_answer(
    rig: Rig, tmp_path: Path, client_id: str, off: int
) -> None:
    """A window that was open begins anew at the restart: the time that a machine was off is nobody's fault."""
    old, new = await rotated(rig, client_id)
    left = power_cut(rig, tmp_path / "left")
    rig.clocks.advance(off)
    async with running(left, {}, rig.clocks) as later:
        assert await refreshed(later, old, client_id) == {**new, "expires_in": 1_800 - off}


async def test_g27_a_power_cut_before_the_commit_leaves_the_old_token_its_place(rig: Rig, tmp_path: Path) -> None:
    tokens = await rig.link()

    def cut(statement: str) -> None:
        if statement == "COMMIT":
            power_cut(rig, tmp_path / "left")

    with before_each_statement(rig, cut):
        lost = await refreshed(rig, tokens, "C1")
    async with running(tmp_path / "left", {}, rig.clocks) as later:
        assert await later.is_live(tokens["refresh_token"])
        assert not await later.is_live(lost["access_token"])
        again = await refreshed(later, tokens, "C1")
        assert again["refresh_token"] == lost["refresh_token"], "generation n is always the same token"
        assert await later.is_live(again["access_token"])
