"""Every public route under requests that hypothesis makes up: honest ones with a change, and octets that are hardly HTTP."""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import MutableMapping
from http import HTTPStatus
from ipaddress import IPv4Address
from itertools import takewhile
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, currently_in_test_context, given, note, seed, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from structlog.testing import capture_logs

from tests.attacks.wire import PATIENCE_SECONDS
from tests.fuzz.changes import Change, Slip, changes, slips
from tests.fuzz.honest import HONEST, REQUESTS, Honest, link
from tests.fuzz.verdict import judge
from tests.identity_service import IdentityService
from tests.rig import Answer, CountedChance, Rig, running

A_ROUND: Final = 100
FEW_ROUNDS: Final = 3
MANY_ROUNDS: Final = 50
SECONDS: Final = 30
"""Beyond these the large run begins no further round. All fuzzing together stays under two minutes."""
FIRST_ADDRESS: Final = IPv4Address("10.0.0.1")

Told = list[MutableMapping[str, Any]]
"""The lines of the server's own log."""


class Stranger:
    """Sends what it is given to one server, and judges all that comes of it. Each request has an address of its own."""

    def __init__(self, rig: Rig, told: Told, caplog: pytest.LogCaptureFixture) -> None:
        self.rig = rig
        self._told = told
        self.seen = Counter[int]()
        self._tried = 0
        self._caplog = caplog
        self._unhandled: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self._unhandled.append(context))

    async def try_change(self, honest: Honest, several: list[Change]) -> None:
        """One answer is due, and in time."""
        self._arrive()
        sent = await honest(self.rig)
        for change in several:
            sent = change.apply(sent)
        answers = await self._exchange(sent.octets, head=sent.method == "HEAD")
        assert len(answers) == 1, answers

    async def try_slip(self, honest: Honest, slip: Slip) -> None:
        """The sender gives up at once: whatever is answered is an answer."""
        self._arrive()
        octets = slip.apply((await honest(self.rig)).octets)
        await self._exchange(octets, head=octets.startswith(b"HEAD"), gives_up=True)

    def _arrive(self) -> None:
        self.rig.clocks.advance(1)
        self._tried += 1
        self.rig.headers["X-Forwarded-For"] = str(FIRST_ADDRESS + self._tried)

    async def _exchange(self, octets: bytes, *, head: bool, gives_up: bool = False) -> list[Answer]:
        received = await self._send(octets, gives_up=gives_up)
        if currently_in_test_context():
            note(f"sent: {octets!r}\nreceived: {received!r}")
        complaints = self._complaints()
        answers = split(received)
        for answer in answers:
            self.seen[answer.status] += 1
            judge(answer, head=head)
        assert complaints == []
        return answers

    def _complaints(self) -> list[object]:
        """What the server, its libraries and the loop complained of since they were last asked."""
        ours = [line for line in self._told if line["log_level"] in {"error", "critical"}]
        libraries = [record.getMessage() for record in self._caplog.records if record.levelno >= logging.WARNING]
        found: list[object] = [*ours, *libraries, *self._unhandled]
        for source in (self._told, self._unhandled):
            source.clear()
        self._caplog.clear()
        return found

    async def _send(self, octets: bytes, *, gives_up: bool) -> bytes:
        address = urlsplit(self.rig.origin)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(octets)
            if gives_up:
                writer.write_eof()
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


def split(received: bytes) -> list[Answer]:
    """The answers that came over one connection."""
    answers = []
    while received:
        top, end, received = received.partition(b"\r\n\r\n")
        assert end, top
        status_line, *lines = top.decode("latin-1").split("\r\n")
        headers = CIMultiDict(line.partition(": ")[::2] for line in lines)
        length = int(headers.get("Content-Length", 0))
        answers.append(Answer(int(status_line.split(" ")[1]), headers, received[:length]))
        received = received[length:]
    return answers


def attack(folder: Path, caplog: pytest.LogCaptureFixture, rounds: int, seconds: float) -> Counter[int]:
    """Try so many rounds of requests against one server, the same ones each time; an honest client is served before and after."""
    with capture_logs() as told, asyncio.Runner() as runner:
        context = running(folder, {"trusted_proxies": "127.0.0.1"}, chance=CountedChance(), elsewhere=IdentityService())
        rig = runner.run(context.__aenter__())
        try:
            stranger = runner.run(_met(rig, told, caplog))
            tokens = runner.run(link(rig))
            loop = runner.get_loop()
            over = loop.time() + seconds

            @settings(max_examples=A_ROUND, database=None, deadline=None, suppress_health_check=[*HealthCheck])
            @given(st.sampled_from(REQUESTS), changes | slips)
            def try_some(honest: Honest, spoilt: list[Change] | Slip) -> None:
                trial = stranger.try_slip(honest, spoilt) if isinstance(spoilt, Slip) else stranger.try_change(honest, spoilt)
                runner.run(trial)

            for number in takewhile(lambda _: loop.time() < over, range(rounds)):
                seed(number)(try_some)()
            rig.headers.clear()
            assert runner.run(rig.refresh(tokens["refresh_token"])).status == HTTPStatus.OK
            assert runner.run(link(rig)).keys() == tokens.keys()
        finally:
            runner.run(context.__aexit__(None, None, None))
    return stranger.seen


async def _met(rig: Rig, told: Told, caplog: pytest.LogCaptureFixture) -> Stranger:
    return Stranger(rig, told, caplog)


async def test_every_public_route_is_tried(tmp_path: Path) -> None:
    async with running(tmp_path / "data", {}, elsewhere=IdentityService()) as rig:
        table = {
            f"{route.method} {route.resource.canonical}"
            for route in rig.server.public.router.routes()
            if route.resource is not None
        }
        assert {line for line in table if not line.startswith("HEAD ")} == HONEST.keys()


async def test_what_is_changed_was_honest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with capture_logs() as told:
        async with running(tmp_path / "data", {"trusted_proxies": "127.0.0.1"}, elsewhere=IdentityService()) as rig:
            stranger = Stranger(rig, told, caplog)
            for honest in REQUESTS:
                await stranger.try_change(honest, [])
        assert stranger.seen == {200: len(REQUESTS) - 1, 303: 1}


def test_a_few_made_up_requests_are_answered_as_they_should(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = attack(tmp_path / "data", caplog, FEW_ROUNDS, math.inf)
    assert {200, 303, 400, 403, 404, 405} <= seen.keys()


@pytest.mark.fuzz
def test_no_made_up_request_breaks_the_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = attack(tmp_path / "data", caplog, MANY_ROUNDS, SECONDS)
    assert seen.total() > 200, "it tried next to nothing"
    assert {200, 302, 303, 400, 401, 403, 404, 405, 415} <= seen.keys()
