"""A disk that is full, or takes no writes: refusals that use nothing up, words on `/health`, and no hand needed afterwards.

The disk is a small one in memory. Only root may mount it, directly or by `sudo` without a password; elsewhere, in most
containers too, these tests are skipped, and what is left are those of `tests/storage/` and `tests/attacks/`, where SQLite
itself says that the disk is full. The system makes no such disk read-only while a file on it is open for writing; one that
it distrusts it does, and that is tried with a file system in a file.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.durability.conftest import MakeServer
from tests.durability.trouble import DistrustedDisk, MountRefused, SmallDisk
from tests.durability.wire import ALEXA, PROFILES, STRICT, Wire
from tests.rig import Answer
from tests.running_server import RunningServer

pytestmark = pytest.mark.durability

Trouble = Callable[[SmallDisk], None]

FILL_UPS: Final = 5
MENDED_SECONDS: Final = 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    try:
        disk = SmallDisk(tmp_path / "disk")
    except MountRefused as error:
        pytest.skip(str(error))
    with disk:
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
        code = await wire.code(ALEXA)
        links = {client_id: await wire.link(client_id) for client_id in PROFILES}
        disk.fill()
        assert _is_unavailable(await wire.redeem(ALEXA, code))
        for client_id, tokens in links.items():
            assert _is_unavailable(await wire.refresh(client_id, tokens["refresh_token"]))
            assert (await wire.verify(tokens["access_token"])).status == 200
        assert (await wire.health()).json["checks"]["database"] == "disk full"
        disk.make_room()
        assert (await wire.redeem(ALEXA, code)).status == 200
        for client_id, tokens in links.items():
            assert (await wire.refresh(client_id, tokens["refresh_token"])).status == 200
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
        over = asyncio.Event()
        lives = [clients.create_task(_refresh_until(over, wire, await wire.link(STRICT))) for _ in range(8)]
        for _ in range(FILL_UPS):
            disk.fill()
            await asyncio.sleep(0.1)
            disk.make_room()
            await asyncio.sleep(0.1)
        over.set()
    assert all(life.result() for life in lives), "everybody was refused for some time"


@pytest.mark.fault(
    "The system makes the disk read-only under the running server, as it does at the first error of a disk",
    gets="503 for codes and refreshes; music plays on; `/health` says `input/output error`",
    kept="everything that was answered, on the disk itself, and every code and token that was presented in vain",
    mends="a repair of the file system (`fsck`, mostly by itself at a start of the machine), then a start",
)
async def test_a_disk_that_goes_read_only_under_the_server_uses_nothing_up(make_server: MakeServer, tmp_path: Path) -> None:
    """Such a disk never gets what the system still holds for it, so that this sees whether commits, and the key, were flushed."""
    try:
        disk = DistrustedDisk(tmp_path / "disk")
    except MountRefused as error:
        pytest.skip(str(error))
    with disk:
        server = make_server(disk.folder / "data")
        await asyncio.to_thread(server.start)
        async with Wire.to(server.url) as wire:
            code = await wire.code(ALEXA)
            links = {client_id: await wire.link(client_id) for client_id in PROFILES}
            disk.fail()
            assert _is_unavailable(await wire.redeem(ALEXA, code))
            for client_id, tokens in links.items():
                assert _is_unavailable(await wire.refresh(client_id, tokens["refresh_token"]))
                assert (await wire.verify(tokens["access_token"])).status == 200
            assert (await wire.health()).json["checks"]["database"] == "input/output error"
        server.kill()
        disk.repair()
        await asyncio.to_thread(server.start)
        async with Wire.to(server.url) as wire:
            assert (await wire.redeem(ALEXA, code)).status == 200
            for client_id, tokens in links.items():
                assert (await wire.refresh(client_id, tokens["refresh_token"])).status == 200
        await asyncio.to_thread(server.stop)


@pytest.mark.fault(
    "The server starts on a disk that is full or read-only: for the first time, after an end in order, or after a power cut",
    gets="503; `/health` says which of the two",
    kept="everything that was answered before, also where the disk filled up right after the commit and the power went",
    mends="room or a writable disk; the server opens the database by itself within seconds",
)
@pytest.mark.parametrize("before", ["nothing", "stop", "kill"])
@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param((SmallDisk.fill, SmallDisk.make_room, "disk full"), id="full"),
        pytest.param((SmallDisk.stop_writes, SmallDisk.allow_writes, "read-only file system"), id="read-only"),
    ],
)
async def test_a_start_on_such_a_disk_says_what_is_wrong_and_gets_well_by_itself(
    make_server: MakeServer, disk: SmallDisk, trouble: tuple[Trouble, Trouble, str], before: str
) -> None:
    """A first start, a start after an end in order, and a start after a crash, which left the write-ahead log."""
    server = make_server(disk.folder / "data")
    befall, mend, reason = trouble
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


async def _left_behind(server: RunningServer, end: str) -> str:
    """The refresh token of a link that a server made before it ended so."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        refresh_token = (await wire.link(STRICT))["refresh_token"]
    await asyncio.to_thread(getattr(server, end))
    return str(refresh_token)


async def _refresh_until(over: asyncio.Event, wire: Wire, tokens: dict[str, str]) -> int:
    """Refresh again and again; how often that was refused."""
    refused = 0
    while not over.is_set():
        answer = await wire.refresh(STRICT, tokens["refresh_token"])
        if answer.status == 200:
            tokens = answer.json
        else:
            assert _is_unavailable(answer), answer.text
            refused += 1
            await asyncio.sleep(0.01)
    assert (await wire.refresh(STRICT, tokens["refresh_token"])).status == 200
    return refused


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
