"""Attacks on the exchange of a code for tokens (RFC 6749 §4.1.3)."""

import asyncio
import json
from dataclasses import replace
from urllib.parse import urlencode

import aiohttp
import pytest

from alexa_oauth.protocol.events import Event, EventName, Reason
from tests.conftest import StartRig
from tests.rig import CLIENTS, SECRETS, VERIFIER, Answer, Rig

INVALID_GRANT = (400, "invalid_grant")
INVALID_REQUEST = (400, "invalid_request")
USED = "Invalid or expired authorization code"


def pairs(answers: list[Answer]) -> set[tuple[str, str]]:
    return {(answer.json["access_token"], answer.json["refresh_token"]) for answer in answers if answer.status == 200}


async def redeemed(rig: Rig, client_id: str = "C1") -> tuple[str, dict[str, str]]:
    """A code and what it was exchanged for."""
    code = await rig.code(client_id)
    answer = await rig.redeem(code, client_id)
    assert answer.status == 200
    return code, answer.json


async def test_e01_an_honest_exchange_says_what_was_given(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code(scope="music.read"))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {
        "access_token": answer.json["access_token"],
        "token_type": "Bearer",
        "expires_in": 1_800,
        "refresh_token": answer.json["refresh_token"],
        "scope": "music.read",
    }


@pytest.mark.parametrize("after", [0, 10])
async def test_e02_a_valid_replay_is_refused(rig: Rig, after: int) -> None:
    code, tokens = await redeemed(rig)
    rig.clocks.advance(after)
    replay = await rig.redeem(code)
    assert (replay.refusal, replay.json["error_description"]) == (INVALID_GRANT, USED)
    assert await rig.is_live(tokens["access_token"])
    assert (await rig.refresh(tokens["refresh_token"])).status == 200


@pytest.mark.parametrize("after", [11, 200, 80_000])
async def test_e02_a_valid_replay_after_ten_seconds_ends_the_grant(rig: Rig, after: int) -> None:
    code, tokens = await redeemed(rig)
    rig.clocks.advance(after)
    assert (await rig.redeem(code)).refusal == INVALID_GRANT
    assert not await rig.is_live(tokens["access_token"])
    assert (await rig.refresh(tokens["refresh_token"])).refusal == INVALID_GRANT
    assert [event.reason for event in await rig.audit(EventName.GRANT_ENDED)] == [Reason.CODE_REPLAYED]


@pytest.mark.parametrize("after", [0, 1, 60])
async def test_e02_alexa_gets_the_same_answer_while_it_may_have_missed_the_first(rig: Rig, after: int) -> None:
    code, tokens = await redeemed(rig, "alexa")
    rig.clocks.advance(after)
    replay = await rig.redeem(code, "alexa")
    assert (replay.status, replay.json) == (200, {**tokens, "expires_in": 1_800 - after})
    assert await rig.is_live(tokens["access_token"])


async def test_e02_alexa_gets_the_same_answer_though_the_data_keys_were_changed_meanwhile(rig: Rig) -> None:
    code, tokens = await redeemed(rig, "alexa")
    await rig.store.keys.rotate_data(Event(EventName.KEY_ROTATED))
    replay = await rig.redeem(code, "alexa")
    assert (replay.status, replay.json) == (200, tokens)


async def test_e02_an_access_token_that_was_revoked_does_not_come_back_with_a_replay(rig: Rig) -> None:
    code, tokens = await redeemed(rig, "alexa")
    assert (await rig.revoke(tokens["access_token"], "alexa")).status == 200
    assert (await rig.redeem(code, "alexa")).refusal == INVALID_GRANT
    assert not await rig.is_live(tokens["access_token"])


@pytest.mark.parametrize("use", ["access token", "refresh token"])
async def test_e02_once_a_token_was_used_alexas_replay_gets_nothing_and_ends_nothing(rig: Rig, use: str) -> None:
    code, tokens = await redeemed(rig, "alexa")
    used = rig.verify(tokens["access_token"]) if use == "access token" else rig.refresh(tokens["refresh_token"], "alexa")
    assert (await used).status == 200
    assert (await rig.redeem(code, "alexa")).refusal == INVALID_GRANT
    assert await rig.is_live(tokens["access_token"])


async def test_e02_alexas_replay_after_its_minute_ends_the_grant(rig: Rig) -> None:
    code, tokens = await redeemed(rig, "alexa")
    rig.clocks.advance(61)
    assert (await rig.redeem(code, "alexa")).refusal == INVALID_GRANT
    assert not await rig.is_live(tokens["access_token"])


