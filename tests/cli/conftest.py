"""A data folder as a server leaves it, at an instant that the test sets, and the command line run on it."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from alexa_oauth.cli import main
from alexa_oauth.clients.definitions import ClientDefinitions
from alexa_oauth.clock import Clock
from alexa_oauth.protocol.credentials import new_client_secret
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.settings.loading import load
from alexa_oauth.storage.store import Opening, SqliteStore
from tests.rig import CountedChance, FakeClocks
from tests.storage.records import grant

Outcome = TypeVar("Outcome")

LINK = replace(grant(client_id="amazon-alexa"), grant_id="a1b2c3d4e5f60718", subject="local", attempt="cafe0001")


@dataclass(frozen=True)
class Home:
    """A data folder with a database in it, and the clocks of the machine."""

    folder: Path
    clocks: FakeClocks

    def write(self, *rules: Callable[[Transaction], Outcome]) -> list[Outcome]:
        """Do as a server would that is started, and stopped again."""
        return asyncio.run(self._write(rules))

    def add_links(self, *grant_ids: str) -> None:
        for grant_id in grant_ids:
            link = replace(LINK, grant_id=grant_id)
            self.write(lambda tx: tx.grants.add(link))  # noqa: B023 - it is called at once

    async def _write(self, rules: Sequence[Callable[[Transaction], Outcome]]) -> list[Outcome]:
        settings = load(os.environ, {}).settings
        clock, definitions = Clock(self.clocks.read), ClientDefinitions(settings).definitions
        opening = Opening(None, clock.instant, CountedChance(), definitions, on_commit=lambda _: None, serving=True)
        store = SqliteStore.open(self.folder, opening)
        clock.compare_with(store.newest_instant)
        try:
            return [await store.write(rule) for rule in rules]
        finally:
            await store.close()


@dataclass(frozen=True)
class Ran:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


class Run(Protocol):
    def __call__(self, *arguments: str) -> Ran: ...


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClocks]:
    """No settings but a data folder, which is not there yet; a clock that stands still; India's time, half an hour off."""
    clocks = FakeClocks()
    for name in [*os.environ]:
        if name.startswith(("ALEXA_OAUTH_", "OAUTH_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ALEXA_OAUTH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("alexa_oauth.cli.database.system_clock", lambda: Clock(clocks.read))
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    yield clocks
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.fixture
def home(environment: FakeClocks, tmp_path: Path) -> Home:
    home = Home(tmp_path / "data", environment)
    home.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", new_client_secret(CountedChance())))
    return home


@pytest.fixture
def run(environment: FakeClocks, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: ARG001 - no test may meet real settings
    def run(*arguments: str) -> Ran:
        status = main(arguments)
        return Ran(status, *capsys.readouterr())

    return run
