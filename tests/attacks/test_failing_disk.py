"""What a locked, full or dying disk must not do: use up a credential, leave half a change, or let a lie out."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from alexa_oauth.storage.opening import _SERVER_BUSY_SECONDS
from tests.attacks.disk import before_each_statement, disk_full, failure, power_cut, rows_in, writing_locked
from tests.attacks.links import INVALID_GRANT, refreshed, rotated
from tests.rig import Rig, running

UNAVAILABLE = (503, "temporarily_unavailable")


async def test_e26_a_locked_database_loses_no_code(rig: Rig) -> None:
    code = await rig.code()
    with writing_locked(rig):
        answer = await rig.redeem(code)
        assert (answer.refusal, answer.headers["Retry-After"]) == (UNAVAILABLE, "5")
    assert (await rig.redeem(code)).status == 200


@pytest.mark.parametrize(
    "statement",
    ["BEGIN", "INSERT INTO grants", "INSERT INTO access_tokens", "UPDATE codes SET used_at", "INSERT INTO events", "COMMIT"],
)
async def test_e26_wherever_the_disk_is_full_no_code_is_lost_and_no_half_pair_is_left(
    rig: Rig, tmp_path: Path, statement: str
) -> None:
    code = await rig.code()
    with disk_full(rig, statement):
        answer = await rig.redeem(code)
        assert (answer.refusal, answer.headers["Retry-After"]) == (UNAVAILABLE, "5")
        assert (await rig.send("GET", "/health")).status == 503
    left = power_cut(rig, tmp_path / "left")
    assert [rows_in(left, table) for table in ("grants", "access_tokens", "codes")] == [0, 0, 1]
    assert (await rig.redeem(code)).status == 200
    assert (await rig.send("GET", "/health")).status == 200


async def test_e26_the_answer_goes_out_after_the_commit(rig: Rig, tmp_path: Path) -> None:
    """Else a power cut takes away tokens that a client has."""
    tokens = await rig.link()
    async with running(power_cut(rig, tmp_path / "left"), {}, rig.clocks) as later:
        assert await later.is_live(tokens["access_token"])
        assert (await later.refresh(tokens["refresh_token"])).status == 200


async def test_g32_a_locked_database_uses_up_no_token(rig: Rig) -> None:
    tokens = await rig.link()
    with writing_locked(rig):
        answer = await rig.refresh(tokens["refresh_token"])
        assert (answer.refusal, answer.headers["Retry-After"]) == (UNAVAILABLE, "5")
    assert (await rig.refresh(tokens["refresh_token"])).status == 200


@pytest.mark.parametrize("statement", ["BEGIN", "UPDATE grants", "INSERT INTO access_tokens", "INSERT INTO events", "COMMIT"])
async def test_g32_wherever_the_disk_is_full_no_token_is_used_up(rig: Rig, statement: str) -> None:
    tokens = await rig.link()
    with disk_full(rig, statement):
        assert (await rig.refresh(tokens["refresh_token"])).refusal == UNAVAILABLE
    assert await rig.is_live(tokens["access_token"])
    await refreshed(rig, tokens, "C1")


@pytest.mark.parametrize("statement", ["INSERT INTO events", "UPDATE grants", "DELETE FROM access_tokens", "COMMIT"])
async def test_g32_an_end_that_cannot_be_written_is_not_told(rig: Rig, statement: str) -> None:
    """Alexa drops a link at `invalid_grant`, so that is said only of a grant that is certainly over."""
    spent, _, head = await rotated(rig, "C1", times=2)
    with disk_full(rig, statement):
        assert (await rig.refresh(spent["refresh_token"])).refusal == UNAVAILABLE
    assert await rig.is_live(head["access_token"])
    assert (await rig.refresh(spent["refresh_token"])).refusal == INVALID_GRANT
    assert not await rig.is_live(head["access_token"])


async def test_e29_a_lock_keeps_nobody_waiting_for_longer_than_alexa_does(rig: Rig) -> None:
    """Who queues behind a request that waits for the lock is answered with it, instead of waiting for the lock in turn."""
    assert _SERVER_BUSY_SECONDS < 4.5
    code, queued, begun = await rig.code(), threading.Event(), list[int]()
    here = threading.get_ident()

    def lock(statement: str) -> None:
        if statement == "BEGIN IMMEDIATE":
            begun.append(threading.get_ident())
            if begun[-1] != here:
                queued.wait(20)
            raise failure(sqlite3.SQLITE_BUSY)

    with before_each_statement(rig, lock):
        async with asyncio.timeout(20):
            waiting = [asyncio.create_task(rig.redeem(code))]
            while len(begun) < 2:  # noqa: ASYNC110 - set by a thread
                await asyncio.sleep(0)
            waiting += [asyncio.create_task(rig.redeem(code)) for _ in range(19)]
            while len(rig.store._writer._waiting) < 19:  # noqa: ASYNC110 - a queue tells nobody that it grows
                await asyncio.sleep(0)
        queued.set()
        assert {(await answer).refusal for answer in waiting} == {UNAVAILABLE}
    assert len(begun) == 2
    assert (await rig.redeem(code)).status == 200
