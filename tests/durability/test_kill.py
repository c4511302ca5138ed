"""A power cut, as far as a process can tell: SIGKILL. What was answered before it is there after it, and nothing by halves.

What a process has written survives its death in the system's cache, so none of this sees whether a commit reached the disk
itself. `test_disk.py` does, and `tests/storage/test_opening.py` holds the server to `synchronous = FULL`.
"""

import asyncio
import random
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from alexa_oauth.protocol.policy import ACCESS_TOKENS_PER_GRANT
from tests.durability.conftest import MakeServer
from tests.durability.holder import LOST, REPEATED, Holder
from tests.durability.moments import Moments, seconds_to_start
from tests.durability.wire import ALEXA, PROFILES, NotAnswered, Wire
from tests.durability.wrong_clock import WrongClock
from tests.running_server import RunningServer
from tests.storage.records import NOW
from tests.storage.test_upgrading import REFRESH_TOKEN, SCRIPTS, lay

pytestmark = pytest.mark.durability

KILLS: Final = 100
"""Amid exchanges and refreshes, half of them in each of two households: a start leaves most of a machine idle."""
LONGEST_LOAD_SECONDS: Final = 0.2
KILLED_STARTS: Final = 20
KILLED_UPGRADES: Final = 20

SEED: Final = 20_061

_TOKENS: Final = "(SELECT count(*) FROM access_tokens WHERE grant_id = link.grant_id)"
_REFRESHED: Final = "(SELECT count(*) FROM events WHERE grant_id = link.grant_id AND event = 'token.refreshed')"
HALVES: Final = {
    "a link without its tokens": f"""SELECT * FROM grants AS link
        WHERE {_TOKENS} != iif(ended_at IS NULL, min(:limit, 1 + {_REFRESHED}), 0)""",  # noqa: S608 - our own words
    "a rotation without its event": f"""SELECT * FROM grants AS link
        WHERE generation != 1 + iif(client_id = :alexa, 0, {_REFRESHED})""",  # noqa: S608 - our own words
    "a link without its code": "SELECT * FROM grants WHERE grant_id NOT IN (SELECT grant_id FROM codes WHERE used_at > 0)",
    "a code spent for nothing": "SELECT * FROM codes WHERE used_at > 0 AND grant_id NOT IN (SELECT grant_id FROM grants)",
    "a row that points nowhere": "PRAGMA foreign_key_check",
}


class Household:
    """Clients of every profile that never rest: some refresh what they have, Alexa links again and again."""

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self.refreshing = [Holder(client_id, self.happened) for client_id in PROFILES for _ in range(4)]
        self.linking = [Holder(ALEXA, self.happened) for _ in range(3)]
        self.linked: list[Holder] = []

    async def begin(self, wire: Wire) -> None:
        """Everybody who refreshes needs a link first."""
        await asyncio.gather(*(holder.link(wire) for holder in self.refreshing))

    async def live(self, wire: Wire) -> None:
        """Until the server dies. Two servers of Amazon refresh each link of Alexa's."""
        async with asyncio.TaskGroup() as lives:
            for holder in self.refreshing:
                for _ in range(2 if holder.client_id == ALEXA else 1):
                    lives.create_task(_until_it_dies(holder.use(wire)))
            for place in range(len(self.linking)):
                lives.create_task(_until_it_dies(self._link_anew(wire, place)))

    async def check(self, wire: Wire) -> None:
        """Everything that was received works."""
        await asyncio.gather(*(holder.check(wire) for holder in [*self.refreshing, *self.linked]))

    async def settle(self, wire: Wire) -> None:
        """Everybody gets an answer to the last request, and refreshes once more."""
        everybody = [*self.refreshing, *self.linking, *self.linked]
        await asyncio.gather(*(holder.link(wire) for holder in everybody))
        await asyncio.gather(*(holder.refresh(wire) for holder in everybody))
        await self.check(wire)

    async def _link_anew(self, wire: Wire, place: int) -> None:
        while True:
            await self.linking[place].link(wire)
            self.linked.append(self.linking[place])
            self.linking[place] = Holder(ALEXA, self.happened)


async def _until_it_dies(life: Awaitable[None]) -> None:
    try:
        await life
    except NotAnswered:
        return


