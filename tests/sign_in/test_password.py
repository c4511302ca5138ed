"""Sign-in by user name and password: what the Supervisor says of them, and how little guessing is worth."""

import asyncio
from collections.abc import AsyncIterator
from html import unescape
from typing import Final

import pytest
from aiohttp import web

from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.sign_in import Visitor
from alexa_oauth.sign_in.password import CHECKS_AT_ONCE, WAITING_CHECKS, Password, normalised
from alexa_oauth.sign_in.passwords import SupervisorPasswords
from alexa_oauth.sign_in.throttle import Throttle, Tries
from alexa_oauth.web.parts import PARTS
from tests.addon.supervisor_api import Supervisor, running
from tests.attacks.verdict import ENGLISH, assert_code, assert_page, begun
from tests.conftest import StartRig
from tests.rig import TOKEN, Answer, FakeClocks, Rig

ANNA: Final = {"username": " Anna ", "password": "correct horse"}
WRONG: Final = {**ANNA, "password": "battery staple"}
NOBODY: Final = {"username": "nobody", "password": "battery staple"}


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor(TOKEN, {"anna": "correct horse"}, frozenset({"auth_api"}))


@pytest.fixture
async def rig(start: StartRig, supervisor: Supervisor) -> AsyncIterator[Rig]:
    """The server as an add-on, whose Supervisor is the stand-in, and whose waits are over at once."""
    rig = await start(supervised=True, sign_in="password")
    async with running(supervisor) as origin:
        way = rig.server.public[PARTS].sign_in
        assert isinstance(way, Password)
        way._passwords = SupervisorPasswords(TOKEN, rig.server.outbound.session, origin)
        way._throttle = Throttle(lambda: rig.clocks.running, lambda _: asyncio.sleep(0))
        yield rig


def alert_of(page: Answer) -> str:
    """What the page says went wrong; it still asks."""
    assert page.status == 200
    assert page.hidden.keys() == {"request", "csrf"}
    return unescape(page.text.partition('role="alert"')[2].partition("</div>")[0])


async def test_the_page_asks_for_both_and_says_that_two_factor_is_not_asked_for(rig: Rig) -> None:
    _, page = await begun(rig)
    assert 'name="username" type="text"' in page.text
    assert 'name="password" type="password"' in page.text
    assert 'autocomplete="current-password"' in page.text
    assert ENGLISH["password.no_second_factor"] in page.text


async def test_who_knows_the_password_links_in_the_name_of_the_normalised_user(rig: Rig, supervisor: Supervisor) -> None:
    browser, page = await begun(rig)
    tokens = (await rig.redeem(assert_code(await browser.approve(page, **ANNA)))).json
    assert (await rig.introspect(tokens["access_token"])).json["sub"] == "ha-name:anna"
    assert supervisor.calls == ["POST /auth"]


async def test_a_name_is_one_account_however_it_is_written() -> None:
    assert {normalised(name) for name in ("Anna", " anna\t", "ANNA", "anNA")} == {"anna"}
    assert normalised("Straße") == normalised("STRASSE")


async def test_nobody_and_a_wrong_password_are_answered_alike(rig: Rig, supervisor: Supervisor) -> None:
    pages = []
    for fields in (WRONG, NOBODY):
        browser, page = await begun(rig)
        answer = await browser.approve(page, **fields)
        assert ENGLISH["password.wrong"] in alert_of(answer)
        pages.append(answer.text.replace(page.hidden["csrf"], "").replace(page.hidden["request"], ""))
    assert len({page.partition("<footer>")[0] for page in pages}) == 1
    assert supervisor.calls == ["POST /auth"] * 2, "both are asked for"


async def test_nothing_entered_costs_no_try_and_no_question(rig: Rig, supervisor: Supervisor) -> None:
    browser, page = await begun(rig)
    for fields in ({}, {"username": "anna", "password": ""}, {"username": " ", "password": "x"}):
        answer = await browser.approve(page, **fields)
        assert "User name or password is missing." in alert_of(answer)
        assert "tries left" not in answer.text
    assert supervisor.calls == []


async def test_what_no_account_has_is_not_asked_for(rig: Rig, supervisor: Supervisor) -> None:
    browser, page = await begun(rig)
    for fields in ({**ANNA, "password": "x" * 1_025}, {**ANNA, "username": "x" * 257}):
        assert ENGLISH["password.wrong"] in alert_of(await browser.approve(page, **fields))
    assert supervisor.calls == []


async def test_odd_characters_reach_home_assistant_as_they_are(rig: Rig, supervisor: Supervisor) -> None:
    password = '\u00e9"\\\U0001f511 &=%+\t '
    supervisor.people = {"j\u00f6rg & co": password}
    browser, page = await begun(rig)
    assert_code(await browser.approve(page, username="J\u00d6RG & Co", password=password))


async def test_five_wrong_tries_end_the_request(rig: Rig) -> None:
    browser, page = await begun(rig)
    for left in ("4 tries", "3 tries", "2 tries", "One try"):
        assert f"{left} left." in alert_of(await browser.approve(page, **WRONG))
    assert_page(await browser.approve(page, **WRONG), Reason.SIGN_IN_EXHAUSTED, 403)
    assert_page(await browser.approve(page, **ANNA), Reason.REQUEST_UNKNOWN, 403)


