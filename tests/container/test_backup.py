"""Home Assistant archives the data folder while the server writes, and brings it back on another machine."""

import asyncio
import shlex
import time
from pathlib import PurePath
from typing import Final, Self

import pytest

from tests.addon.files import CONFIGURATION
from tests.container.addon import TWO_PROCESSORS, AddOn
from tests.container.conftest import MakeAddOn, Note
from tests.container.engine import CommandFailed, as_root
from tests.container.skill import OPTIONS, Skill
from tests.durability.wire import Wire

pytestmark = pytest.mark.container

WRITES_A_SECOND: Final = 500
LINKS: Final = 8


@pytest.fixture
def add_on(make_add_on: MakeAddOn) -> AddOn:
    """An add-on on a machine with more than half a processor, as each write must be asked for over HTTP."""
    add_on = make_add_on(OPTIONS)
    add_on.run_options = TWO_PROCESSORS
    add_on.start()
    return add_on


class Traffic:
    """Refreshes of every link, many at a time, as long as the block lasts; counted are those that were answered."""

    def __init__(self, skill: Skill, links: list[dict[str, str]]) -> None:
        self._skill = skill
        self._links = links
        self._tasks: list[asyncio.Task[None]] = []
        self._begun = 0.0
        self.answered = 0

    async def __aenter__(self) -> Self:
        self._begun = time.monotonic()
        self._tasks = [asyncio.create_task(self._refresh(tokens)) for tokens in self._links]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def rate(self) -> float:
        """Writes a second so far."""
        return self.answered / (time.monotonic() - self._begun)

    async def _refresh(self, tokens: dict[str, str]) -> None:
        while True:
            await self._skill.refresh(tokens)
            self.answered += 1


def archive(add_on: AddOn, target: str) -> None:
    """As the Supervisor does: its command first, then the folder without what config.yaml excludes."""
    add_on.execute(*shlex.split(CONFIGURATION["backup_pre"]))
    excluded = [
        name for name in add_on.files() if any(PurePath("/", name).match(pattern) for pattern in CONFIGURATION["backup_exclude"])
    ]
    assert {"oauth.db", "oauth.db-wal", "oauth.db-shm"} == set(excluded)
    left_out = [f"--exclude=./{name}" for name in excluded]
    as_root("tar", "--create", "--file", add_on.engine.folder / target, *left_out, "--directory", add_on.data, ".")


def restore(add_on: AddOn, target: str) -> None:
    """As the Supervisor does: nothing of what was there stays."""
    add_on.remove()
    as_root("find", add_on.data, "-mindepth", "1", "-delete")
    as_root("tar", "--extract", "--same-owner", "--file", add_on.engine.folder / target, "--directory", add_on.data)


async def test_every_link_that_the_copy_knew_comes_back(add_on: AddOn, note: Note) -> None:
    async with Wire.to(add_on.url) as wire:
        skill = Skill(add_on, wire)
        links = [await skill.link() for _ in range(LINKS)]
        ended = await skill.link()
        async with Traffic(skill, links) as traffic:
            await asyncio.sleep(1)
            await asyncio.to_thread(archive, add_on, "archive.tar")
            await asyncio.sleep(1)
            rate = traffic.rate
        await asyncio.to_thread(add_on.execute, "alexa-oauth", "revoke", "--all", "--yes")
        later = await skill.link()
    note("writes a second while archiving", f"{rate:.0f}")
    assert rate >= WRITES_A_SECOND

    restore(add_on, "archive.tar")
    assert "oauth.db" not in add_on.files()
    add_on.start()
    async with Wire.to(add_on.url) as wire:
        skill = Skill(add_on, wire)
        for tokens in [*links, ended]:
            await skill.refresh(tokens)
        assert (await skill.try_to_refresh(later)).json["error"] == "invalid_grant"
    assert "database.adopted" in add_on.execute("alexa-oauth", "audit", "--limit", "1000")
    assert "Links that ended since " in add_on.log()


async def test_of_one_that_is_stopped_nobody_asks_for_a_copy_and_it_is_there(add_on: AddOn) -> None:
    async with Wire.to(add_on.url) as wire:
        tokens = await Skill(add_on, wire).link()
    add_on.stop()
    as_root("rm", add_on.data / "oauth.db")
    add_on.remove()
    add_on.start()
    async with Wire.to(add_on.url) as wire:
        await Skill(add_on, wire).refresh(tokens)


def test_a_copy_that_cannot_be_made_fails_the_backup(add_on: AddOn) -> None:
    """Home Assistant then says so, where an archive without links would be found out too late."""
    as_root("rm", "-f", *(add_on.data / f"oauth.db{suffix}" for suffix in ("", "-wal", "-shm")))
    with pytest.raises(CommandFailed, match="status 1\nalexa-oauth: there is no database in /data; start the server first\n"):
        add_on.execute(*shlex.split(CONFIGURATION["backup_pre"]))