@pytest.mark.parametrize("client_id", ["C1", "alexa"])
async def test_e03_a_replay_without_the_secret_ends_nothing(rig: Rig, client_id: str) -> None:
    code, tokens = await redeemed(rig, client_id)
    rig.clocks.advance(100)
    assert (await rig.redeem(code, None, client_id=client_id, client_secret="x" * 40)).refusal == (401, "invalid_client")
    assert (await rig.redeem(code, None, client_id=client_id)).refusal == (401, "invalid_client")
    assert await rig.is_live(tokens["access_token"])


@pytest.mark.parametrize(
    "wrong", [{"code_verifier": "w" * 43}, {"code_verifier": None}, {"redirect_uri": "https://ex.test/cb/"}], ids=str
)
async def test_e04_a_replay_by_who_only_saw_the_code_ends_nothing(rig: Rig, wrong: dict[str, str | None]) -> None:
    code, tokens = await redeemed(rig)
    rig.clocks.advance(100)
    assert (await rig.redeem(code, **wrong)).refusal == INVALID_GRANT
    assert await rig.is_live(tokens["access_token"])


@pytest.mark.parametrize("after", [0, 100])
async def test_e05_another_client_gets_nothing_for_a_code_and_ends_nothing(rig: Rig, after: int) -> None:
    fresh = await rig.code()
    code, tokens = await redeemed(rig)
    rig.clocks.advance(after)
    for stolen in (fresh, code):
        answer = await rig.redeem(stolen, "C2", redirect_uri="https://ex.test/cb")
        assert (answer.refusal, answer.json["error_description"]) == (INVALID_GRANT, USED)
    assert await rig.is_live(tokens["access_token"])
    assert (await rig.redeem(fresh)).status == 200
    assert [event.reason for event in await rig.audit(EventName.TOKEN_REFUSED)] == [Reason.CODE_OF_ANOTHER_CLIENT] * 2


@pytest.mark.parametrize(("client_id", "answered"), [("C1", 1), ("alexa", 50)])
async def test_e06_fifty_exchanges_at_once_make_one_pair(rig: Rig, client_id: str, answered: int) -> None:
    code = await rig.code(client_id)
    rig.headers["X-Forwarded-For"] = "192.0.2.1"  # a proxy that nobody configured: nobody is told to slow down
    answers = await asyncio.gather(*(rig.redeem(code, client_id) for _ in range(50)))
    assert len(pairs(answers)) == 1
    assert [answer.status for answer in answers].count(200) == answered
    assert {answer.refusal for answer in answers if answer.status != 200} <= {INVALID_GRANT}
    assert len(await rig.audit(EventName.TOKEN_ISSUED)) == 1
    ((access_token, refresh_token),) = pairs(answers)
    assert (await rig.verify(access_token)).status == 200
    assert (await rig.refresh(refresh_token, client_id)).status == 200


async def test_e07_exchanges_on_connections_of_their_own_make_one_pair(rig: Rig) -> None:
    """Two processes cannot be tried: the second one that opens the database refuses to start (P18)."""
    code = await rig.code()

    async def alone() -> int:
        async with aiohttp.ClientSession() as session:
            return (await replace(rig, session=session).redeem(code)).status

    assert sorted(await asyncio.gather(*(alone() for _ in range(8)))) == [200, *[400] * 7]


@pytest.mark.parametrize(("seconds", "lives"), [(None, 300), ("30", 30), ("600", 600)])
async def test_e09_e10_a_code_lives_to_the_second_that_was_set(start: StartRig, seconds: str | None, lives: int) -> None:
    rig = await start(**({"code_seconds": seconds} if seconds else {}))
    first, second = await rig.code(), await rig.code()
    rig.clocks.advance(lives - 1)
    assert (await rig.redeem(first)).status == 200
    rig.clocks.advance(1)
    late = await rig.redeem(second)
    assert (late.refusal, late.json["error_description"]) == (INVALID_GRANT, "Authorization code has expired")


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "grant_type"])
@pytest.mark.parametrize("sent", [None, ""], ids=["absent", "empty"])
async def test_e12_e17_what_is_missing_or_empty_is_named(rig: Rig, missing: str, sent: str | None) -> None:
    """An empty parameter counts as left out (RFC 6749 §3.1), an empty grant type too."""
    code = await rig.code()
    answer = await rig.redeem(code, **{missing: sent})
    assert (answer.refusal, answer.json["error_description"]) == (INVALID_REQUEST, f"Missing required parameter: {missing}")
    assert (await rig.redeem(code)).status == 200