@pytest.mark.parametrize("status", [400, 403, 404, 500, 502, 302])
async def test_any_other_answer_is_try_later_and_no_failed_guess(
    rig: Rig, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def answer(_self: Supervisor, _request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    monkeypatch.setattr(Supervisor, "check_password", answer)
    way = rig.server.public[PARTS].sign_in
    assert isinstance(way, Password)
    async with running(supervisor) as origin:
        way._passwords = SupervisorPasswords(TOKEN, rig.server.outbound.session, origin)
        browser, page = await begun(rig)
        for _ in range(6):
            assert "Home Assistant does not answer at the moment" in alert_of(await browser.approve(page, **ANNA))
    (event, *_) = [event for event in await rig.audit(EventName.SIGN_IN_FAILED) if event.detail]
    assert event.reason is Reason.SIGN_IN_UNAVAILABLE
    assert event.detail["problem"] == f"Supervisor: a password was answered with status {status}"
    assert "/elsewhere" not in " ".join(supervisor.calls), "nobody passes on what was meant for the Supervisor"


async def test_the_own_token_is_no_authorization_and_a_stale_one_says_nothing_of_the_password(
    rig: Rig, supervisor: Supervisor
) -> None:
    supervisor.token = "of a later start"
    browser, page = await begun(rig)
    assert "does not answer" in alert_of(await browser.approve(page, **ANNA))


async def test_a_supervisor_that_is_down_keeps_the_request(rig: Rig) -> None:
    way = rig.server.public[PARTS].sign_in
    assert isinstance(way, Password)
    good, way._passwords = way._passwords, SupervisorPasswords(TOKEN, rig.server.outbound.session, "http://127.0.0.1:9")
    browser, page = await begun(rig)
    assert "does not answer" in alert_of(await browser.approve(page, **ANNA))
    way._passwords = good
    assert_code(await browser.approve(page, **ANNA))


async def test_guesses_in_the_owners_name_slow_the_owner_down_and_lock_nobody_out(rig: Rig) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    way = rig.server.public[PARTS].sign_in
    assert isinstance(way, Password)
    way._throttle = Throttle(lambda: rig.clocks.running, pause)
    for _ in range(3):
        browser, page = await begun(rig)
        for _ in range(3):
            await browser.approve(page, **{**WRONG, "username": "ANNA "})
    owner, page = await begun(rig)
    assert_code(await owner.approve(page, **ANNA))
    assert waited == [1, 2, 4, 8, 16, 32, 32], "from the very network that guessed"


async def test_waits_grow_by_account_from_wherever_and_what_says_nothing_of_a_password_is_not_counted(rig: Rig) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    way = rig.server.public[PARTS].sign_in
    assert isinstance(way, Password)
    way._throttle = Throttle(lambda: rig.clocks.running, pause)
    _, page = await begun(rig)
    pending = rig.store.read(lambda tx: tx.authorizations.find(page.hidden["request"]))
    assert pending is not None
    addresses = iter(range(1, 100))

    async def come(name: str, password: str) -> str:
        visitor = Visitor(f"192.0.2.{next(addresses)}", address_is_known=True)
        return type(await way.prove(pending, {"username": name, "password": password}, visitor)).__name__

    good = way._passwords
    way._passwords = SupervisorPasswords(TOKEN, rig.server.outbound.session, "http://127.0.0.1:9")
    assert {await come("Anna", "x") for _ in range(5)} == {"ServiceUnavailable"}
    way._passwords = good
    assert {await come(name, "x") for name in ("Anna", "ANNA", " anna")} == {"SignInFailed"}
    assert waited == []
    assert await come("bert", "x") == "SignInFailed"
    assert waited == [], "another account waits for nobody"
    assert await come("anna", ANNA["password"]) == "SignedIn"
    assert waited == [1]


async def test_no_more_than_a_few_passwords_are_checked_at_once_and_the_rest_wait_in_turn(rig: Rig) -> None:
    at_once, most, over = 0, 0, asyncio.Event()

    class Slow(SupervisorPasswords):
        async def fits(self, name: str, password: str) -> bool:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await over.wait()
            at_once -= 1
            return bool(name and password)

    clocks = FakeClocks()
    slow = Slow(TOKEN, rig.server.outbound.session)
    way = Password(slow, Throttle(lambda: clocks.running, lambda _: asyncio.sleep(0)), Tries(lambda: clocks.running))
    _, page = await begun(rig)
    pending = rig.store.read(lambda tx: tx.authorizations.find(page.hidden["request"]))
    assert pending is not None

    async def come(number: int) -> str:
        visitor = Visitor(f"192.0.2.{number}", address_is_known=True)
        return type(await way.prove(pending, {"username": f"user {number}", "password": "x"}, visitor)).__name__

    coming = [asyncio.ensure_future(come(number)) for number in range(WAITING_CHECKS + 1)]
    await asyncio.sleep(0)
    assert await coming[-1] == "SignInCrowded"
    over.set()
    assert set(await asyncio.gather(*coming[:-1])) == {"SignedIn"}
    assert most == CHECKS_AT_ONCE


async def test_the_password_is_in_no_log_line_no_page_and_no_file(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    browser, page = await begun(rig)
    answers = [await browser.approve(page, **WRONG), await browser.approve(page, decision="deny", **ANNA)]
    shown = "".join(answer.text for answer in answers) + "".join(capsys.readouterr())
    written = b"".join(file.read_bytes() for file in rig.store.folder.iterdir() if file.is_file())
    for secret in (WRONG["password"], ANNA["password"], TOKEN):
        assert secret not in shown
        assert secret.encode() not in written
