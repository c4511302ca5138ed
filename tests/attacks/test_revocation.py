"""Attacks on revocation (RFC 7009)."""

from urllib.parse import urlencode

import pytest

from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.models import Grant
from alexa_oauth.protocol.revocation import end_grant
from tests.attacks.disk import statements_written
from tests.attacks.links import assert_dead, refreshed, rotated
from tests.rig import Answer, Rig

INVALID_CLIENT = (401, "invalid_client")
INVALID_REQUEST = (400, "invalid_request")


def is_plain_ok(answer: Answer) -> bool:
    """200 and nothing else, so that it tells nothing of the token."""
    return (answer.status, answer.body, answer.headers["Cache-Control"]) == (200, b"", "no-store")


@pytest.mark.parametrize("client_id", ["C1", "C3", "P1", "alexa"])
async def test_h01_h14_a_refresh_token_takes_its_grant_along(rig: Rig, client_id: str) -> None:
    """P1 is public: its client id is all that it can show, and who holds the token may end it."""
    tokens = await rig.link(client_id)
    other = await rig.link(client_id)
    assert is_plain_ok(await rig.revoke(tokens["refresh_token"], client_id))
    await assert_dead(rig, client_id, tokens)
    assert await rig.is_live(other["access_token"])
    (event,) = await rig.audit(EventName.GRANT_ENDED)
    assert (event.client_id, event.reason) == (client_id, Reason.REVOKED_BY_CLIENT)


async def test_h02_an_access_token_goes_alone(rig: Rig) -> None:
    """RFC 7009 §2.1 leaves it open; Alexa would lose the link if its refresh token went too."""
    tokens = await rig.link()
    sibling = await refreshed(rig, tokens, "C1")
    assert is_plain_ok(await rig.revoke(tokens["access_token"]))
    assert not await rig.is_live(tokens["access_token"])
    assert await rig.is_live(sibling["access_token"])
    await refreshed(rig, sibling, "C1")


@pytest.mark.parametrize("token", ["x", "aoa_rt_" + "A" * 64, "aoa_at_" + "A" * 43, "\u202e", "é" * 500, "' OR 1=1 --", " "])
async def test_h03_an_unknown_token_is_answered_like_a_known_one_and_costs_no_write(rig: Rig, token: str) -> None:
    tokens = await rig.link()
    with statements_written(rig) as statements:
        assert is_plain_ok(await rig.revoke(token))
    assert [statement for statement in statements if statement.startswith(("INSERT", "UPDATE", "DELETE"))] == []
    assert await rig.is_live(tokens["access_token"])


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
async def test_h04_revoking_twice_is_answered_alike(rig: Rig, kind: str) -> None:
    tokens = await rig.link()
    assert is_plain_ok(await rig.revoke(tokens[kind]))
    assert is_plain_ok(await rig.revoke(tokens[kind]))
    assert not await rig.is_live(tokens["access_token"])
    assert len(await rig.audit(EventName.GRANT_ENDED)) + len(await rig.audit(EventName.TOKEN_REVOKED)) == 1


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "id_token", "", "é"])
async def test_h05_a_wrong_hint_saves_no_token(rig: Rig, kind: str, hint: str) -> None:
    tokens = await rig.link()
    assert is_plain_ok(await rig.revoke(tokens[kind], token_type_hint=hint))
    assert not await rig.is_live(tokens["access_token"])


@pytest.mark.parametrize("fields", [{}, {"client_id": "C1"}, {"client_id": "C1", "client_secret": "wrong"}, {"client_id": "x"}])
async def test_h06_without_its_clients_secret_nothing_is_revoked(rig: Rig, fields: dict[str, str]) -> None:
    tokens = await rig.link()
    for kind in ("access_token", "refresh_token"):
        assert (await rig.revoke(tokens[kind], None, **fields)).refusal == INVALID_CLIENT
    assert await rig.is_live(tokens["access_token"])
    await refreshed(rig, tokens, "C1")


