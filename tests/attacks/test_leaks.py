"""Attacks by those who read our log: a support forum, a log collector, a terminal."""

import asyncio
import io
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import structlog

from alexa_oauth import upkeep
from alexa_oauth.clients import definitions
from alexa_oauth.log import configure
from alexa_oauth.protocol import authorization
from alexa_oauth.protocol import refresh as refresh_rules
from alexa_oauth.protocol.events import EventName
from alexa_oauth.web import endpoint, middleware
from alexa_oauth.web import token as web_token
from tests.attacks.canaries import HOSTILE, MASTER_KEY, STATE, Chance, everything, found_in, watched
from tests.rig import Rig
from tests.sign_in.core import ANNA, BODO, StandInCore, core_running


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the server logs at its most talkative, as a program or a person reads it."""
    root, access = logging.getLogger(), logging.getLogger("aiohttp.access")
    kept = (root.handlers[:], root.level, logging.raiseExceptions, access.disabled)
    stream = io.StringIO()
    configure("debug", request.param, stream)
    for module in (middleware, upkeep, definitions):
        monkeypatch.setattr(module, "_log", structlog.get_logger())  # one that no earlier test has bound to its stream
    yield stream
    root.handlers[:], root.level, logging.raiseExceptions, access.disabled = kept
    structlog.reset_defaults()


async def test_o01_o02_o03_o05_o06_o07_o08_nothing_secret_is_told(
    tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Client secrets, codes, verifiers, tokens and their digests, keys, queries, Referer, what an exception holds."""
    chance = Chance()
    async with watched(tmp_path / "data", chance) as rig:
        await everything(rig, monkeypatch)
        await asyncio.sleep(0)  # no answer waits for its line
        told = log.getvalue()
        assert found_in(told.encode(), rig, chance) == set()
        assert found_in(repr(rig.server).encode(), rig, chance) == set()
    assert (capfd.readouterr(), log.getvalue()) == (("", ""), told)
    expected = {*EventName, "request.failed", "request.answered", "clients_file.broken"} - UNCAUSED
    assert {name for name in expected if name not in told} == set(), "what was not told cannot have leaked"
    assert len(rig.secrets) > 150
    assert MASTER_KEY in rig.secrets


async def test_nothing_of_a_sign_in_with_another_service_is_told(tmp_path: Path, log: io.StringIO) -> None:
    """Its states and codes, our verifiers, and what the service gives out for the question who it was."""
    chance = Chance()
    async with (
        core_running(StandInCore()) as core,
        watched(tmp_path / "data", chance, sign_in="home_assistant", home_assistant_url=core.url) as rig,
    ):
        for broken in ("nothing", "/auth/token", "/api/websocket", "/auth/revoke"):
            core.instead = {broken: core.break_off}
            for user in (ANNA, BODO):
                browser = rig.browser()
                page = await browser.authorize(state=STATE)
                target = core.sign_in((await browser.sign_in(page)).location, user)
                await rig.browser().send("GET", target)
                await browser.approve(await browser.send("GET", target))
                await browser.send("GET", f"{target}&error=canary-error-1234&error_description=canary-description")
                await browser.send("GET", target)
        rig.keep(*(form["code_verifier"] for form in core.forms), *core.given)
        told = log.getvalue()
        assert found_in(told.encode(), rig, chance) == set()
    assert {name for name in ELSEWHERE if name not in told} == set()
    assert len(rig.secrets) > 100
    assert len(core.given) == 12, "two for each of two people, but for those with whom the exchange broke off"


async def test_o08_no_record_of_a_request_shows_what_could_be_misused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record may end up in the text of an exception, and that in the log."""
    shown: list[str] = []

    def showing(rule: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object, **named: object) -> object:
            outcome = rule(*arguments, **named)
            shown.append(repr([argument for argument in (*arguments, outcome) if not isinstance(argument, (str, dict))]))
            return outcome

        return run

    names = ["locate", "check", "begin", "find_claimed", "approve", "deny", "return_address"]
    for module, name in [(authorization, name) for name in names] + [
        *((web_token, name) for name in ("check_parameters", "read_code_request", "read_refresh_request", "redeem", "refresh")),
        *((endpoint, name) for name in ("read_credentials", "authenticate")),
        *((refresh_rules, name) for name in ("_find_live", "_carry_out")),
    ]:
        monkeypatch.setattr(module, name, showing(getattr(module, name)))
    chance = Chance()
    async with watched(tmp_path / "data", chance) as rig:
        tokens = (await rig.redeem(await rig.code("alexa", state=STATE), "alexa")).json
        await rig.refresh(tokens["refresh_token"], "alexa")
        browser = rig.browser()
        page = await browser.authorize("C1", state=STATE)
        await browser.send("POST", "/alexa/approve", {**page.hidden, "decision": "deny"})
        assert len(shown) > 15
        assert found_in("\n".join(shown).encode(), rig, chance) == set()


ELSEWHERE = {EventName.SIGN_IN_SENT, EventName.SIGN_IN_SUCCEEDED}
UNCAUSED = {
    *ELSEWHERE,
    EventName.GRANT_HEALED,
    EventName.CLOCK_DOUBTED,
    EventName.CLOCK_CONFIRMED,
    EventName.CLIENT_SECRET_CHANGED,
    EventName.DATABASE_ADOPTED,
}


async def test_o09_one_event_is_one_line_and_commands_nothing(
    tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(tmp_path / "data", Chance()) as rig:
        await everything(rig, monkeypatch)
    *lines, last = log.getvalue().split("\n")
    assert last == ""
    assert len(lines) > 100
    assert [line for line in lines if not line.isprintable() or not BEGINNING.match(line)] == []
    assert HOSTILE.encode("unicode_escape").decode() in log.getvalue().replace("\\\\", "\\")


BEGINNING = re.compile(r'(\{"timestamp": ")?\d{4}-\d\d-\d\dT[0-9:.]+Z(",| \[)')


@pytest.mark.parametrize(("words", "status", "logged"), [(2_600, 200, 300), (350_000, 400, 0)])
async def test_o10_a_long_user_agent_is_cut_or_refused(rig: Rig, log: io.StringIO, words: int, status: int, logged: int) -> None:
    """One of a megabyte is never read, since a header field may have 8 KiB."""
    page = await rig.browser().send("GET", f"/alexa/authorize?{urlencode(rig.authorization())}", User_Agent="ab " * words)
    assert page.status == status
    assert max(map(len, re.findall(r"(?:ab )+", log.getvalue())), default=0) == logged
    assert max(map(len, log.getvalue().splitlines()), default=0) < 1_000
