"""A disk that is full, or takes no writes: refusals that use nothing up, words on `/health`, and no hand needed afterwards.

The disk is a small one in memory. Only root may mount it, directly or by `sudo` without a password; without either these
tests fail. The system makes no such disk read-only while a file on it is open for writing; one that it distrusts it does, and
that is tried with a file system in a file.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

import pytest

from tests.durability.conftest import MakeServer
from tests.durability.trouble import DistrustedDisk, SmallDisk
from tests.durability.wire import ALEXA, PROFILES, STRICT, Wire
from tests.rig import Answer
from tests.running_server import RunningServer

pytestmark = pytest.mark.durability

Trouble = Callable[[SmallDisk], None]

FILL_UPS: Final = 5
MENDED_SECONDS: Final = 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "disk") as disk:
        yield disk


@pytest.mark.fault(
    "The disk is full before a code is exchanged or a token refreshed",
    gets="503 for both; music plays on, since access tokens are still checked; `/health` says `disk full`",
    kept="the code and every refresh token: the same requests work afterwards",
    mends="room on the disk; nothing needs to be restarted",
)
async def test_a_full_disk_uses_nothing_up_and_stops_no_music(make_server: MakeServer, disk: SmallDisk) -> None:
    server = make_server(disk.folder / "data")
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        presented = await Presented.to(wire)
        disk.fill()
        await presented.in_vain(wire, "disk full")
        disk.make_room()
        await presented.taken(wire)
        assert (await wire.health()).status == 200


@pytest.mark.fault(
    "The disk fills up again and again, amid refreshes and their commits",
    gets="200 or 503, nothing else",
    kept="every link, even of clients whose refresh token works once only",
    mends="room on the disk",
)
async def test_a_disk_that_fills_up_under_load_costs_nobody_a_link(make_server: MakeServer, disk: SmallDisk) -> None:
    """Under `strict` a refresh that was carried out and then refused for want of room would cost the link."""
    server = make_server(disk.folder / "data")
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire, asyncio.TaskGroup() as clients:
        lives = [Refreshing(await wire.link(STRICT)) for _ in range(8)]
        tasks = [clients.create_task(life.go_on(wire)) for life in lives]
        for _ in range(FILL_UPS):
            disk.fill()
            await asyncio.gather(*(life.hear(503) for life in lives))
            disk.make_room()
            await asyncio.gather(*(life.hear(200) for life in lives))
        for task in tasks:
            task.cancel()


@pytest.mark.fault(
    "The system makes the disk read-only under the running server, as it does at the first error of a disk",
    gets="503 for codes and refreshes; music plays on; `/health` says `input/output error`",
    kept="everything that was answered, on the disk itself, and every code and token that was presented in vain",
    mends="a repair of the file system (`fsck`, mostly by itself at a start of the machine), then a start",
)
async def test_a_disk_that_goes_read_only_under_the_server_uses_nothing_up(make_server: MakeServer, tmp_path: Path) -> None:
    """Such a disk never gets what the system still holds for it, so that this sees whether commits, and the key, were flushed."""
    with DistrustedDisk(tmp_path / "disk") as disk:
        server = make_server(disk.folder / "data")
        await asyncio.to_thread(server.start)
        async with Wire.to(server.url) as wire:
            presented = await Presented.to(wire)
            disk.fail()
            await presented.in_vain(wire, "input/output error")
        server.kill()
        disk.repair()
        await asyncio.to_thread(server.start)
        async with Wire.to(server.url) as wire:
            await presented.taken(wire)
        await asyncio.to_thread(server.stop)


@pytest.mark.fault(
    "The server starts on a disk that is full or read-only: for the first time, after an end in order, or after a power cut",
    gets="503; `/health` says which of the two",
    kept="everything that was answered before, also where the disk filled up right after the commit and the power went",
    mends="room or a writable disk; the server opens the database by itself within seconds",
)
@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param((SmallDisk.fill, SmallDisk.make_room, "disk full"), id="full"),
        pytest.param((SmallDisk.stop_writes, SmallDisk.allow_writes, "read-only file system"), id="read-only"),
    ],
)
async def test_a_start_on_such_a_disk_says_what_is_wrong_and_gets_well_by_itself(
    make_server: MakeServer, tmp_path: Path, trouble: tuple[Trouble, Trouble, str]
) -> None:
    """A first start, a start after an end in order, and a start after a crash, which left the write-ahead log."""
    befall, mend, reason = trouble

    async def start(before: str) -> None:
        with SmallDisk(tmp_path / before) as disk:
            server = make_server(disk.folder / "data")
            refresh_token = await _left_behind(server, before) if before != "nothing" else None
            befall(disk)
            await asyncio.to_thread(server.start)
            assert await _complaint(server) == reason
            mend(disk)
            await _mended(server)
            async with Wire.to(server.url) as wire:
                if refresh_token is not None:
                    assert (await wire.refresh(STRICT, refresh_token)).status == 200
                await wire.link(STRICT)

    async with asyncio.TaskGroup() as starts:
        for before in ("nothing", "stop", "kill"):
            starts.create_task(start(before))


async def _left_behind(server: RunningServer, end: str) -> str:
    """The refresh token of a link that a server made before it ended so."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        refresh_token = (await wire.link(STRICT))["refresh_token"]
    await asyncio.to_thread(getattr(server, end))
    return str(refresh_token)


