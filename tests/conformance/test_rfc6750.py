"""RFC 6750: bearer tokens, as issued and as judged at /alexa/verify."""

import re
from functools import partial

import pytest

from alexa_oauth.settings.loading import SettingsRefused, load
from tests.rig import Answer, Rig

rfc6750 = partial(pytest.mark.conformance.with_args, "RFC 6750")

CHALLENGE = re.compile(r'Bearer [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(?:, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*")*')


def challenge(answer: Answer) -> dict[str, str]:
    """The parameters of the challenge, none of them twice."""
    header = answer.headers["WWW-Authenticate"]
    assert CHALLENGE.fullmatch(header)
    pairs = re.findall(r'([a-z_]+)="([^"]*)"', header)
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


@rfc6750("2.1", "A token in the Authorization header field MUST be supported")
async def test_the_header_field_is_supported(rig: Rig) -> None:
    answer = await rig.verify((await rig.link())["access_token"])
    assert (answer.status, answer.body, answer.headers["X-OAuth-Client"]) == (200, b"", "C1")


@rfc6750("2", "A request MUST NOT carry its token in two ways")
@rfc6750("3.1", "invalid_request: more than one way of sending the token; SHOULD be a 400")
async def test_a_token_in_two_places_is_refused(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    answer = await rig.verify(token, f"?access_token={token}")
    assert (answer.status, challenge(answer)["error"]) == (400, "invalid_request")


@rfc6750("3", "A refusal MUST carry WWW-Authenticate with the scheme Bearer and at least one parameter")
@rfc6750("3", "A request without any credentials SHOULD NOT be told an error code")
async def test_no_token_is_asked_for_one(rig: Rig) -> None:
    answer = await rig.send("GET", "/alexa/verify")
    assert (answer.status, challenge(answer)) == (401, {"realm": "alexa-oauth"})


@rfc6750("3", "A refused token SHOULD be told the error; no parameter of the challenge may come twice")
@rfc6750("3.1", "invalid_token: the token is expired, revoked, malformed or unknown; SHOULD be a 401")
async def test_whatever_is_wrong_with_a_token_is_invalid_token(rig: Rig) -> None:
    revoked, expired = (await rig.link())["access_token"], (await rig.link())["access_token"]
    await rig.revoke(revoked)
    answers = [await rig.verify(token) for token in (revoked, "made-up", "")]
    rig.clocks.advance(1_800)
    answers.append(await rig.verify(expired))
    expected = (401, {"realm": "alexa-oauth", "error": "invalid_token"})
    assert [(answer.status, challenge(answer)) for answer in answers] == [expected] * 4


@rfc6750("3.1", "insufficient_scope: SHOULD be a 403, and MAY name the scope that is needed")
async def test_a_token_of_too_little_scope(rig: Rig) -> None:
    token = (await rig.redeem(await rig.code(scope="music.read"))).json["access_token"]
    assert (await rig.verify(token, "?scope=music.read")).status == 200
    answer = await rig.verify(token, "?scope=music.control")
    assert (answer.status, challenge(answer)) == (
        403,
        {"realm": "alexa-oauth", "error": "insufficient_scope", "scope": "music.control"},
    )


@rfc6750("5.2", "A token MUST be protected against forging and changing")
async def test_a_changed_token_is_refused(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    changed = token[:-1] + ("A" if token[-1] != "A" else "Q")
    assert ((await rig.verify(changed)).status, (await rig.verify(token)).status) == (401, 200)


@rfc6750("5.3", "Bearer tokens SHOULD live an hour at most: no setting allows more")
def test_no_access_token_lives_longer_than_an_hour() -> None:
    assert load({"ALEXA_OAUTH_ACCESS_TOKEN_SECONDS": "3600"}, {}).settings.access_token_seconds == 3600
    with pytest.raises(SettingsRefused, match="access_token_seconds"):
        load({"ALEXA_OAUTH_ACCESS_TOKEN_SECONDS": "3601"}, {})


@rfc6750("5.3", "Tokens SHOULD NOT be taken from URLs, where logs and histories keep them")
async def test_a_token_in_the_query_is_no_token(rig: Rig) -> None:
    token = (await rig.link())["access_token"]
    assert (await rig.send("GET", f"/alexa/verify?access_token={token}")).status == 401
