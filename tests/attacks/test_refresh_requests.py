"""Attacks on what a refresh request says (RFC 6749 §6)."""

import pytest

from alexa_oauth.protocol.events import EventName, Reason
from tests.attacks.disk import statements_written
from tests.attacks.verdict import define_clients
from tests.rig import CLIENTS, Rig

INVALID_CLIENT = (401, "invalid_client")
INVALID_GRANT = (400, "invalid_grant")
INVALID_REQUEST = (400, "invalid_request")
INVALID_SCOPE = (400, "invalid_scope")
BOTH = "music.read music.control"


async def generations(rig: Rig, count: int) -> list[dict[str, str]]:
    """The answers with which a new link of C1 got to that many generations."""
    answers = [await rig.link()]
    for _ in range(count - 1):
        answers.append((await rig.refresh(answers[-1]["refresh_token"])).json)
    return answers


@pytest.mark.parametrize("generation", [1, 3])
async def test_g11_another_client_gets_nothing_for_a_token_and_ends_nothing(rig: Rig, generation: int) -> None:
    """Neither for the head nor for a spent token: the client that presents it must prove that it is its own."""
    answers = await generations(rig, 3)
    refused = await rig.refresh(answers[generation - 1]["refresh_token"], "C2")
    assert (refused.refusal, refused.json["error_description"]) == (INVALID_GRANT, "Invalid or expired refresh token")
    assert await rig.is_live(answers[-1]["access_token"])
    (event,) = await rig.audit(EventName.TOKEN_REFUSED)
    assert (event.client_id, event.reason) == ("C1", Reason.REFRESH_TOKEN_OF_ANOTHER_CLIENT)


@pytest.mark.parametrize("generation", [1, 3])
@pytest.mark.parametrize("secret", [None, "", "wrong"])
async def test_g12_g13_a_token_without_its_clients_secret_is_left_as_it_is(rig: Rig, secret: str | None, generation: int) -> None:
    answers = await generations(rig, 3)
    refused = await rig.refresh(answers[generation - 1]["refresh_token"], None, client_id="C1", client_secret=secret)
    assert refused.refusal == INVALID_CLIENT
    assert await rig.is_live(answers[-1]["access_token"])
    assert (await rig.refresh(answers[-1]["refresh_token"])).status == 200


async def test_g14_a_public_client_must_name_itself(rig: Rig) -> None:
    tokens = await rig.link("P1")
    answer = await rig.refresh(tokens["refresh_token"], None)
    assert (answer.refusal, answer.json["error_description"]) == (INVALID_REQUEST, "Missing required parameter: client_id")
    assert (await rig.refresh(tokens["refresh_token"], "P1")).status == 200


@pytest.mark.parametrize("sent", [None, ""])
async def test_g15_a_missing_token_is_named(rig: Rig, sent: str | None) -> None:
    answer = await rig.post("/alexa/token", "C1", {"grant_type": "refresh_token", "refresh_token": sent})
    assert (answer.refusal, answer.json["error_description"]) == (INVALID_REQUEST, "Missing required parameter: refresh_token")


async def test_g16_what_is_no_refresh_token_is_invalid_grant_and_ends_nothing(rig: Rig) -> None:
    rig.headers["X-Forwarded-For"] = "192.0.2.1"  # a proxy that nobody configured: nobody is told to slow down
    tokens, code = await rig.link(), await rig.code()
    token = tokens["refresh_token"]
    first, last = ("A" if token[place] != "A" else "B" for place in (7, -1))
    made_up = [
        *("x", "aoa_rt_", "aoa_rt_" + "A" * 64, "0", "\u202e", "é" * 64, "' OR 1=1 --", "%00", "x" * 15_000),
        *(token[:-1], f"{token}A", f"{token}=", f"{token[:-1]}{last}", f"{token[:7]}{first}{token[8:]}"),
        *(token.swapcase(), token.upper(), token[7:], f" {token}", f"{token}\n", f"{token} {token}", f"aoa_at_{token[7:]}"),
        *(tokens["access_token"], f"aoa_rt_{tokens['access_token'][7:]}", code),
    ]
    for value in made_up:
        assert (await rig.refresh(value)).refusal == INVALID_GRANT, value
    assert (await rig.refresh(token)).status == 200


async def test_g17_g18_a_narrower_scope_narrows_that_access_token_alone(rig: Rig) -> None:
    tokens = await rig.link()
    narrow = (await rig.refresh(tokens["refresh_token"], scope="music.read")).json
    assert narrow["scope"] == "music.read"
    assert (await rig.introspect(narrow["access_token"])).json["scope"] == "music.read"
    assert (await rig.verify(narrow["access_token"], "?scope=music.control")).status == 403
    full = (await rig.refresh(narrow["refresh_token"], scope="music.control music.read")).json
    assert full["scope"] == BOTH
    assert (await rig.refresh(full["refresh_token"])).json["scope"] == BOTH


@pytest.mark.parametrize("scope", [f"{BOTH} music.admin", "music.admin", "MUSIC.READ", 'music.read "'])
async def test_g17_a_wider_scope_is_refused_and_changes_nothing(rig: Rig, scope: str) -> None:
    tokens = await rig.link()
    with statements_written(rig) as statements:
        assert (await rig.refresh(tokens["refresh_token"], scope=scope)).refusal == INVALID_SCOPE
    assert [statement for statement in statements if statement.startswith(("INSERT", "UPDATE", "DELETE"))] == []
    assert (await rig.refresh(tokens["refresh_token"])).status == 200


async def test_what_the_client_may_no_longer_have_is_not_given_until_it_may_again(rig: Rig) -> None:
    tokens, code = await rig.link(), await rig.code()
    define_clients(rig, {**CLIENTS, "C1": {**CLIENTS["C1"], "scopes": ["music.read"]}})
    assert (await rig.redeem(code)).json["scope"] == "music.read"
    cut = (await rig.refresh(tokens["refresh_token"])).json
    assert (cut["scope"], (await rig.introspect(cut["access_token"])).json["scope"]) == ("music.read", "music.read")
    assert (await rig.refresh(cut["refresh_token"], scope="music.control")).refusal == INVALID_SCOPE
    define_clients(rig, CLIENTS)
    assert (await rig.refresh(cut["refresh_token"])).json["scope"] == BOTH
