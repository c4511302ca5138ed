"""Attacks on the proof key: left out, weakened, guessed, moved (RFC 7636, RFC 9700 §2.1.1 and §4.8)."""

from typing import Any
from urllib.parse import urlencode

import pytest

from alexa_oauth.protocol.credentials import base64url, secret_digest
from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.token import INVALID_CODE, PKCE_FAILED
from tests.attacks.verdict import (
    NOTHING,
    assert_code,
    assert_consent,
    assert_json,
    assert_sent_back,
    define_clients,
    rows,
    target,
)
from tests.attacks.wire import FORM
from tests.rig import CHALLENGE, CLIENTS, SECRETS, VERIFIER, Rig, basic

URI = {"C1": "https://ex.test/cb", "C2": "https://two.test/cb?a=1", "P1": "http://127.0.0.1/cb"}
MISSING = "PKCE verification failed: code_verifier is missing"
WITHOUT: dict[str, Any] = {"code_challenge": None, "code_challenge_method": None}

CHALLENGES: dict[str, tuple[dict[str, str | None], ...]] = {
    "C03-no-method": ({"code_challenge_method": None}, {"code_challenge_method": None, "code_challenge": VERIFIER}),
    "C05-plain": ({"code_challenge_method": "plain"}, {"code_challenge_method": "plain", "code_challenge": VERIFIER}),
    "C06-other-method": tuple(
        {"code_challenge_method": method} for method in ("s256", "S512", "", "S256 ", " S256", "S256,plain", "none", "\u017f256")
    ),
    "C07-empty-challenge": ({"code_challenge": ""},),
    "C08-other-alphabet": tuple(
        {"code_challenge": challenge}
        for challenge in (
            CHALLENGE[:-1] + "=",
            CHALLENGE + "=",
            CHALLENGE[:-1] + "+",
            CHALLENGE[:-1] + "/",
            CHALLENGE[:-1] + ".",
            CHALLENGE[:-1] + "~",
            CHALLENGE[:-1] + "\u0661",
            CHALLENGE + "\n",
            "\n" + CHALLENGE,
        )
    ),
    "C08-other-length": tuple({"code_challenge": "E" * length} for length in (1, 42, 129, 4_000)),
    "C09-no-sha-256": tuple({"code_challenge": "E" * length} for length in (44, 64, 86, 128)),
}

VERIFIERS: dict[str, tuple[str | None, str]] = {
    "C11-none": (None, MISSING),
    "C12-empty": ("", MISSING),
    "C13-wrong": ("w" * 43, PKCE_FAILED),
    "C13-last-character": (VERIFIER[:-1] + "l", PKCE_FAILED),
    "C13-other-case": (VERIFIER.swapcase(), PKCE_FAILED),
    "C14-the-challenge-itself": (CHALLENGE, PKCE_FAILED),
    "C15-42-characters": (VERIFIER[:-1], PKCE_FAILED),
    "C15-129-characters": (VERIFIER * 3, PKCE_FAILED),
    "C15-three-characters": ("abc", PKCE_FAILED),
    "C16-line-break-behind": (VERIFIER + "\n", PKCE_FAILED),
    "C16-line-break-before": ("\n" + VERIFIER, PKCE_FAILED),
    "C16-blank-behind": (VERIFIER + " ", PKCE_FAILED),
    "C17-arabic-indic-digits": ("\u0665" * 43, PKCE_FAILED),
    "C17-beyond-ascii": ("\u00e9" * 43, PKCE_FAILED),
}


def challenge_of(verifier: str) -> str:
    return base64url(secret_digest(verifier))


def form(code: str, *verifiers: str) -> bytes:
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": URI["C1"]}
    return urlencode([*fields.items(), *(("code_verifier", verifier) for verifier in verifiers)]).encode()


@pytest.mark.parametrize("client_id", ["C01-P1", "C02-C2"])
async def test_a_client_that_must_use_pkce_gets_nothing_without(rig: Rig, client_id: str) -> None:
    client_id = client_id[4:]
    for change in (WITHOUT, {"code_challenge": None}, {"code_challenge": ""}, {**WITHOUT, "code_verifier": VERIFIER}):
        assert_sent_back(await rig.browser().authorize(client_id, **change), "invalid_request", uri=URI[client_id])
    assert rows(rig) == NOTHING


async def test_c01_alexa_as_a_public_client_is_told_in_words_what_is_missing(rig: Rig) -> None:
    uri = CLIENTS["alexa"]["redirect_uris"][0]
    define_clients(rig, {"alexa": {"client_type": "public", "redirect_uris": [uri]}})
    answer = await rig.browser().authorize("alexa", redirect_uri=uri, **WITHOUT)
    assert_sent_back(answer, "invalid_request", uri=uri)
    assert "code_challenge is missing" in answer.returned["error_description"]
    assert [event.reason for event in await rig.audit()] == [Reason.CHALLENGE_MISSING]


async def test_c02_a_confidential_client_may_go_without_but_then_has_no_verifier(rig: Rig) -> None:
    """A verifier without a challenge shows that somebody took the challenge out of the request (RFC 9700 §4.8.2)."""
    browser = rig.browser()
    code = assert_code(await browser.approve(await browser.authorize(**WITHOUT)))
    answer = await rig.redeem(code)
    assert_json(answer, 400, "invalid_grant", "PKCE verification failed: the authorization request carried no code_challenge")
    assert (await rig.redeem(code, code_verifier=None)).status == 200


