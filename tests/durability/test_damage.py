"""Somebody or something damages the database file, or takes the write-ahead log away."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.durability.wire import STRICT, Wire
from tests.running_server import RunningServer

pytestmark = pytest.mark.durability

PASSPHRASE: Final = "correct horse battery staple"
PAGE: Final = 4_096
REFRESHES: Final = 5

Damage = Callable[[Path], None]


def truncate(file: Path) -> None:
    """Cut the file in half."""
    os.truncate(file, file.stat().st_size // 2)


def overwrite(file: Path) -> None:
    """Write over a page in its middle."""
    with file.open("r+b") as database:
        database.seek(file.stat().st_size // PAGE // 2 * PAGE)
        database.write(b"\xa5" * PAGE)


@pytest.fixture
def server(server: RunningServer) -> RunningServer:
    """A server whose backups have a passphrase, and that says nothing at a start but what is wrong."""
    server.environment["ALEXA_OAUTH_BACKUP_PASSPHRASE"] = PASSPHRASE
    return server


@pytest.mark.fault(
    "The database is truncated, or a page of it overwritten, while the server is down",
    gets="no answer: the start ends with status 78, and names the file and the command that restores the newest good copy",
    kept="the damaged file, byte for byte; the links that the backup knows, even where they were refreshed since",
    mends="`alexa-oauth restore FILE` with a sealed backup or a daily copy, then a start",
)
@pytest.mark.parametrize("damage", [truncate, overwrite])
async def test_a_database_that_was_damaged_is_kept_and_a_backup_takes_its_place(
    server: RunningServer, tmp_path: Path, damage: Damage
) -> None:
    """The token is newer than the backup, which would look like a theft if generations were not computed."""
    refresh_token = await _backed_up_and_refreshed(server, tmp_path / "backup")
    await asyncio.to_thread(server.stop)
    damage(server.data_dir / "oauth.db")
    await _refuses_and_is_restored(server, tmp_path / "backup")
    assert await _is_good(server, refresh_token)


@pytest.mark.fault(
    "The database is truncated, or a page of it overwritten, under the running server",
    gets="200 from what the server still holds, or 503; the next start ends with status 78",
    kept="the links that the backup knows, by the newest token that was answered",
    mends="`alexa-oauth restore FILE`, then a start",
)
@pytest.mark.parametrize("damage", [truncate, overwrite])
async def test_damage_under_the_running_server_makes_no_living_token_invalid(
    server: RunningServer, tmp_path: Path, damage: Damage
) -> None:
    refresh_token = await _backed_up_and_refreshed(server, tmp_path / "backup")
    damage(server.data_dir / "oauth.db")
    async with Wire.to(server.url) as wire:
        for _ in range(REFRESHES):
            answer = await wire.refresh(STRICT, refresh_token)
            assert answer.status in {200, 503}, answer.text
            refresh_token = answer.json.get("refresh_token", refresh_token)
    server.kill()
    for name in ("oauth.db-wal", "oauth.db-shm"):
        (server.data_dir / name).unlink()  # else the log would mend some of the damage
    await _refuses_and_is_restored(server, tmp_path / "backup")
    assert await _is_good(server, refresh_token)


@pytest.mark.fault(
    "The write-ahead log is deleted after a power cut",
    gets="200 for a refresh; 401 for access tokens that stood in the log alone, until that refresh",
    kept="the links of before the log, by the newest token that was answered; a link that stood in the log alone is lost",
    mends="a start; whoever was linked in the log alone links once more",
)
async def test_a_log_that_was_deleted_takes_no_older_link_along(server: RunningServer) -> None:
    """Under `strict`, the token is several generations newer than what the database knows."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        refresh_token = (await wire.link(STRICT))["refresh_token"]
    await asyncio.to_thread(server.restart)
    async with Wire.to(server.url) as wire:
        tokens = await _refreshed(wire, refresh_token)
        lost = await wire.link(STRICT)
    server.kill()
    (server.data_dir / "oauth.db-wal").unlink()
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        assert (await wire.verify(tokens["access_token"])).status == 401
        assert (await wire.refresh(STRICT, tokens["refresh_token"])).status == 200
        assert (await wire.refresh(STRICT, lost["refresh_token"])).refusal == (400, "invalid_grant")
        assert (await wire.health()).status == 200


@pytest.mark.fault(
    "The write-ahead log is deleted under the running server, which then ends in order",
    gets="200: the server holds on to the log until it is folded in",
    kept="everything",
    mends="nothing needs to be done",
)
async def test_a_log_that_was_deleted_under_the_server_is_folded_in_at_its_end(server: RunningServer) -> None:
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        refresh_token = (await wire.link(STRICT))["refresh_token"]
        (server.data_dir / "oauth.db-wal").unlink()
        tokens = await _refreshed(wire, refresh_token)
    await asyncio.to_thread(server.restart)
    async with Wire.to(server.url) as wire:
        assert (await wire.verify(tokens["access_token"])).status == 200
        assert (await wire.refresh(STRICT, tokens["refresh_token"])).status == 200


async def _backed_up_and_refreshed(server: RunningServer, file: Path) -> str:
    """Start, link, and make a sealed backup; a refresh token that is newer than this."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        refresh_token = (await wire.link(STRICT))["refresh_token"]
        made = await asyncio.to_thread(server.run, "backup", str(file))
        assert made.returncode == 0, made.stderr
        return (await _refreshed(wire, refresh_token))["refresh_token"]


async def _refreshed(wire: Wire, refresh_token: str) -> dict[str, str]:
    tokens = {"refresh_token": refresh_token}
    for _ in range(REFRESHES):
        answer = await wire.refresh(STRICT, tokens["refresh_token"])
        assert answer.status == 200, answer.text
        tokens = answer.json
    return tokens


async def _refuses_and_is_restored(server: RunningServer, file: Path) -> None:
    """The start says what is wrong and leaves every byte alone; then the backup is put in place, and the file beside it."""
    damaged = (server.data_dir / "oauth.db").read_bytes()
    ran = await asyncio.to_thread(server.run, "serve")
    assert (ran.returncode, ran.stdout) == (78, "")
    assert "oauth.db is damaged and was left as it is; " in ran.stderr.splitlines()[-1]
    assert (server.data_dir / "oauth.db").read_bytes() == damaged
    restored = await asyncio.to_thread(server.run, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    await asyncio.to_thread(server.start)
    (kept,) = (server.data_dir / "backups").glob("before-*.db")
    assert kept.read_bytes() == damaged


async def _is_good(server: RunningServer, refresh_token: str) -> bool:
    async with Wire.to(server.url) as wire:
        return (await wire.refresh(STRICT, refresh_token)).status == 200
