"""kill -9 while a backup is sealed, made ready, or takes the place of the database, and while keys change: old or new, whole.

The real command and the real server are killed at moments that a seed draws, over and over; after each kill the server starts
and every link that the state knows still refreshes.
"""

import asyncio
import json
import random
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.durability.conftest import MakeServer
from tests.durability.moments import Moments, seconds_to_start
from tests.durability.wire import ALEXA, Wire
from tests.rig import Answer
from tests.running_server import COMMAND, RunningServer

pytestmark = pytest.mark.durability

SEED: Final = 20_063
KILLS: Final = 20
"""Of each kind of work, half of them in each of two households."""
PATIENCE: Final = 50
PASSPHRASE: Final = "correct horse battery staple"
AS_IT_WAS: Final = (False, True)
RESTORED: Final = (True, False)
"""Whether the link lives that the backup knows, and the one that was made since."""


class Household:
    """A server whose keys and backups are worked on under fire."""

    def __init__(self, server: RunningServer, seed: int) -> None:
        self.server = server
        self.server.environment["ALEXA_OAUTH_BACKUP_PASSPHRASE"] = PASSPHRASE
        self.chance = random.Random(seed)  # noqa: S311 - it draws moments, not secrets
        self.kills = 0

    async def start(self) -> None:
        """For the first time."""
        self.moments = Moments(self.chance, await seconds_to_start(self.server))

    async def run(self, *arguments: str) -> str:
        """What a command that succeeds prints."""
        ran = await asyncio.to_thread(self.server.run, *arguments)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    async def link(self) -> str:
        async with Wire.to(self.server.url) as wire:
            return str((await wire.link(ALEXA))["refresh_token"])

    async def lives(self, *tokens: str) -> list[bool]:
        async with Wire.to(self.server.url) as wire:
            answers = [await self._answered(wire, token) for token in tokens]
        assert {answer.status for answer in answers} <= {200, 400}, [answer.text for answer in answers]
        return [answer.status == 200 for answer in answers]

    async def _answered(self, wire: Wire, token: str) -> Answer:
        """An answer that is final: 503 says that the same request works later."""
        for _ in range(PATIENCE):
            answer = await wire.refresh(ALEXA, token)
            if answer.status != 503:
                break
            await asyncio.sleep(0.2)
        return answer

    def is_under_fire(self) -> bool:
        """Whether there are still kills to come."""
        return self.kills < KILLS // 2

    async def killed(self, *arguments: str) -> None:
        """Run a command, and kill it at some moment, unless it is over by then."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, env=self.server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.kills += await self.moments.strike(process)

    def is_whole(self) -> None:
        with closing(sqlite3.connect(self.server.data_dir / "oauth.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.fixture
def households(make_server: MakeServer, tmp_path: Path) -> list[Household]:
    """Two: a start leaves most of a machine idle."""
    return [Household(make_server(tmp_path / name), SEED + place) for place, name in enumerate(("here", "there"))]


async def in_each(households: list[Household], act: Callable[[Household], Awaitable[None]]) -> None:
    """Both at the same time."""

    async def one(household: Household) -> None:
        await household.start()
        await act(household)
        household.server.kill()
        household.is_whole()

    async with asyncio.TaskGroup() as group:
        for household in households:
            group.create_task(one(household))


@pytest.mark.fault(
    f"`kill -9` amid `key rotate`, {KILLS} times, and of the server beside it",
    gets="200 after the next start",
    kept="the link, and a key that opens the database",
    mends="a start; the next `key rotate` begins anew",
)
async def test_a_master_key_that_changes_under_fire_always_opens_the_database(households: list[Household]) -> None:
    await in_each(households, _change_the_master_key)


async def _change_the_master_key(household: Household) -> None:
    server = household.server
    token = await household.link()
    while household.is_under_fire():
        await household.killed("key", "rotate")
        if household.chance.random() < 0.5:
            server.kill()
            await asyncio.to_thread(server.start)
        assert await household.lives(token) == [True]
        await household.run("key", "show-id")
    keys = {file.name for file in server.data_dir.glob("encryption.key*")}
    assert keys <= {"encryption.key", "encryption.key.next", "encryption.key.new"}


@pytest.mark.fault(
    f"`kill -9` amid `key rotate --data`, {KILLS} times, while answers are lost",
    gets="200",
    kept="every link, by its newest token and by the one before",
    mends="the server finishes the change by itself",
)
async def test_data_keys_that_change_under_fire_lose_no_link(households: list[Household]) -> None:
    await in_each(households, _change_the_data_keys)


async def _change_the_data_keys(household: Household) -> None:
    async with Wire.to(household.server.url) as wire:
        tokens = [str((await wire.link(ALEXA))["refresh_token"]) for _ in range(6)]
        while household.is_under_fire():
            await household.killed("key", "rotate", "--data")
            answers = [await wire.refresh(ALEXA, token) for token in tokens]
            assert {answer.status for answer in answers} == {200}
            heard = household.kills % 3 != 0  # every third answer is lost, and the predecessor presented again
            tokens = [answer.json["refresh_token"] if heard else token for answer, token in zip(answers, tokens, strict=True)]


@pytest.mark.fault(
    f"`kill -9` amid `restore`, {KILLS} times, and of the server that puts the backup in place",
    gets="what either the old or the restored state knows, never a mixture",
    kept="the old state or the new one, whole; the former one beside it",
    mends="a start, or `restore` once more",
)
async def test_a_restore_that_is_killed_anywhere_leaves_the_old_state_or_the_new_one(households: list[Household]) -> None:
    """The command while it unpacks, checks and makes ready; the server while it puts in place."""
    states = Counter[tuple[bool, ...]]()

    async def restore(household: Household) -> None:
        server = household.server
        known, since = await _changed_since_a_backup(household)
        while household.is_under_fire():
            await household.killed("restore", str(_backup_of(server)))
            await asyncio.sleep(household.chance.uniform(0, 1.2))
            server.kill()
            await asyncio.to_thread(server.start)
            found = tuple(await household.lives(known, since))
            states[found] += 1
            if found == RESTORED:
                former = max((server.data_dir / "backups").glob("before-*.db"), key=lambda copy: copy.stat().st_mtime)
                await household.run("restore", str(former))
                assert tuple(await household.lives(known, since)) == AS_IT_WAS

    await in_each(households, restore)
    assert states.keys() == {AS_IT_WAS, RESTORED}, states


@pytest.mark.fault(
    f"`kill -9` of a start, {KILLS} times, while a backup waits to be put in place",
    gets="what the restored state knows, once a start succeeds",
    kept="the backup, and one copy of the former state",
    mends="a start",
)
async def test_a_server_that_is_killed_while_it_starts_with_a_backup_waiting_takes_it_at_last(
    households: list[Household],
) -> None:
    """Each time the data folder is again as `restore` left it; some kills come before the backup is in place, some after."""
    was_waiting = Counter[bool]()

    async def start(household: Household) -> None:
        server = household.server
        known, since = await _changed_since_a_backup(household)
        server.kill()
        assert "the next start of the server takes it" in await household.run("restore", str(_backup_of(server)))
        laid = server.data_dir.rename(server.data_dir.with_suffix(".laid"))
        while household.is_under_fire():
            shutil.rmtree(server.data_dir, ignore_errors=True)
            shutil.copytree(laid, server.data_dir)
            await household.killed("serve")
            waits = any((server.data_dir / "restore").glob("*.db"))
            was_waiting[waits] += 1
            if not waits:
                household.moments.was_late()
            await asyncio.to_thread(server.start)
            assert tuple(await household.lives(known, since)) == RESTORED
            (former,) = (server.data_dir / "backups").glob("before-*.db")
            with closing(sqlite3.connect(former)) as database:
                assert database.execute("SELECT count(*) FROM grants WHERE ended_at IS NULL").fetchone() == (1,)
            server.kill()
        await asyncio.to_thread(server.start)

    await in_each(households, start)
    assert was_waiting.keys() == {True, False}, was_waiting


async def _changed_since_a_backup(household: Household) -> tuple[str, str]:
    """Two links: one that the backup knows, and that ended since, and one that was made since."""
    known = await household.link()
    await household.run("backup", str(_backup_of(household.server)))
    await household.run("revoke", "--all", "--yes")
    since = await household.link()
    assert tuple(await household.lives(known, since)) == AS_IT_WAS
    return known, since


def _backup_of(server: RunningServer) -> Path:
    return server.data_dir.with_suffix(".backup")


@pytest.mark.fault(
    f"`kill -9` amid `backup`, {KILLS} times",
    gets="200: the server goes on",
    kept="a file that is whole, or one that `restore --check` refuses",
    mends="`backup` once more",
)
async def test_a_sealed_backup_that_is_killed_is_noticed_or_whole(households: list[Household]) -> None:
    await in_each(households, _back_up)


async def _back_up(household: Household) -> None:
    token = await household.link()
    file = _backup_of(household.server)
    while household.is_under_fire():
        file.unlink(missing_ok=True)
        await household.killed("backup", str(file))
        assert await household.lives(token) == [True]
        if not file.exists():
            continue
        checked = await asyncio.to_thread(household.server.run, "restore", "--check", "--json", str(file))
        if checked.returncode == 0:
            assert json.loads(checked.stdout)["links"] == 1
        else:
            assert "damaged" in checked.stderr or "no backup" in checked.stderr


@pytest.mark.fault(
    "A backup is restored under a running server while clients refresh",
    gets="200, or 503 for a moment",
    kept="every link that the backup knows",
    mends="nothing needs to be done",
)
async def test_a_restore_under_load_answers_everybody_or_says_503(server: RunningServer) -> None:
    household = Household(server, SEED)
    await household.start()
    async with Wire.to(server.url) as wire:
        tokens = [str((await wire.link(ALEXA))["refresh_token"]) for _ in range(16)]
        await household.run("backup", str(_backup_of(server)))
        statuses: Counter[int] = Counter()
        stop = asyncio.Event()

        async def refresh(token: str) -> None:
            while not stop.is_set():
                statuses[(await wire.refresh(ALEXA, token)).status] += 1

        load = [asyncio.create_task(refresh(token)) for token in tokens]
        for _ in range(3):
            assert "Restored." in await household.run("restore", str(_backup_of(server)))
        stop.set()
        await asyncio.gather(*load)
        assert set(statuses) <= {200, 503}, statuses
        assert statuses[200] > 100
        assert {(await wire.refresh(ALEXA, token)).status for token in tokens} == {200}
