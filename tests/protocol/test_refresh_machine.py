"""Whatever happens, an honest client keeps its link: refreshes on real rows, under every order of trouble that hypothesis finds.

The trouble: answers lost, parallel calls, crashes, wall clocks stepped by an hour or a year, backups restored. What an honest
client may suffer differs by profile: under `overlap` anything, under `strict_window` a lost answer if its retry comes within
30 seconds of running time, under `strict` no lost answer.
"""

import asyncio
import hashlib
import shutil
import sqlite3
import tempfile
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from alexa_oauth.clock import Clock
from alexa_oauth.protocol.errors import ClockDoubtful
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.introspection import find_live_access_token
from alexa_oauth.protocol.models import Client, ClientType, Grant, PkceRule, RefreshProfile, TokenResponse
from alexa_oauth.protocol.policy import STRICT_WINDOW_SECONDS, Policy
from alexa_oauth.protocol.refresh import RefreshRequest, refresh
from alexa_oauth.storage.backups.candidate import candidate
from alexa_oauth.storage.backups.copying import make_copy
from alexa_oauth.storage.backups.restoring import Wish, stage
from alexa_oauth.storage.store import Opening, SqliteStore
from tests.rig import NOW, CountedChance, FakeClocks

HOUR: Final = 3_600
DAY: Final = 86_400
YEAR: Final = 365 * DAY
IDLE_LIMIT: Final = 80 * DAY
"""Below the 90 days after which disuse ends a grant, less the week by which a restored backup may forget uses of a head."""
POLICY: Final = Policy("https://auth.test")


