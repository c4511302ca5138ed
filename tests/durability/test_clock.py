"""The wall clock of the machine is wrong, or is stepped: nothing that lives is called dead, and a clock put right mends it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

import pytest

from tests.durability.conftest import MakeServer
from tests.durability.wire import ALEXA, PROFILES, STRICT, Wire
from tests.durability.wrong_clock import RIGHT, WrongClock
from tests.rig import Answer

pytestmark = pytest.mark.durability

YEAR_AHEAD: Final = 365 * 86_400.0
WRONG: Final = {"1970": 60 - time.time(), "a year ahead": YEAR_AHEAD, "an hour back": -3_600.0}
MENDED_SECONDS: Final = 20

Clocks = list[tuple[WrongClock, float]]


@pytest.fixture
def clocks(make_server: MakeServer, tmp_path: Path) -> Clocks:
    """A server for each wrong time, and how far that is off."""
    return [(WrongClock(make_server(tmp_path / name), tmp_path / f"{name}.shift"), wrong) for name, wrong in WRONG.items()]


async def _in_each(clocks: Clocks, act: Callable[[WrongClock, float], Coroutine[None, None, None]]) -> None:
    """All at the same time, since most of it is waiting for a clock to be believed."""
    async with asyncio.TaskGroup() as group:
        for clock, wrong in clocks:
            group.create_task(act(clock, wrong))


@pytest.mark.fault(
    "The clock of the running server is set to 1970, a year ahead, or back by an hour",
    gets="200 for codes, refreshes and access tokens, as if nothing had happened; `/health` says that the clock is doubtful",
    kept="every link, code and token",
    mends="the right time: doubt ends by itself within seconds",
)
async def test_a_step_of_the_clock_ends_no_link_and_is_forgotten_when_undone(clocks: Clocks) -> None:
    await _in_each(clocks, _step)


async def _step(clock: WrongClock, wrong: float) -> None:
    await asyncio.to_thread(clock.server.start)
    async with Wire.to(clock.server.url) as wire:
        links = {client_id: await wire.link(client_id) for client_id in PROFILES}
        code = await wire.code(ALEXA)
        clock.shift(wrong)
        assert (await wire.redeem(ALEXA, code)).status == 200
        for client_id, tokens in links.items():
            assert (await wire.verify(tokens["access_token"])).status == 200
            links[client_id] = _good(await wire.refresh(client_id, tokens["refresh_token"]))
        await _doubted(wire)
        clock.shift(RIGHT)
        await _believed(wire)
        for client_id, tokens in links.items():
            _good(await wire.refresh(client_id, tokens["refresh_token"]))


@pytest.mark.fault(
    "The server starts while the clock says 1970, a year ahead, or an hour ago",
    gets="200 for what is certainly good, 503 where only the clock speaks against it; `/health` says that the clock is doubtful",
    kept="every link, those that were made or used under the wrong clock too",
    mends="the right time and a start; or a `Date` from the public address, a steady day, or the button in the panel",
)
async def test_a_start_under_a_wrong_clock_ends_no_link(clocks: Clocks) -> None:
    await _in_each(clocks, _start)


async def _start(clock: WrongClock, wrong: float) -> None:
    await asyncio.to_thread(clock.server.start)
    async with Wire.to(clock.server.url) as wire:
        links = {client_id: await wire.link(client_id) for client_id in PROFILES}
    await asyncio.to_thread(clock.server.stop)
    clock.shift(wrong)
    await asyncio.to_thread(clock.server.start)
    async with Wire.to(clock.server.url) as wire:
        await _doubted(wire)
        for client_id, tokens in links.items():
            answer = await wire.refresh(client_id, tokens["refresh_token"])
            if wrong == YEAR_AHEAD:
                assert answer.refusal == (503, "temporarily_unavailable")
            else:
                links[client_id] = _good(answer)
        made_in_doubt = await wire.link(STRICT)
    await asyncio.to_thread(clock.server.stop)
    clock.shift(RIGHT)
    await asyncio.to_thread(clock.server.start)
    async with Wire.to(clock.server.url) as wire:
        await _believed(wire)
        for client_id, tokens in [*links.items(), (STRICT, made_in_doubt)]:
            _good(await wire.refresh(client_id, tokens["refresh_token"]))


def _good(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer.text
    return dict(answer.json)


async def _doubted(wire: Wire) -> None:
    health = await wire.health()
    assert (health.status, health.json["checks"]["clock"]) == (503, "doubtful")


async def _believed(wire: Wire) -> None:
    async with asyncio.timeout(MENDED_SECONDS):
        while (await wire.health()).status != 200:  # noqa: ASYNC110 - it is another process that gets well
            await asyncio.sleep(0.1)