@pytest.mark.parametrize(
    ("client_id", "redirect_uri"),
    [
        ("C1", "https://ex.test/cb/"),
        ("C1", "https://ex.test/cb?"),
        ("C1", "https://EX.test/cb"),
        ("C1", "https://ex.test/%63b"),
        ("C1", "https://evil.test/cb"),
        ("C2", "https://two.test/other"),
        ("P1", "http://127.0.0.1:9999/cb"),
    ],
)
async def test_e13_e14_another_redirect_uri_gets_nothing_even_a_registered_one(
    rig: Rig, client_id: str, redirect_uri: str
) -> None:
    code = await rig.code(client_id)
    answer = await rig.redeem(code, client_id, redirect_uri=redirect_uri)
    assert answer.refusal == INVALID_GRANT
    assert answer.json["error_description"] == "redirect_uri does not match authorization request"
    assert (await rig.redeem(code, client_id)).status == 200, "a wrong redirect URI must not burn an honest code"


@pytest.mark.parametrize(
    "grant_type",
    ["password", "client_credentials", "implicit", "AUTHORIZATION_CODE", "authorization_code ", "urn:ietf:params:oauth:x"],
)
async def test_e17_other_grant_types_are_not_offered(rig: Rig, grant_type: str) -> None:
    code = await rig.code()
    assert (await rig.redeem(code, grant_type=grant_type)).refusal == (400, "unsupported_grant_type")
    assert (await rig.redeem(code)).status == 200


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "foo"])
@pytest.mark.parametrize("second", ["same", "other", ""])
async def test_e19_a_parameter_that_comes_twice_is_refused(rig: Rig, name: str, second: str) -> None:
    code = await rig.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://ex.test/cb", "code_verifier": VERIFIER}
    form |= {"client_id": "C1", "client_secret": SECRETS["C1"], "foo": "bar"}
    body = f"{urlencode(form)}&{urlencode({name: form[name] if second == 'same' else second})}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await rig.send("POST", "/alexa/token", body.encode(), headers)).refusal == INVALID_REQUEST
    assert (await rig.redeem(code)).status == 200


async def test_e20_an_unknown_parameter_changes_nothing(rig: Rig) -> None:
    assert (await rig.redeem(await rig.code(), foo="bar", scope="music.read", state="x")).status == 200


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
async def test_e22_other_credentials_are_no_codes(rig: Rig, kind: str) -> None:
    tokens = await rig.link()
    assert (await rig.redeem(tokens[kind])).refusal == INVALID_GRANT
    assert await rig.is_live(tokens["access_token"])


async def test_e23_a_public_client_must_name_itself(rig: Rig) -> None:
    code = await rig.code("P1")
    answer = await rig.redeem(code, None, redirect_uri="http://127.0.0.1/cb")
    assert (answer.refusal, answer.json["error_description"]) == (INVALID_REQUEST, "Missing required parameter: client_id")
    assert (await rig.redeem(code, "P1")).status == 200


async def test_e24_a_code_of_a_client_that_was_removed_gets_nothing(rig: Rig) -> None:
    code = await rig.code()
    without = {name: entry for name, entry in CLIENTS.items() if name != "C1"}
    rig.server.settings.clients_file.write_text(json.dumps(without))
    await rig.upkeep.reload_clients()
    assert (await rig.redeem(code)).refusal == (401, "invalid_client")


async def test_e24_no_replay_brings_back_a_link_that_was_ended(rig: Rig) -> None:
    code, tokens = await redeemed(rig, "alexa")
    assert (await rig.revoke(tokens["refresh_token"], "alexa")).status == 200
    assert (await rig.redeem(code, "alexa")).refusal == INVALID_GRANT
    assert not await rig.is_live(tokens["access_token"])


async def test_e28_a_callback_that_is_opened_twice_makes_one_link(rig: Rig) -> None:
    """The browser's back button opens it again, so that the client sends the same exchange a moment later."""
    browser = rig.browser()
    callback = await browser.approve(await browser.authorize())
    first, second = [await rig.redeem(callback.returned["code"]) for _ in range(2)]
    assert (first.status, second.refusal) == (200, INVALID_GRANT)
    assert await rig.is_live(first.json["access_token"])
