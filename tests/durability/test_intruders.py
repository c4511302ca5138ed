"""Others at the data folder of a running server, or at its key."""

import asyncio
import time
from pathlib import Path
from typing import Final

import pytest

from tests.durability.trouble import locked
from tests.durability.wire import ALEXA, STRICT, Wire
from tests.running_server import RunningServer

pytestmark = pytest.mark.durability

ALEXA_WAITS_SECONDS: Final = 4.5
LOCKED_SECONDS: Final = 3
ANOTHER_KEY: Final = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="


@pytest.mark.fault(
    "Another program locks the database for seconds",
    gets="503 before Alexa would give up; access tokens and `/health` are answered meanwhile",
    kept="the codes and tokens that were presented",
    mends="the end of that program; nothing needs to be restarted",
)
async def test_a_lock_of_another_process_costs_a_refusal_and_nothing_else(server: RunningServer) -> None:
    """Twenty wait together, and each is told before Alexa gives up; what needs no writing is told meanwhile."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        codes = [await wire.code(ALEXA) for _ in range(20)]
        link = await wire.link(STRICT)
        assert (await wire.verify(link["access_token"])).status == 200
        with locked(server.data_dir) as other:
            begun = time.monotonic()
            waiting = [asyncio.create_task(wire.redeem(ALEXA, code)) for code in codes]
            await asyncio.sleep(0.1)
            assert (await wire.health()).status == 200
            assert (await wire.verify(link["access_token"])).status == 200
            assert not any(one.done() for one in waiting)
            refused = await asyncio.gather(*waiting)
            assert time.monotonic() - begun < ALEXA_WAITS_SECONDS
            assert {answer.refusal for answer in refused} == {(503, "temporarily_unavailable")}
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
            assert (await wire.health()).json["checks"]["database"] == "locked"
            last = asyncio.create_task(wire.refresh(STRICT, link["refresh_token"]))
            await asyncio.sleep(begun + LOCKED_SECONDS - time.monotonic())
            other.execute("ROLLBACK")
        assert (await last).status == 200
        assert {(await wire.redeem(ALEXA, code)).status for code in codes} == {200}


@pytest.mark.fault(
    "A second server is started on the same data",
    gets="200 from the first, which notices nothing",
    kept="everything; the second ends with status 78 and says why",
    mends="not to start it",
)
async def test_a_second_server_refuses_to_start_and_the_first_does_not_notice(server: RunningServer) -> None:
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        tokens = await wire.link(STRICT)
        del server.environment["ALEXA_OAUTH_SIGN_IN"]  # its warning would be a line, too
        second = asyncio.create_task(asyncio.to_thread(server.run, "serve"))
        while not second.done():
            answer = await wire.refresh(STRICT, tokens["refresh_token"])
            assert answer.status == 200
            tokens = answer.json
        ran = await second
    assert (ran.returncode, ran.stdout) == (78, "")
    assert ran.stderr == f"alexa-oauth: another server already runs on {server.data_dir}\n"


@pytest.mark.fault(
    "The server starts with a wrong encryption key after a power cut",
    gets="no answer: status 78, and one line with the key that is wanted",
    kept="every byte of the data folder",
    mends="the right key, then a start",
)
async def test_a_wrong_key_after_a_crash_ends_the_start_and_changes_no_byte(server: RunningServer) -> None:
    """The write-ahead log of the crash is still there, and is folded in only by a server that has the key."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        tokens = await wire.link(STRICT)
        server.kill()
    left = _octets(server.data_dir)
    assert left["oauth.db-wal"]
    del server.environment["ALEXA_OAUTH_SIGN_IN"]  # its warning would be a line, too
    server.environment["OAUTH_ENCRYPTION_KEY"] = ANOTHER_KEY
    ran = await asyncio.to_thread(server.run, "serve")
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (78, "", 1)
    assert ran.stderr.startswith("alexa-oauth: wrong encryption key: the database wants key ")
    assert _octets(server.data_dir) == left
    del server.environment["OAUTH_ENCRYPTION_KEY"]
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        assert (await wire.refresh(STRICT, tokens["refresh_token"])).status == 200


def _octets(folder: Path) -> dict[str, bytes]:
    """All files but the index of the write-ahead log, in which readers note that they are there."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "oauth.db-shm"}
