"""Attacks by number: guessing, flooding, and the attempt to turn our limits against the household."""

import asyncio
import contextlib
import json

import pytest

from alexa_oauth.app import entropy
from alexa_oauth.protocol.credentials import new_access_token
from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.policy import CODES_PER_SUBJECT, PENDING_LIMIT, PENDING_SECONDS
from alexa_oauth.sign_in.pairing_code import PairingCode
from alexa_oauth.web.parts import PARTS
from tests.attacks.disk import statements_written
from tests.attacks.links import refreshed
from tests.attacks.verdict import assert_consent, rows
from tests.attacks.wire import request, wire
from tests.conftest import StartRig
from tests.rig import Answer, Rig

INVALID_CLIENT = (401, "invalid_client")
INVALID_GRANT = (400, "invalid_grant")
SLOW_DOWN = (429, "slow_down")
THIEF, ALEXA = "198.51.100.7", "192.0.2.1"


@pytest.fixture
async def proxied(start: StartRig) -> Rig:
    """A server behind a proxy that it trusts; `come_from` says whom the proxy tells of."""
    return await start(trusted_proxies="127.0.0.1")


def come_from(rig: Rig, address: str) -> None:
    rig.headers["X-Forwarded-For"] = address


async def wrong_secret(rig: Rig) -> Answer:
    return await rig.refresh("x", None, client_id="C1", client_secret="wrong")


async def test_n01_after_ten_wrong_secrets_an_address_is_told_to_slow_down(proxied: Rig) -> None:
    tokens = await proxied.link()
    come_from(proxied, THIEF)
    answers = [await wrong_secret(proxied) for _ in range(100)]
    assert [answer.refusal for answer in answers] == [INVALID_CLIENT] * 10 + [SLOW_DOWN] * 90
    assert {answer.headers["Retry-After"] for answer in answers[10:]} == {"3600"}
    come_from(proxied, ALEXA)
    assert (await wrong_secret(proxied)).refusal == INVALID_CLIENT
    tokens = await refreshed(proxied, tokens, "C1")
    come_from(proxied, THIEF)
    tokens = await refreshed(proxied, tokens, "C1")
    proxied.clocks.advance(3_600)
    assert (await wrong_secret(proxied)).refusal == INVALID_CLIENT


async def test_n02_wrong_secrets_from_everywhere_lock_no_client(proxied: Rig) -> None:
    """Else anybody could unlink Alexa. The secret has 256 bits: guessing needs no slower pace."""
    tokens = await proxied.link("alexa")
    for last in range(100):
        come_from(proxied, f"198.51.100.{last}")
        for _ in range(5):
            answer = await proxied.refresh(tokens["refresh_token"], None, client_id="alexa", client_secret="wrong")
            assert answer.refusal == INVALID_CLIENT
    come_from(proxied, ALEXA)
    await refreshed(proxied, tokens, "alexa")


async def test_n03_five_wrong_pairing_codes_close_the_request_and_nothing_else(start: StartRig) -> None:
    rig = await start(sign_in="pairing_code")
    browser, owner = rig.browser(), rig.browser()
    page, own_page = await browser.authorize(), await owner.authorize()
    for left in (4, 3, 2, 1):
        answer = await browser.approve(page, pairing_code="BBBB-BBBB")
        assert_consent(answer)
        assert answer.hidden["request"] == page.hidden["request"]
        assert f"{left} " in answer.text
    assert "Too many wrong tries" in (await browser.approve(page, pairing_code="BBBB-BBBB")).text
    assert (await browser.approve(page)).status == 403
    assert (await owner.approve(own_page)).status == 303
    failed = await rig.audit(EventName.SIGN_IN_FAILED)
    assert {(event.reason, event.count) for event in failed} == {(Reason.SIGN_IN_WRONG, 4), (Reason.SIGN_IN_EXHAUSTED, 1)}


async def wrong_code(rig: Rig) -> int:
    """The status for a wrong code, after which the page asks again: 200, as in-app browsers replace pages of errors."""
    browser = rig.browser()
    answer = await browser.approve(await browser.authorize(), pairing_code="BBBB-BBBB")
    if answer.status == 200:
        assert_consent(answer)
    else:
        assert answer.headers["Retry-After"] in {"5", "3600"}
    return answer.status


