"""kill -9 while a backup is sealed, made ready, or takes the place of the database, and while keys change: old or new, whole.

The real command and the real server are killed at moments that a seed draws, over and over; after each kill the server starts
and every link that the state knows still refreshes.
"""

import asyncio
import json
import random
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.durability.wire import ALEXA, Wire
from tests.rig import Answer
from tests.running_server import COMMAND, RunningServer

pytestmark = pytest.mark.durability

SEED: Final = 20_063
KILLS: Final = 20
FIRST_SECONDS: Final = 2.0
"""Within which a command is killed at first; then it is known how long one takes on this machine."""
SPARED: Final = 1.3
"""The moments reach so far beyond what a command takes that one in four is over by then."""
PATIENCE: Final = 50
PASSPHRASE: Final = "correct horse battery staple"


class Household:
    """Two links: one that the backup knows, and one that was made since."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.server.environment["ALEXA_OAUTH_BACKUP_PASSPHRASE"] = PASSPHRASE
        self.chance = random.Random(SEED)  # noqa: S311 - it draws moments, not secrets
        self.happened: Counter[str] = Counter()
        self.within: dict[str, float] = {}

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
            self.happened["put off"] += 1
            await asyncio.sleep(0.2)
        return answer

    async def killed(self, *arguments: str) -> None:
        """Run a command, and kill it at some moment; one that was quicker is counted, too, and says what quick is."""
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, env=self.server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            await asyncio.wait_for(process.wait(), self.chance.uniform(0.05, self.within.get(arguments[0], FIRST_SECONDS)))
            self.happened["done"] += 1
            self.within[arguments[0]] = SPARED * (time.monotonic() - begun)
        except TimeoutError:
            process.kill()
            await process.wait()
            self.happened["killed"] += 1

    def is_whole(self) -> None:
        with closing(sqlite3.connect(self.server.data_dir / "oauth.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.fixture
def household(server: RunningServer) -> Household:
    return Household(server)


@pytest.mark.fault(
    "`kill -9` amid `key rotate`, and of the server beside it",
    gets="200 after the next start",
    kept="the link, and a key that opens the database",
    mends="a start; the next `key rotate` begins anew",
)
async def test_a_master_key_that_changes_under_fire_always_opens_the_database(household: Household) -> None:
    server = household.server
    await asyncio.to_thread(server.start)
    token = await household.link()
    for _ in range(KILLS):
        await household.killed("key", "rotate")
        if household.chance.random() < 0.5:
            server.kill()
            await asyncio.to_thread(server.start)
        assert await household.lives(token) == [True]
        assert (await asyncio.to_thread(server.run, "key", "show-id")).returncode == 0
    server.kill()
    household.is_whole()
    assert household.happened["killed"] > KILLS // 5
    assert {file.name for file in server.data_dir.glob("encryption.key*")} <= {
        "encryption.key",
        "encryption.key.next",
        "encryption.key.new",
    }


@pytest.mark.fault(
    "`kill -9` amid `key rotate --data`, while answers are lost",
    gets="200",
    kept="every link, by its newest token and by the one before",
    mends="the server finishes the change by itself",
)
async def test_data_keys_that_change_under_fire_lose_no_link(household: Household) -> None:
    server = household.server
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        tokens = [str((await wire.link(ALEXA))["refresh_token"]) for _ in range(6)]
        for turn in range(KILLS):
            await household.killed("key", "rotate", "--data")
            answers = [await wire.refresh(ALEXA, token) for token in tokens]
            assert {answer.status for answer in answers} == {200}
            heard = turn % 3 != 0  # every third answer is lost, and the predecessor presented again
            tokens = [answer.json["refresh_token"] if heard else token for answer, token in zip(answers, tokens, strict=True)]
    server.kill()
    household.is_whole()
    assert household.happened["killed"] > KILLS // 5


@pytest.mark.fault(
    "`kill -9` amid `restore`, and of the server that puts the backup in place",
    gets="what either the old or the restored state knows, never a mixture",
    kept="the old state or the new one, whole; the former one beside it",
    mends="a start, or `restore` once more",
)
async def test_a_restore_that_is_killed_anywhere_leaves_the_old_state_or_the_new_one(
    household: Household, tmp_path: Path
) -> None:
    """The command while it unpacks, checks and makes ready; the server while it puts in place."""
    server = household.server
    await asyncio.to_thread(server.start)
    known = await household.link()
    assert (await asyncio.to_thread(server.run, "backup", str(tmp_path / "file"))).returncode == 0
    await asyncio.to_thread(server.run, "revoke", "--all", "--yes")
    since = await household.link()
    assert await household.lives(known, since) == [False, True]
    file, states = str(tmp_path / "file"), Counter[tuple[bool, ...]]()
    for _ in range(KILLS):
        await household.killed("restore", file)
        await asyncio.sleep(household.chance.uniform(0, 1.2))
        server.kill()
        await asyncio.to_thread(server.start)
        found = tuple(await household.lives(known, since))
        states[found] += 1
        assert found in {(False, True), (True, False)}
        if found == (True, False):
            former = max((server.data_dir / "backups").glob("before-*.db"), key=lambda copy: copy.stat().st_mtime)
            back = await asyncio.to_thread(server.run, "restore", str(former))
            assert back.returncode == 0, back.stderr
            assert await household.lives(known, since) == [False, True]
    server.kill()
    household.is_whole()
    assert len(states) == 2, states
    assert household.happened["killed"] > KILLS // 5


@pytest.mark.fault(
    "`kill -9` of one start after another while a backup waits to be put in place",
    gets="what the restored state knows, once a start succeeds",
    kept="the backup, and one copy of the former state",
    mends="a start",
)
async def test_a_server_that_is_killed_while_it_starts_with_a_backup_waiting_takes_it_at_last(
    household: Household, tmp_path: Path
) -> None:
    server = household.server
    await asyncio.to_thread(server.start)
    known = await household.link()
    await asyncio.to_thread(server.run, "backup", str(tmp_path / "file"))
    await asyncio.to_thread(server.run, "revoke", "--all", "--yes")
    since = await household.link()
    server.kill()
    ready = await asyncio.to_thread(server.run, "restore", str(tmp_path / "file"))
    assert "the next start of the server takes it" in ready.stdout
    for _ in range(KILLS):
        process = await asyncio.create_subprocess_exec(*COMMAND, "serve", env=server.environment, stdout=subprocess.DEVNULL)
        await asyncio.sleep(household.chance.uniform(0.2, 0.7))
        process.kill()
        await process.wait()
    await asyncio.to_thread(server.start)
    assert await household.lives(known, since) == [True, False]
    (former,) = (server.data_dir / "backups").glob("before-*.db")
    with closing(sqlite3.connect(former)) as database:
        assert database.execute("SELECT count(*) FROM grants WHERE ended_at IS NULL").fetchone() == (1,)
    server.kill()
    household.is_whole()


@pytest.mark.fault(
    "`kill -9` amid `backup`",
    gets="200: the server goes on",
    kept="a file that is whole, or one that `restore --check` refuses",
    mends="`backup` once more",
)
async def test_a_sealed_backup_that_is_killed_is_noticed_or_whole(household: Household, tmp_path: Path) -> None:
    server = household.server
    await asyncio.to_thread(server.start)
    await household.link()
    for number in range(KILLS):
        file = tmp_path / f"{number}"
        await household.killed("backup", str(file))
        if not file.exists():
            continue
        checked = await asyncio.to_thread(server.run, "restore", "--check", "--json", str(file))
        if checked.returncode == 0:
            assert json.loads(checked.stdout)["links"] == 1
        else:
            assert "damaged" in checked.stderr or "no backup" in checked.stderr
    assert household.happened["killed"] > KILLS // 5


@pytest.mark.fault(
    "A backup is restored under a running server while clients refresh",
    gets="200, or 503 for a moment",
    kept="every link that the backup knows",
    mends="nothing needs to be done",
)
async def test_a_restore_under_load_answers_everybody_or_says_503(household: Household, tmp_path: Path) -> None:
    server = household.server
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        tokens = [str((await wire.link(ALEXA))["refresh_token"]) for _ in range(16)]
        await asyncio.to_thread(server.run, "backup", str(tmp_path / "file"))
        statuses: Counter[int] = Counter()
        stop = asyncio.Event()

        async def refresh(token: str) -> None:
            while not stop.is_set():
                statuses[(await wire.refresh(ALEXA, token)).status] += 1

        load = [asyncio.create_task(refresh(token)) for token in tokens]
        for _ in range(3):
            taken = await asyncio.to_thread(server.run, "restore", str(tmp_path / "file"))
            assert "Restored." in taken.stdout, taken.stderr
        stop.set()
        await asyncio.gather(*load)
        assert set(statuses) <= {200, 503}, statuses
        assert statuses[200] > 100
        assert {(await wire.refresh(ALEXA, token)).status for token in tokens} == {200}
