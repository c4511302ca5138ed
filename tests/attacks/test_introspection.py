"""Attacks on introspection (RFC 7662)."""

from urllib.parse import urlencode

import pytest

from alexa_oauth.app import entropy
from alexa_oauth.protocol.credentials import new_access_token
from alexa_oauth.protocol.events import EventName, Reason
from tests.attacks.disk import statements_written
from tests.attacks.links import DAY, is_refused, refreshed, rotated
from tests.rig import ISSUER, NOW, SECRETS, Answer, Rig, basic

INVALID_CLIENT = (401, "invalid_client")
INVALID_REQUEST = (400, "invalid_request")
INACTIVE = b'{"active": false}'


def is_inactive(answer: Answer) -> bool:
    """Exactly so, that no cache may keep, and that tells nothing of the reason."""
    return (answer.status, answer.body, answer.headers["Cache-Control"]) == (200, INACTIVE, "no-store")


async def test_i01_i10_a_live_access_token_is_described(rig: Rig) -> None:
    answer = await rig.introspect((await rig.link())["access_token"])
    assert (answer.status, answer.headers["Cache-Control"], answer.headers["Pragma"]) == (200, "no-store", "no-cache")
    assert answer.json == {
        "active": True,
        "scope": "music.read music.control",
        "client_id": "C1",
        "sub": "local",
        "iss": ISSUER,
        "token_type": "Bearer",
        "iat": NOW,
        "exp": NOW + 1_800,
    }


async def test_i01_a_live_refresh_token_is_described_and_is_no_bearer_token(rig: Rig) -> None:
    answer = await rig.introspect((await rig.link())["refresh_token"])
    assert answer.json == {
        "active": True,
        "scope": "music.read music.control",
        "client_id": "C1",
        "sub": "local",
        "iss": ISSUER,
        "iat": NOW,
        "exp": NOW + 90 * DAY,
    }


@pytest.mark.parametrize(
    "token", ["x", "aoa_at_", "aoa_at_" + "A" * 43, "aoa_rt_" + "A" * 64, "é" * 500, "' OR 1=1 --", "\u202e"]
)
async def test_i02_a_made_up_token_is_inactive(rig: Rig, token: str) -> None:
    assert is_inactive(await rig.introspect(token))


async def test_i02_an_expired_or_revoked_token_or_a_code_is_inactive(rig: Rig) -> None:
    tokens, revoked, code = await rig.link(), await rig.link(), await rig.code()
    await rig.revoke(revoked["refresh_token"])
    for token in (revoked["access_token"], revoked["refresh_token"], code):
        assert is_inactive(await rig.introspect(token))
    rig.clocks.advance(1_799)
    assert await rig.is_live(tokens["access_token"])
    rig.clocks.advance(1)
    assert is_inactive(await rig.introspect(tokens["access_token"]))
    rig.clocks.advance(90 * DAY - 1_800)
    assert await rig.is_live(tokens["refresh_token"])
    rig.clocks.advance(1)
    assert is_inactive(await rig.introspect(tokens["refresh_token"]))


@pytest.mark.parametrize("fields", [{}, {"client_id": "RS"}, {"client_id": "RS", "client_secret": "wrong"}, {"client_id": "x"}])
async def test_i03_who_proves_nothing_is_told_nothing(rig: Rig, fields: dict[str, str]) -> None:
    token = (await rig.link())["access_token"]
    assert (await rig.introspect(token, None, **fields)).refusal == INVALID_CLIENT
    assert (await rig.introspect("x", None, **fields)).refusal == INVALID_CLIENT


@pytest.mark.parametrize("client_id", ["C1", "P1", "alexa"])
async def test_i04_an_ordinary_client_may_not_even_ask_for_its_own_token(rig: Rig, client_id: str) -> None:
    token = (await rig.link(client_id))["access_token"]
    live, made_up = await rig.introspect(token, client_id), await rig.introspect("x", client_id)
    assert live.refusal == (403, "unauthorized_client")
    assert (live.status, live.body) == (made_up.status, made_up.body)
    (event,) = await rig.audit(EventName.INTROSPECTION_REFUSED)
    assert (event.client_id, event.reason, event.count) == (client_id, Reason.CLIENT_MAY_NOT_INTROSPECT, 2)


async def test_i07_introspection_by_get_is_refused(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    got = await rig.send("GET", f"/alexa/introspect?{urlencode({'token': token})}")
    assert (got.status, got.headers["Allow"]) == (405, "POST")
    posted = await rig.post(f"/alexa/introspect?{urlencode({'token': token})}", "RS", {})
    assert (posted.refusal, posted.json["error_description"]) == (INVALID_REQUEST, "Missing required parameter: token")


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "id_token", ""])
async def test_i08_a_wrong_hint_changes_nothing(rig: Rig, kind: str, hint: str) -> None:
    token = (await rig.link())[kind]
    assert (await rig.introspect(token, token_type_hint=hint)).json == (await rig.introspect(token)).json


async def test_i09_guessing_tells_nothing_and_costs_no_write(rig: Rig) -> None:
    """It is not slowed down: the caller has proved to be a resource server, and an inactive token is no failure of its own."""
    await rig.link()
    with statements_written(rig) as statements:
        answers = [await rig.introspect(new_access_token(entropy)) for _ in range(500)]
    assert all(map(is_inactive, answers))
    assert {frozenset(answer.headers) for answer in answers} == {frozenset(answers[0].headers)}
    assert statements == []


async def test_i11_every_token_of_a_grant_that_ended_by_reuse_is_inactive(rig: Rig) -> None:
    spent, old, head = await rotated(rig, "C1", times=2)
    assert await is_refused(rig, spent, "C1")
    for tokens in (spent, old, head):
        assert is_inactive(await rig.introspect(tokens["access_token"]))
        assert is_inactive(await rig.introspect(tokens["refresh_token"]))


@pytest.mark.parametrize("client_id", ["C1", "alexa"])
async def test_i12_a_spent_refresh_token_is_inactive_even_in_its_window_and_asking_is_no_reuse(rig: Rig, client_id: str) -> None:
    spent, old, head = await rotated(rig, client_id, times=2)
    assert is_inactive(await rig.introspect(old["refresh_token"]))
    assert is_inactive(await rig.introspect(spent["refresh_token"]))
    assert await rig.is_live(head["refresh_token"])
    assert await refreshed(rig, old, client_id) == head, "the window is still open"


async def test_i13_to_introspect_an_access_token_is_a_use_and_to_introspect_a_refresh_token_is_none(rig: Rig) -> None:
    """An access token that reached a resource has reached its client, so the window for lost answers closes."""
    old, new = await rotated(rig, "C1")
    await rig.introspect(new["refresh_token"])
    await rig.introspect(old["access_token"])
    assert await refreshed(rig, old, "C1") == new
    await rig.introspect(new["access_token"])
    assert await is_refused(rig, old, "C1")


@pytest.mark.parametrize("twice", ["token", "token_type_hint"])
async def test_i15_a_parameter_that_comes_twice_is_refused(rig: Rig, twice: str) -> None:
    token = (await rig.link())["access_token"]
    body = urlencode([("token", token), ("token_type_hint", "access_token"), (twice, "x")])
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic("RS", SECRETS["RS"])}
    answer = await rig.send("POST", "/alexa/introspect", body.encode(), headers)
    assert answer.refusal == INVALID_REQUEST