async def test_c07_an_empty_challenge_is_none(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.authorize(code_challenge="", code_challenge_method="")
    assert_consent(page)
    assert (await rig.redeem(assert_code(await browser.approve(page)), code_verifier=None)).status == 200


@pytest.mark.parametrize("changes", CHALLENGES.values(), ids=CHALLENGES)
async def test_only_s256_is_a_challenge(rig: Rig, changes: tuple[dict[str, Any], ...]) -> None:
    """A client that need not use PKCE is held to what it sends, and never falls back to `plain`."""
    for client_id, uri in URI.items():
        for change in changes:
            assert_sent_back(await rig.browser().authorize(client_id, **change), "invalid_request", uri=uri)
    assert rows(rig) == NOTHING


async def test_c10_two_challenges_are_none(rig: Rig) -> None:
    for second in (CHALLENGE, challenge_of("evil" * 11), ""):
        assert_sent_back(await rig.send("GET", target(rig, f"&code_challenge={second}")), "invalid_request")
    assert rows(rig) == NOTHING


@pytest.mark.parametrize(("verifier", "description"), VERIFIERS.values(), ids=VERIFIERS)
@pytest.mark.parametrize("client_id", ["C1", "P1"])
async def test_no_other_verifier_redeems_the_code_which_stays_good(
    rig: Rig, client_id: str, verifier: str | None, description: str
) -> None:
    code = await rig.code(client_id)
    assert_json(await rig.redeem(code, client_id, code_verifier=verifier), 400, "invalid_grant", description)
    assert rows(rig) == {**NOTHING, "codes": 1}
    assert (await rig.redeem(code, client_id)).status == 200


async def test_c18_a_verifier_belongs_to_its_own_code(rig: Rig) -> None:
    verifiers = {name * 43: await rig.code(code_challenge=challenge_of(name * 43)) for name in "ab"}
    (mine, my_code), (yours, your_code) = verifiers.items()
    assert_json(await rig.redeem(my_code, code_verifier=yours), 400, "invalid_grant", PKCE_FAILED)
    assert_json(await rig.redeem(your_code, code_verifier=mine), 400, "invalid_grant", PKCE_FAILED)
    assert (await rig.redeem(my_code, code_verifier=mine)).status == 200
    assert (await rig.redeem(your_code, code_verifier=yours)).status == 200


@pytest.mark.parametrize(
    "verifiers",
    [
        pytest.param((VERIFIER, "w" * 43), id="C20-right-then-wrong"),
        pytest.param(("w" * 43, VERIFIER), id="C20-wrong-then-right"),
        pytest.param((VERIFIER, VERIFIER), id="C20-right-twice"),
        pytest.param(("", VERIFIER), id="C20-empty-then-right"),
    ],
)
async def test_two_verifiers_are_no_request(rig: Rig, verifiers: tuple[str, str]) -> None:
    code = await rig.code()
    headers = {**FORM, "Authorization": basic("C1", SECRETS["C1"])}
    answer = await rig.send("POST", "/alexa/token", form(code, *verifiers), headers)
    assert_json(answer, 400, "invalid_request", "A parameter is repeated")
    assert (await rig.redeem(code)).status == 200


async def test_c21_a_verifier_in_the_query_is_not_looked_at(rig: Rig) -> None:
    code = await rig.code()
    headers = {**FORM, "Authorization": basic("C1", SECRETS["C1"])}
    answer = await rig.send("POST", f"/alexa/token?code_verifier={VERIFIER}", form(code), headers)
    assert_json(answer, 400, "invalid_grant", MISSING)
    assert rows(rig) == {**NOTHING, "codes": 1}


@pytest.mark.parametrize("wrong", [pytest.param(1, id="C22-once"), pytest.param(2, id="C22-twice")])
async def test_an_honest_client_may_mend_its_verifier(rig: Rig, wrong: int) -> None:
    code = await rig.code()
    for _ in range(wrong):
        assert_json(await rig.redeem(code, code_verifier="w" * 43), 400, "invalid_grant", PKCE_FAILED)
    assert (await rig.redeem(code)).status == 200


async def test_c22_three_wrong_verifiers_burn_the_code_and_no_other(rig: Rig) -> None:
    code, other = await rig.code(), await rig.code()
    for _ in range(3):
        assert_json(await rig.redeem(code, code_verifier="w" * 43), 400, "invalid_grant", PKCE_FAILED)
    assert_json(await rig.redeem(code), 400, "invalid_grant", INVALID_CODE)
    assert (await rig.redeem(other)).status == 200
    reasons = [event.reason for event in await rig.audit(EventName.TOKEN_REFUSED)]
    assert reasons == [Reason.CODE_EXHAUSTED, *[Reason.VERIFIER_WRONG] * 3]


async def test_c23_a_thousand_guesses_end_at_a_dead_code_a_wait_and_an_audit_trail(rig: Rig) -> None:
    code, other = await rig.code(), await rig.code()
    answers = [await rig.redeem(code, code_verifier=f"{number:043}") for number in range(1_000)]
    assert [answer.status for answer in answers] == [400] * 10 + [429] * 990
    assert_json(answers[-1], 429, "slow_down")
    assert int(answers[-1].headers["Retry-After"]) in range(1, 3_601)
    assert len(await rig.audit(EventName.TOKEN_REFUSED)) == 1_000
    assert_json(await rig.redeem(code), 429, "slow_down")
    assert (await rig.redeem(other)).status == 200
    assert rows(rig) == {**NOTHING, "codes": 2, "grants": 1, "access_tokens": 1}


async def test_c24_metadata_offers_s256_alone(rig: Rig) -> None:
    metadata = (await rig.send("GET", "/.well-known/oauth-authorization-server")).json
    assert metadata["code_challenge_methods_supported"] == ["S256"]
