"""A machine that has little to give: 128 MB of memory, or no file descriptor left."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from typing import Final

import pytest

from alexa_oauth.web.runner import KEEPALIVE_SECONDS
from tests.durability.holder import Holder
from tests.durability.limits import LimitRefused, MemoryLimit, peak_memory
from tests.durability.wire import ALEXA, PROFILES, NotAnswered, Wire
from tests.running_server import COMMAND, RunningServer

pytestmark = pytest.mark.durability

MEMORY: Final = 128 * 1024 * 1024
HOLDERS: Final = 12
REFRESHES: Final = 100
ABANDONED: Final = 200
DESCRIPTORS: Final = 64
STRANGERS: Final = 200
PATIENCE_SECONDS: Final = 0.5
MENDED_SECONDS: Final = 10


@pytest.mark.fault(
    "128 MB of memory while clients refresh and strangers begin requests: a limit that the kernel keeps, where tests may set one",
    gets="200",
    kept="everything that was answered; the kernel ends nothing",
    mends="nothing needs to be done",
)
async def test_128_mb_are_enough_under_load(server: RunningServer) -> None:
    """Where no control group can be made, the process is not limited, and its peak is held against the number alone."""
    happened = Counter[str]()
    holders = [Holder(PROFILES[place % 3], happened) for place in range(HOLDERS)]
    with ExitStack() as limits:
        limit = _memory_limit()
        if limit is not None:
            limits.enter_context(limit)
            server.command = (*limit.command, *COMMAND)
        await asyncio.to_thread(server.start)
        async with Wire.to(server.url) as wire:
            await asyncio.gather(*(holder.link(wire) for holder in holders))
            await asyncio.gather(*(_refresh(wire, holder) for holder in holders), *(_abandon(wire) for _ in range(HOLDERS)))
            await asyncio.gather(*(holder.check(wire) for holder in holders))
        assert peak_memory(server.process.pid) < MEMORY
        assert limit is None or limit.kills == 0
        assert await asyncio.to_thread(server.stop) == 0
    assert happened["token.refreshed"] == HOLDERS * REFRESHES


@pytest.mark.fault(
    "Strangers hold so many connections that the process has no file descriptor left",
    gets="200 over connections that are open, as proxies keep them; a new connection is closed at once or has to wait",
    kept="everything that was answered",
    mends=f"their end, by the server itself after {KEEPALIVE_SECONDS:.0f} s of silence; a higher limit for open files",
)
async def test_without_descriptors_open_connections_are_served_and_nothing_is_lost(server: RunningServer) -> None:
    server.command = ("prlimit", f"--nofile={DESCRIPTORS}", *COMMAND)
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        links = {client_id: await wire.link(client_id) for client_id in PROFILES}
        strangers = [(await asyncio.open_connection("127.0.0.1", server.port))[1] for _ in range(STRANGERS)]
        async with Wire.to(server.url) as newcomer:
            assert not await _is_served(newcomer)
        for client_id in PROFILES:
            for _ in range(REFRESHES):
                links[client_id] = (await wire.refresh(client_id, links[client_id]["refresh_token"])).json
            assert (await wire.verify(links[client_id]["access_token"])).status == 200
        for stranger in strangers:
            stranger.close()
    async with asyncio.timeout(MENDED_SECONDS), Wire.to(server.url) as wire:
        while not await _is_served(wire):
            pass
        for client_id, tokens in links.items():
            assert (await wire.refresh(client_id, tokens["refresh_token"])).status == 200
        await wire.link(ALEXA)
    assert await asyncio.to_thread(server.stop) == 0


def _memory_limit() -> MemoryLimit | None:
    try:
        return MemoryLimit(MEMORY)
    except LimitRefused:
        return None


async def _is_served(wire: Wire) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await wire.health()).status == 200
    except (NotAnswered, TimeoutError):
        return False


async def _refresh(wire: Wire, holder: Holder) -> None:
    for _ in range(REFRESHES):
        await holder.refresh(wire)


async def _abandon(wire: Wire) -> None:
    for _ in range(ABANDONED):
        await wire.begin(ALEXA)
