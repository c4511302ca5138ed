"""RFC 7636: proof key for code exchange."""

from functools import partial

import pytest

from alexa_oauth.protocol.pkce import is_verified
from tests.attacks.disk import folder_of, octets_in
from tests.attacks.verdict import assert_sent_back
from tests.rig import CHALLENGE, VERIFIER, Rig

rfc7636 = partial(pytest.mark.conformance.with_args, "RFC 7636")

INVALID_GRANT = (400, "invalid_grant")
FAILED = "PKCE verification failed: code_verifier does not match code_challenge"


@pytest.mark.parametrize("verifier", [VERIFIER[:42], VERIFIER * 3, VERIFIER[:42] + "+", VERIFIER + " "])
@rfc7636("4.1", "A verifier is 43 to 128 unreserved characters")
async def test_what_is_no_verifier_verifies_nothing(rig: Rig, verifier: str) -> None:
    assert (await rig.redeem(await rig.code("P1"), "P1", code_verifier=verifier)).refusal == INVALID_GRANT


@rfc7636("4.2", "S256 MUST be implemented by servers: the challenge is the unpadded base64url of the verifier's SHA-256")
@rfc7636("B", "The example: its verifier fits its challenge")
async def test_the_example_of_the_specification(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code("P1", code_challenge=CHALLENGE), "P1", code_verifier=VERIFIER)
    assert answer.status == 200
    assert is_verified("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")


@pytest.mark.parametrize("challenge", [CHALLENGE[:42], CHALLENGE + "=", CHALLENGE[:42] + "+"])
@rfc7636("4.2", "A challenge that no verifier can fit is no challenge")
async def test_a_malformed_challenge_is_refused(rig: Rig, challenge: str) -> None:
    assert_sent_back(await rig.browser().authorize(code_challenge=challenge), "invalid_request")


@rfc7636("4.4", "The challenge MUST be bound to the code")
async def test_a_code_is_bound_to_its_own_challenge(rig: Rig) -> None:
    own, other = await rig.code("P1"), await rig.code("P1", code_challenge="A" * 43)
    assert (await rig.redeem(other, "P1")).refusal == INVALID_GRANT
    assert (await rig.redeem(own, "P1")).status == 200


@rfc7636("4.4", "The challenge MUST NOT be told to others by what the server sends")
async def test_the_challenge_is_shown_to_nobody(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.authorize("P1")
    assert CHALLENGE not in page.text
    assert CHALLENGE not in (await browser.approve(page)).location
    assert CHALLENGE.encode() not in octets_in(folder_of(rig))


@pytest.mark.parametrize("client_id", ["P1", "C2"], ids=["public", "confidential-required"])
@rfc7636("4.4.1", "Where a challenge is required and missing, the error MUST be invalid_request and SHOULD say so")
async def test_a_missing_challenge_is_named(rig: Rig, client_id: str) -> None:
    answer = await rig.browser().authorize(client_id, code_challenge=None, code_challenge_method=None)
    assert answer.returned["error"] == "invalid_request"
    assert "code_challenge is missing" in answer.returned["error_description"]


@pytest.mark.parametrize("method", ["plain", "s256", "S512"])
@rfc7636("4.4.1", "A transformation that is not supported MUST be answered with invalid_request")
async def test_an_unknown_method_is_refused(rig: Rig, method: str) -> None:
    assert_sent_back(await rig.browser().authorize(code_challenge_method=method), "invalid_request")


@pytest.mark.parametrize("verifier", ["A" * 43, None])
@rfc7636("4.6", "A verifier that does not fit, or is missing, MUST be answered with invalid_grant")
async def test_a_wrong_verifier_is_refused(rig: Rig, verifier: str | None) -> None:
    answer = await rig.redeem(await rig.code("P1"), "P1", code_verifier=verifier)
    assert answer.refusal == INVALID_GRANT
    assert verifier is None or answer.json["error_description"] == FAILED


@rfc7636("5", "Clients that know nothing of PKCE MAY be served still: confidential ones, unless they are marked otherwise")
async def test_a_confidential_client_may_come_without(rig: Rig) -> None:
    code = await rig.code("C1", code_challenge=None, code_challenge_method=None)
    assert (await rig.redeem(code, "C1", code_verifier=None)).status == 200
