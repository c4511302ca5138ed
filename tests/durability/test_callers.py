"""Strangers on the public port who hold connections, dawdle, or begin what they never finish."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import pytest

from alexa_oauth.protocol.policy import PENDING_LIMIT, PENDING_SECONDS
from alexa_oauth.web.forms import BODY_SECONDS
from alexa_oauth.web.runner import KEEPALIVE_SECONDS
from tests.durability.wire import ALEXA, PROFILES, Wire
from tests.running_server import RunningServer

pytestmark = pytest.mark.durability

IDLE: Final = 200
SLOW: Final = 200
A_ROUND: Final = 20
ROUNDS: Final = 10
HEALTH_SECONDS: Final = 0.1
ABANDONED: Final = 10_000
AT_ONCE: Final = 16
LARGEST_DATABASE: Final = 64 * 1024 * 1024

SLOW_HEAD: Final = b"POST /alexa/token HTTP/1.1\r\nHost: test\r\nX-Dawdle: "
SLOW_BODY: Final = (
    b"POST /alexa/token HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 10000\r\n\r\n"
)


@pytest.mark.fault(
    f"{IDLE} connections that say nothing, and {SLOW} callers who send a request byte by byte",
    gets="200 for everybody else, and `/health` in less than 100 ms",
    kept="everything",
    mends=f"nothing needs to be done: the silent are cut off after {KEEPALIVE_SECONDS:.0f} s, a slow body after {BODY_SECONDS} s",
)
async def test_who_dawdles_holds_up_nobody_else(server: RunningServer) -> None:
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire, _strangers(server.port, IDLE), _strangers(server.port, SLOW) as slow:
        for place, writer in enumerate(slow):
            writer.write(SLOW_HEAD if place % 2 else SLOW_BODY)
        dawdling = asyncio.create_task(_dawdle(slow))
        slowest = [max([await _seconds_of_health(wire) for _ in range(A_ROUND)]) for _ in range(ROUNDS)]
        assert min(slowest) < HEALTH_SECONDS, "this machine may have had other work in some rounds, but not in all of them"
        for client_id in PROFILES:
            tokens = await wire.link(client_id)
            assert (await wire.refresh(client_id, tokens["refresh_token"])).status == 200
        assert not dawdling.done()
        dawdling.cancel()


@pytest.mark.fault(
    f"{ABANDONED:,} authorization requests that nobody goes on with",
    gets="200 for refreshes meanwhile; who began before the flood, and who begins after it, can approve",
    kept=f"everything; of requests that wait, {PENDING_LIMIT:,} at most, and of those the busiest address loses its oldest first",
    mends=f"nothing needs to be done: they are forgotten after {PENDING_SECONDS // 60} minutes",
)
async def test_ten_thousand_abandoned_requests_cost_the_household_nothing(server: RunningServer) -> None:
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        links = {client_id: await wire.link(client_id) for client_id in PROFILES}
        begun = await wire.begin(ALEXA)
        strangers = asyncio.gather(*(_abandon(wire, ABANDONED // AT_ONCE) for _ in range(AT_ONCE)))
        while not strangers.done():
            for client_id, tokens in links.items():
                refreshed = await wire.refresh(client_id, tokens["refresh_token"])
                assert refreshed.status == 200
                links[client_id] = refreshed.json
        await strangers
        assert (await wire.redeem(ALEXA, await wire.approve(begun))).status == 200
        assert (await wire.link(ALEXA))["refresh_token"]
        assert (await wire.health()).status == 200
    assert await asyncio.to_thread(server.stop) == 0
    assert (server.data_dir / "oauth.db").stat().st_size < LARGEST_DATABASE


@asynccontextmanager
async def _strangers(port: int, number: int) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """So many connections, which are closed with the block."""
    async with AsyncExitStack() as held:
        writers = []
        for _ in range(number):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            held.callback(writer.close)
            writers.append(writer)
        yield writers


async def _dawdle(writers: list[asyncio.StreamWriter]) -> None:
    """One byte of each at a time."""
    while True:
        for writer in writers:
            writer.write(b"a")
        await asyncio.sleep(0.05)


async def _seconds_of_health(wire: Wire) -> float:
    begun = time.monotonic()
    assert (await wire.health()).status == 200
    return time.monotonic() - begun


async def _abandon(wire: Wire, number: int) -> None:
    for _ in range(number):
        await wire.begin(ALEXA)