@pytest.mark.fault(
    f"`kill -9` amid exchanges and refreshes, {KILLS} times",
    gets="a lost answer; after the start the same request again gets what the profile promises",
    kept="every code, token and link that was answered; no half exchange, and an audit trail that agrees with it",
    mends="a start",
)
async def test_what_a_client_received_outlives_a_hundred_kills(make_server: MakeServer, tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - it draws moments, not secrets
    happened = Counter[str]()

    async def live(server: RunningServer) -> None:
        household = Household()
        await _serve(server, household.begin)
        for _ in range(KILLS // 2):
            await asyncio.to_thread(server.start)
            async with Wire.to(server.url) as wire:
                await household.check(wire)
                life = asyncio.create_task(household.live(wire))
                await asyncio.wait([life], timeout=chance.uniform(0, LONGEST_LOAD_SECONDS))
                server.kill()
                await life
        await _serve(server, household.settle)
        _check_the_books(server.data_dir, household.happened)
        happened.update(household.happened)

    async with asyncio.TaskGroup() as households:
        for name in ("here", "there"):
            households.create_task(live(make_server(tmp_path / name)))
    assert all(happened[rare] for rare in (LOST, REPEATED, "grant.ended")), happened


@pytest.mark.fault(
    f"`kill -9` of one start after another, {KILLED_STARTS} times, the first ones too, which make key and database",
    gets="200 once a start succeeds",
    kept="whatever was there",
    mends="a start",
)
async def test_a_start_that_is_killed_half_way_leaves_nothing_in_the_way_of_the_next(server: RunningServer) -> None:
    """Where one came so far that it told its start text, the next begins with nothing again."""
    moments = Moments(random.Random(SEED), await seconds_to_start(server))  # noqa: S311 - it draws moments, not secrets
    server.kill()
    shutil.rmtree(server.data_dir)
    came_so_far = Counter[bool]()
    for _ in range(KILLED_STARTS):
        process = await _started(server, stdout=subprocess.PIPE)
        assert await moments.strike(process)
        assert process.stdout is not None
        is_served = bool(await process.stdout.read())
        came_so_far[is_served] += 1
        if is_served:
            moments.was_late()
            await _serve(server, Household().begin)
            shutil.rmtree(server.data_dir)
    assert came_so_far.keys() == {True, False}, came_so_far
    household = Household()
    await _serve(server, household.begin)
    await _serve(server, household.check)


@pytest.mark.fault(
    f"`kill -9` of the first start of a new version, {KILLED_UPGRADES} times, while it brings an older database up to date",
    gets="200 once a start succeeds",
    kept="the link that the older version made; the database is of the old version or of the new one",
    mends="a start",
)
async def test_an_upgrade_that_is_killed_half_way_is_simply_begun_anew(server: RunningServer, tmp_path: Path) -> None:
    moments = Moments(random.Random(SEED), await seconds_to_start(server))  # noqa: S311 - it draws moments, not secrets
    versions = Counter[int]()
    for number in range(KILLED_UPGRADES):
        place = tmp_path / str(number)
        place.mkdir()
        file = lay(place / "data", version=1)
        clock = WrongClock(RunningServer(file.parent), place / "shift")
        clock.shift(NOW - time.time())  # else the link would seem as old as these lines are
        assert await moments.strike(await _started(clock.server))
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
        versions[version] += 1
        if version != 1:
            moments.was_late()
        with clock.server:
            async with Wire.to(clock.server.url) as wire:
                answer = await wire.refresh_as("amazon-alexa", "s" * 43, REFRESH_TOKEN)
                assert answer.status == 200, answer.text
    assert versions.keys() == {1, len(SCRIPTS)}, versions


async def _started(server: RunningServer, stdout: int = subprocess.DEVNULL) -> asyncio.subprocess.Process:
    command = (*server.command, "serve")
    return await asyncio.create_subprocess_exec(*command, env=server.environment, stdout=stdout, stderr=subprocess.DEVNULL)


async def _serve(server: RunningServer, act: Callable[[Wire], Awaitable[None]]) -> None:
    """One run of the server, ended in order."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        await act(wire)
    assert await asyncio.to_thread(server.stop) == 0


def _check_the_books(folder: Path, happened: Counter[str]) -> None:
    """Each row has what belongs to it, and the audit trail tells what the clients saw."""
    with closing(sqlite3.connect(folder / "oauth.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for half, statement in HALVES.items():
            found = database.execute(statement, {"limit": ACCESS_TOKENS_PER_GRANT, "alexa": ALEXA}).fetchall()
            assert not found, half
        recorded = Counter(dict(database.execute("SELECT event, count(*) FROM events GROUP BY event")))
    assert recorded["token.used"] == happened["token.used"]
    assert happened["token.issued"] <= recorded["token.issued"] <= happened["token.issued"] + happened[LOST]
    answered = happened["token.refreshed"] + happened[REPEATED]
    assert answered <= recorded["token.refreshed"] + recorded["token.replayed"] <= answered + happened[LOST]