class LinkMachine(RuleBasedStateMachine):
    """One grant, one client that holds its refresh token, and a server that suffers."""

    profile: RefreshProfile

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.chance = CountedChance()
        self.clocks = FakeClocks()
        self.true_offset = 0.0
        self.client = Client(
            "c", ClientType.CONFIDENTIAL, ("https://ex.test/cb",), "c", ("music.read",), PkceRule.OPTIONAL, self.profile,
            secret_digests=(hashlib.sha256(b"s").digest(),),
        )  # fmt: skip
        self.idle = 0.0
        self.lost_for: float | None = None
        self.backup: bytes | None = None
        self.issued: dict[tuple[int, str], str] = {}

    def teardown(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self.loop.close()
        shutil.rmtree(self.folder)

    @initialize()
    def link(self) -> None:
        self._open()
        grant = Grant(
            "0123456789abcdef", "c", "local", ("music.read",), self.chance(20), "a", NOW, 1, NOW, None, None, None, NOW
        )  # fmt: skip

        async def begin() -> str:
            await self.store.write(lambda tx: tx.grants.add(grant))
            return self.store.read(lambda tx: tx.grants.refresh_token(grant, 1))

        self.held = self.loop.run_until_complete(begin())

    @rule(parallel=st.integers(1, 3), received=st.booleans())
    def refresh(self, parallel: int, *, received: bool) -> None:
        """The client refreshes, perhaps several times at once, and gets an answer or not."""
        strict = self.profile is RefreshProfile.STRICT
        received = received or strict
        answers = self.loop.run_until_complete(self._refresh(1 if strict else parallel))
        if answers is None:
            return
        assert len({answer.refresh_token for answer in answers}) == 1
        self._note(answers[0].refresh_token)
        self.idle = 0
        if received:
            assert all(self._is_live(answer) for answer in answers)
            self.held, self.lost_for = answers[0].refresh_token, None
        elif self.lost_for is None and answers[0].refresh_token != self.held:
            self.lost_for = 0

    @rule(seconds=st.sampled_from([1, 14, HOUR, DAY + HOUR, 8 * DAY, 39 * DAY]))
    def wait(self, seconds: float) -> None:
        impatient = self.profile is RefreshProfile.STRICT_WINDOW and self.lost_for is not None
        if impatient and self.lost_for is not None and self.lost_for + seconds > STRICT_WINDOW_SECONDS:
            return
        if self.idle + seconds > IDLE_LIMIT:
            return
        self.clocks.advance(seconds)
        self.idle += seconds
        if self.lost_for is not None:
            self.lost_for += seconds

    @rule(seconds=st.sampled_from([-100, 100, -HOUR, HOUR, -YEAR, YEAR]))
    def step_the_wall_clock(self, seconds: float) -> None:
        self.clocks.step(seconds)
        self.true_offset += seconds

    @rule(seconds=st.sampled_from([-YEAR, YEAR]))
    def wrong_year(self, seconds: float) -> None:
        """The wall clock goes to another year and stays there, until it is believed."""
        if self.lost_for is None and self.idle + 2 * DAY <= IDLE_LIMIT:
            self.step_the_wall_clock(seconds)
            self.clock.instant()
            self.wait(DAY + HOUR)
            self.steady_day()

    @rule()
    def steady_day(self) -> None:
        """The upkeep looks whether doubt can end without asking anyone."""
        self._settle(None)

    @rule()
    def time_server(self) -> None:
        """NTP corrects the wall clock, and the `Date` of another machine agrees."""
        self.clocks.step(-self.true_offset)
        self.true_offset = 0
        self.clock.instant()
        self._settle(int(self.clocks.wall))

    @rule()
    def crash(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self._open()

    @rule()
    def make_backup(self) -> None:
        with closing(sqlite3.connect(self.folder / "oauth.db")) as source, closing(sqlite3.connect(":memory:")) as copy:
            source.backup(copy)
            self.backup = copy.serialize()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore_backup(self) -> None:
        assert self.backup is not None
        self.loop.run_until_complete(self.store.close())
        for left in self.folder.glob("oauth.db*"):
            left.unlink()
        (self.folder / "oauth.db").write_bytes(self.backup)
        (self.folder / "oauth.db").chmod(0o600)
        self._open()

    @invariant()
    def link_lives(self) -> None:
        if not hasattr(self, "store"):
            return
        grant = self.store.read(lambda tx: tx.grants.find("0123456789abcdef"))
        assert grant is not None
        assert grant.ended_at is None

    def _open(self) -> None:
        self.clock = Clock(self.clocks.read)
        self.store = SqliteStore.open(self.folder, self._opening(serving=True))
        self.clock.compare_with(self.store.newest_instant)

    def _opening(self, *, serving: bool) -> Opening:
        return Opening(
            master_key=None,
            instant=self.clock.instant,
            entropy=self.chance,
            definitions=lambda: {"c": self.client},
            on_commit=lambda _: None,
            serving=serving,
        )

    def _settle(self, date: int | None) -> None:
        self.clock.instant()
        self.loop.run_until_complete(self.clock.settle(self.store, date))

    async def _refresh(self, parallel: int) -> list[TokenResponse] | None:
        request = RefreshRequest(self.held, None, "192.0.2.1")
        results = await asyncio.gather(
            *(self.store.write(lambda tx: refresh(tx, self.client, request, POLICY, self.chance)) for _ in range(parallel)),
            return_exceptions=True,
        )
        if any(isinstance(result, ClockDoubtful) for result in results):
            assert self.clock.doubtful
            return None
        answers = [result for result in results if isinstance(result, TokenResponse)]
        assert len(answers) == parallel, results
        return answers

    def _note(self, refresh_token: str) -> None:
        """Generation n under one key is always the same token, whatever was restored: a grant is never forked."""
        presented = self.store.read(lambda tx: tx.grants.read_refresh_token(refresh_token))
        assert presented is not None
        assert self.issued.setdefault((presented.generation, presented.key_id), refresh_token) == refresh_token

    def _is_live(self, answer: TokenResponse) -> bool:
        return self.store.read(lambda tx: find_live_access_token(tx, answer.access_token)) is not None


class KeptMachine(LinkMachine):
    """The same beside an operator who changes the keys of both layers, and restores copies of before any of it."""

    @rule()
    def make_backup(self) -> None:
        self.backup = make_copy(self.folder).read_bytes()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore_backup(self) -> None:
        assert self.backup is not None
        opening = self._opening(serving=False)
        with candidate(BytesIO(self.backup), None, self.folder, opening) as found:
            stage(found, self.folder, opening, Wish("local"))
        self.crash()

    @rule()
    def change_the_master_key(self) -> None:
        self.loop.run_until_complete(self.store.keys.rotate_master(Event(EventName.KEY_ROTATED)))

    @rule()
    def change_the_data_keys(self) -> None:
        self.loop.run_until_complete(self.store.keys.rotate_data(Event(EventName.KEY_ROTATED)))

    @rule()
    def go_on_with_the_change(self) -> None:
        """The upkeep seals anew what is sealed, and retires the keys that nothing needs any more."""
        self.loop.run_until_complete(self.store.keys.renew())


@pytest.mark.parametrize("profile", list(RefreshProfile))
@pytest.mark.parametrize(("story", "examples"), [(LinkMachine, 60), (KeptMachine, 16)])
def test_an_honest_client_keeps_its_link(profile: RefreshProfile, story: type[LinkMachine], examples: int) -> None:
    machine = type("Machine", (story,), {"profile": profile})
    budget = settings(
        max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    run_state_machine_as_test(machine, settings=budget)