class Presented:
    """A code, and a link of each profile: what clients present to the server."""

    def __init__(self, code: str, links: dict[str, dict[str, str]]) -> None:
        self._code = code
        self._links = links

    @classmethod
    async def to(cls, wire: Wire) -> Self:
        """What that server has just issued."""
        return cls(await wire.code(ALEXA), {client_id: await wire.link(client_id) for client_id in PROFILES})

    async def in_vain(self, wire: Wire, reason: str) -> None:
        """Codes and refreshes are put off, `/health` says why, and music plays on."""
        assert _is_unavailable(await wire.redeem(ALEXA, self._code))
        for client_id, tokens in self._links.items():
            assert _is_unavailable(await wire.refresh(client_id, tokens["refresh_token"]))
            assert (await wire.verify(tokens["access_token"])).status == 200
        assert (await wire.health()).json["checks"]["database"] == reason

    async def taken(self, wire: Wire) -> None:
        """The same requests work."""
        assert (await wire.redeem(ALEXA, self._code)).status == 200
        for client_id, tokens in self._links.items():
            assert (await wire.refresh(client_id, tokens["refresh_token"])).status == 200


class Refreshing:
    """A client that refreshes again and again, whatever it is answered."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = tokens
        self._heard = {200: asyncio.Event(), 503: asyncio.Event()}

    async def go_on(self, wire: Wire) -> None:
        """Until cancelled."""
        while True:
            answer = await wire.refresh(STRICT, self._tokens["refresh_token"])
            assert answer.status == 200 or _is_unavailable(answer), answer.text
            self._heard[answer.status].set()
            if answer.status == 200:
                self._tokens = answer.json
            else:
                await asyncio.sleep(0.01)

    async def hear(self, status: int) -> None:
        """Wait until an answer of that status comes, later than now."""
        self._heard[status].clear()
        async with asyncio.timeout(MENDED_SECONDS):
            await self._heard[status].wait()


def _is_unavailable(answer: Answer) -> bool:
    return answer.refusal == (503, "temporarily_unavailable") and int(answer.headers["Retry-After"]) > 0


async def _complaint(server: RunningServer) -> str:
    """What `/health` says of the database, while everything that needs it is refused."""
    async with Wire.to(server.url) as wire:
        assert _is_unavailable(await wire.refresh(STRICT, "any"))
        health = await wire.health()
        assert health.status == 503
        return str(health.json["checks"]["database"])


async def _mended(server: RunningServer) -> None:
    """Wait until all is well, without asking for anything else."""
    async with asyncio.timeout(MENDED_SECONDS), Wire.to(server.url) as wire:
        while (await wire.health()).status != 200:  # noqa: ASYNC110 - it is another process that gets well
            await asyncio.sleep(0.1)
