"""Strangers who sign in wrongly on purpose, so that the owner cannot: whatever the way, the owner waits for seconds at most."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from alexa_oauth.sign_in.amazon import Amazon
from alexa_oauth.sign_in.password import Password
from alexa_oauth.sign_in.passwords import SupervisorPasswords
from alexa_oauth.sign_in.throttle import ACCOUNT_SECONDS, ADDRESS_SECONDS
from alexa_oauth.web.parts import PARTS
from tests.addon.supervisor_api import Supervisor
from tests.addon.supervisor_api import running as supervisor_running
from tests.attacks.verdict import assert_code, begun
from tests.conftest import StartRig
from tests.rig import ISSUER, TOKEN, Answer, Browser, Rig
from tests.sign_in.amazon import ANNA, PROFILE, StandInAmazon, served
from tests.sign_in.core import StandInCore, core_running

STRANGERS = 40
OWNER = "203.0.113.7"
WRONG_PAIRING_CODE = "BBBB-BBBB"

Proof = Callable[[Browser, Answer], Awaitable[Answer]]


@dataclass(slots=True)
class Siege:
    """A server, what strangers and the owner do at its consent page, and the longest that others can make somebody wait."""

    rig: Rig
    guess: Proof
    prove: Proof
    longest: float = ACCOUNT_SECONDS

    async def from_address(self, address: str, proof: Proof) -> Answer:
        """Open the page there, and give that proof."""
        self.rig.headers["X-Forwarded-For"] = address
        browser, page = await begun(self.rig)
        return await proof(browser, page)


Besiege = Callable[..., AbstractAsyncContextManager[Siege]]


@asynccontextmanager
async def pairing_code(start: StartRig, **settings: str) -> AsyncIterator[Siege]:
    rig = await start(sign_in="pairing_code", **settings)
    yield Siege(
        rig,
        lambda browser, page: browser.approve(page, pairing_code=WRONG_PAIRING_CODE),
        lambda browser, page: browser.approve(page),
        5,
    )


@asynccontextmanager
async def password(start: StartRig, **settings: str) -> AsyncIterator[Siege]:
    rig = await start(supervised=True, sign_in="password", **settings)
    async with supervisor_running(Supervisor(TOKEN, {"anna": "correct horse"}, frozenset({"auth_api"}))) as origin:
        way = rig.server.public[PARTS].sign_in
        assert isinstance(way, Password)
        way._passwords = SupervisorPasswords(TOKEN, rig.server.outbound.session, origin)
        yield Siege(
            rig,
            lambda browser, page: browser.approve(page, username="anna", password="battery staple"),
            lambda browser, page: browser.approve(page, username="anna", password="correct horse"),
        )


@asynccontextmanager
async def home_assistant(start: StartRig, **settings: str) -> AsyncIterator[Siege]:
    async with core_running(StandInCore()) as core:
        rig = await start(sign_in="home_assistant", home_assistant_url=core.url, **settings)

        async def guess(browser: Browser, page: Answer) -> Answer:
            target = core.sign_in((await browser.sign_in(page)).location)
            return await browser.send("GET", target.replace("code=", "code=f"))

        async def prove(browser: Browser, page: Answer) -> Answer:
            target = core.sign_in((await browser.sign_in(page)).location)
            return await browser.approve(await browser.send("GET", target))

        yield Siege(rig, guess, prove)


@asynccontextmanager
async def amazon(start: StartRig, **settings: str) -> AsyncIterator[Siege]:
    profile = {"amazon_client_id": PROFILE.client_id, "amazon_client_secret": PROFILE.client_secret}
    async with served(StandInAmazon()) as standing_in:
        standing_in.profile = replace(PROFILE, return_url=f"{ISSUER}/alexa/sign-in/amazon")
        rig = await start(sign_in="amazon", amazon_allowed=ANNA["user_id"], **profile, **settings)
        way = rig.server.public[PARTS].sign_in
        assert isinstance(way, Amazon)
        way._amazon._region = standing_in.region

        async def come_back(browser: Browser, page: Answer, **changes: str) -> Answer:
            back = standing_in.sign_in((await browser.sign_in(page)).location)
            return await browser.send("GET", f"/alexa/sign-in/amazon?{urlencode({**back, **changes})}")

        async def prove(browser: Browser, page: Answer) -> Answer:
            return await browser.approve(await come_back(browser, page))

        yield Siege(rig, lambda browser, page: come_back(browser, page, code="ANINVENTED"), prove)


every_way = pytest.mark.parametrize("besiege", [pairing_code, password, home_assistant, amazon], ids=lambda way: way.__name__)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits, written down in place of being waited for."""
    seconds: list[float] = []

    async def pause(wait: float) -> None:
        seconds.append(wait)

    monkeypatch.setattr("alexa_oauth.approval.asyncio", SimpleNamespace(sleep=pause))
    return seconds


@every_way
async def test_forty_strangers_who_guess_make_the_owner_wait_for_seconds(
    start: StartRig, waited: list[float], besiege: Besiege
) -> None:
    async with besiege(start, trusted_proxies="127.0.0.1") as siege:
        for number in range(STRANGERS):
            answer = await siege.from_address(f"198.51.100.{number}", siege.guess)
            assert "Location" not in answer.headers
        waited.clear()
        assert_code(await siege.from_address(OWNER, siege.prove))
        assert waited in ([], [siege.longest])


@every_way
async def test_a_guesser_in_the_owners_own_network_slows_it_down_and_locks_nobody_out(
    start: StartRig, waited: list[float], besiege: Besiege
) -> None:
    async with besiege(start, trusted_proxies="127.0.0.1") as siege:
        answers = [await siege.from_address(OWNER, siege.guess) for _ in range(STRANGERS)]
        assert [answer.status for answer in answers[10:]] == [429] * 30
        waited.clear()
        assert_code(await siege.from_address(OWNER, siege.prove))
        assert waited in ([], [siege.longest], [ADDRESS_SECONDS])


@every_way
async def test_behind_a_proxy_that_nobody_configured_strangers_are_not_taken_for_the_owner(
    start: StartRig, waited: list[float], besiege: Besiege
) -> None:
    async with besiege(start) as siege:
        answers = [await siege.from_address("198.51.100.1", siege.guess) for _ in range(STRANGERS)]
        assert {answer.status for answer in answers} == {200}, "nobody is told off for what others did"
        waited.clear()
        assert_code(await siege.from_address(OWNER, siege.prove))
        assert waited in ([], [siege.longest])