@pytest.mark.parametrize("thief", ["C2", "P1", "alexa"])
async def test_h07_another_client_revokes_nothing_and_learns_nothing(rig: Rig, thief: str) -> None:
    tokens = await rig.link()
    for kind in ("access_token", "refresh_token"):
        assert is_plain_ok(await rig.revoke(tokens[kind], thief))
    assert await rig.is_live(tokens["access_token"])
    await refreshed(rig, tokens, "C1")


async def test_h09_only_a_form_can_revoke(rig: Rig) -> None:
    tokens = await rig.link()
    query = urlencode({"token": tokens["refresh_token"], "client_id": "C1"})
    got = await rig.send("GET", f"/alexa/revoke?{query}")
    assert (got.status, got.headers["Allow"]) == (405, "POST")
    posted = await rig.post(f"/alexa/revoke?{query}", "C1", {})
    assert (posted.refusal, posted.json["error_description"]) == (INVALID_REQUEST, "Missing required parameter: token")
    assert await rig.is_live(tokens["refresh_token"])


@pytest.mark.parametrize("client_id", ["C1", "C3", "alexa"])
async def test_h10_a_spent_refresh_token_of_ones_own_ends_the_grant(rig: Rig, client_id: str) -> None:
    """Whoever wants the link gone may hold an old token only; to anybody else the answer tells nothing."""
    spent, _, head = await rotated(rig, client_id, times=2)
    assert is_plain_ok(await rig.revoke(spent["refresh_token"], "C2"))
    assert await rig.is_live(head["access_token"])
    assert is_plain_ok(await rig.revoke(spent["refresh_token"], client_id))
    await assert_dead(rig, client_id, head)


async def test_h11_a_code_is_no_token_and_stays_good(rig: Rig) -> None:
    code, tokens = await rig.code(), await rig.link()
    assert is_plain_ok(await rig.revoke(code))
    assert (await rig.redeem(code)).status == 200
    assert await rig.is_live(tokens["access_token"])


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
async def test_h12_the_next_request_knows(rig: Rig, kind: str) -> None:
    tokens = await rig.link()
    assert (await rig.verify(tokens["access_token"])).status == 200
    assert (await rig.introspect(tokens["access_token"])).json["active"] is True
    await rig.revoke(tokens[kind])
    assert (await rig.verify(tokens["access_token"])).status == 401
    assert (await rig.introspect(tokens["access_token"])).json == {"active": False}


@pytest.mark.parametrize("twice", ["token", "token_type_hint", "client_id"])
async def test_h13_a_parameter_that_comes_twice_revokes_nothing(rig: Rig, twice: str) -> None:
    tokens = await rig.link("P1")
    body = urlencode({"token": tokens["refresh_token"], "token_type_hint": "refresh_token", "client_id": "P1"})
    again = urlencode({twice: tokens["refresh_token"] if twice == "token" else "P1"})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await rig.send("POST", "/alexa/revoke", f"{body}&{again}".encode(), headers)).refusal == INVALID_REQUEST
    assert await rig.is_live(tokens["access_token"])


def found(grant: Grant | None) -> Grant:
    assert grant is not None
    return grant


@pytest.mark.parametrize("client_id", ["C1", "alexa"])
async def test_h15_a_link_that_the_operator_ends_stays_ended(rig: Rig, client_id: str) -> None:
    """It ends one link with its code's kept answer; another approval of the same person is a link of its own."""
    code = await rig.code(client_id)
    tokens = (await rig.redeem(code, client_id)).json
    other = await rig.link(client_id)
    grant_id = (await rig.audit(EventName.TOKEN_ISSUED))[-1].grant_id or ""
    await rig.store.write(lambda tx: end_grant(tx, found(tx.grants.find(grant_id)), Reason.REVOKED_BY_OPERATOR))
    assert (await rig.redeem(code, client_id)).refusal == (400, "invalid_grant")
    await assert_dead(rig, client_id, tokens)
    assert await rig.is_live(other["access_token"])