async def test_n03_after_thirty_wrong_codes_each_try_waits_and_the_right_code_still_works(
    start: StartRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await start(sign_in="pairing_code", trusted_proxies="127.0.0.1")
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(rig.server.public[PARTS].sign_in, "_pause", pause)
    for last in range(30):
        come_from(rig, f"198.51.100.{last}")
        assert await wrong_code(rig) == 200
    assert waited == []
    assert await wrong_code(rig) == 200
    assert waited == [5]
    owner = rig.browser()
    assert (await owner.approve(await owner.authorize())).status == 303
    assert waited == [5, 5]
    rig.clocks.advance(600)
    assert await wrong_code(rig) == 200
    assert waited == [5, 5]


async def test_n03_no_more_than_sixteen_tries_wait_at_once(start: StartRig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = await start(sign_in="pairing_code")
    rig.headers["X-Forwarded-For"] = THIEF  # a proxy that nobody configured: only the brake holds
    over = asyncio.Event()

    async def pause(_: float) -> None:
        await over.wait()

    sign_in = rig.server.public[PARTS].sign_in
    assert isinstance(sign_in, PairingCode)
    monkeypatch.setattr(sign_in, "_pause", pause)
    for _ in range(30):
        await wrong_code(rig)
    tries = [asyncio.create_task(wrong_code(rig)) for _ in range(20)]
    async with asyncio.timeout(20):
        turned_away = [await answered for _, answered in zip(range(4), asyncio.as_completed(tries), strict=False)]
    assert turned_away == [429] * 4
    over.set()
    assert sorted(await asyncio.gather(*tries)) == [200] * 16 + [429] * 4


async def test_n03_an_address_with_ten_wrong_codes_is_slowed_down_and_its_right_code_still_works(start: StartRig) -> None:
    rig = await start(sign_in="pairing_code")
    assert [await wrong_code(rig) for _ in range(12)] == [200] * 10 + [429] * 2
    owner = rig.browser()
    assert (await owner.approve(await owner.authorize())).status == 303


async def test_n04_guessed_refresh_tokens_cost_no_write_and_become_one_row(proxied: Rig) -> None:
    come_from(proxied, THIEF)
    with statements_written(proxied) as statements:
        answers = [await proxied.refresh(f"aoa_rt_{new_access_token(entropy)[7:]}{'A' * 21}") for _ in range(50)]
    assert [answer.refusal for answer in answers] == [INVALID_GRANT] * 10 + [SLOW_DOWN] * 40
    assert [statement for statement in statements if statement.startswith(("INSERT", "UPDATE", "DELETE"))] == []
    (event,) = await proxied.audit(EventName.TOKEN_REFUSED)
    assert (event.reason, event.address, event.count) == (Reason.REFRESH_TOKEN_UNKNOWN, THIEF, 50)


async def test_n05_abandoned_requests_push_out_only_their_own(proxied: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PENDING_LIMIT <= 12_000
    monkeypatch.setattr("alexa_oauth.storage.authorizations.PENDING_LIMIT", 20)
    come_from(proxied, ALEXA)
    owner = proxied.browser()
    page = await owner.authorize()
    come_from(proxied, THIEF)
    for _ in range(60):
        assert (await proxied.browser().authorize()).status == 200
    assert rows(proxied)["pending_requests"] == 20
    assert (await owner.approve(page)).status == 303
    proxied.clocks.advance(PENDING_SECONDS)
    await proxied.upkeep.sweep()
    assert rows(proxied)["pending_requests"] == 0


async def test_n06_one_subject_keeps_twenty_codes_of_a_client_at_most(rig: Rig) -> None:
    alexas = await rig.code("alexa")
    codes = [await rig.code() for _ in range(25)]
    assert rows(rig)["codes"] == CODES_PER_SUBJECT + 1 == 21
    statuses = [(await rig.redeem(code)).status for code in codes]
    assert statuses == [400] * 5 + [200] * 20
    assert (await rig.redeem(alexas, "alexa")).status == 200


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1"),
        ("192.0.2.9", "::ffff:192.0.2.9", "192.0.2.10"),
        ("192.0.2.9", "203.0.113.1, 192.0.2.9", "203.0.113.1"),
        ("192.0.2.9", "192.0.2.9:4711", "192.0.2.90"),
        ("2001:db8::1", "[2001:db8::2]:443", "2001:db9::1"),
    ],
)
async def test_n07_what_one_caller_can_choose_freely_counts_as_one(proxied: Rig, one: str, same: str, other: str) -> None:
    for address in (one, same) * 5:
        come_from(proxied, address)
        assert (await wrong_secret(proxied)).refusal == INVALID_CLIENT
    for address in (one, same):
        come_from(proxied, address)
        assert (await wrong_secret(proxied)).refusal == SLOW_DOWN
    come_from(proxied, other)
    assert (await wrong_secret(proxied)).refusal == INVALID_CLIENT


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "CF-Connecting-IP"])
async def test_n07_behind_a_proxy_that_nobody_configured_no_address_is_slowed_down(rig: Rig, name: str) -> None:
    """All callers look like one then, so a stranger's failures would be counted against Alexa."""
    rig.headers[name] = THIEF
    assert {(await wrong_secret(rig)).refusal for _ in range(30)} == {INVALID_CLIENT}
    rig.headers.clear()
    assert (await wrong_secret(rig)).refusal == INVALID_CLIENT


async def test_n08_ten_thousand_addresses_fill_no_memory(proxied: Rig) -> None:
    limiter, ledger = proxied.server.public[PARTS].limiter, proxied.server.recorder.ledger
    for number in range(10_000):
        limiter.failed(f"2001:db8:{number:x}::1")
    for number in range(2_100):
        come_from(proxied, f"2001:db8:{number:x}::1")
        assert (await wrong_secret(proxied)).refusal == INVALID_CLIENT
    assert len(limiter._failures) == 4_096
    assert len(ledger._sums) == 2_049
    assert sum(event.count for event in ledger.drain()) == 2_100


async def test_n10_a_slowed_down_address_is_told_in_json_and_alexa_is_never(proxied: Rig) -> None:
    tokens = await proxied.link("alexa")
    for _ in range(11):
        refused = await wrong_secret(proxied)
    assert refused.refusal == SLOW_DOWN
    assert json.loads(refused.body)["error_description"] == "Too many failed attempts from this address"
    for _ in range(100):
        assert (await proxied.refresh(tokens["refresh_token"], "alexa")).status == 200
    assert (await wrong_secret(proxied)).refusal == SLOW_DOWN


async def test_n12_idle_connections_hold_nobody_up(rig: Rig) -> None:
    """Two hundred callers that say nothing, or half of something, each on a connection of its own."""
    beginnings = [b"", b"GET /he", request("POST /alexa/token", {"Content-Length": "50"})[:-1], b"POST /alexa/token HTTP/1.1\r\n"]
    async with asyncio.timeout(20), contextlib.AsyncExitStack() as stack:
        for number in range(200):
            connection = await stack.enter_async_context(wire(rig))
            await connection.send(beginnings[number % len(beginnings)])
        assert (await rig.send("GET", "/health")).status == 200
        await rig.link()
