"""RFC 6749 chapter 10: what attackers must not be able to do."""

import base64
from functools import partial

import pytest

from alexa_oauth.protocol.events import Reason
from tests.attacks.disk import folder_of, octets_in
from tests.attacks.links import assert_dead
from tests.attacks.verdict import assert_consent, assert_page, begun
from tests.conftest import StartRig
from tests.rig import SECRETS, VERIFIER, Rig

rfc6749 = partial(pytest.mark.conformance.with_args, "RFC 6749")

INVALID_GRANT = (400, "invalid_grant")


@rfc6749("10.1", "Native applications MUST NOT be given secrets by which they would authenticate")
async def test_a_public_client_has_no_secret(rig: Rig) -> None:
    client = rig.server.store.read(lambda tx: tx.clients.find("P1"))
    assert client is not None
    assert client.secret_digests == ()


@rfc6749("10.2", "Repeated authorization requests SHOULD NOT pass by themselves: a person is asked each time")
async def test_every_request_is_asked_anew(rig: Rig) -> None:
    browser = rig.browser()
    assert "code" in (await browser.approve(await browser.authorize("P1"))).returned
    assert_consent(await browser.authorize("P1"))


@rfc6749("10.3", "Access tokens MUST be kept confidential in storage")
@rfc6749("10.4", "Refresh tokens MUST be kept confidential in storage")
async def test_no_credential_lies_on_the_disk(rig: Rig) -> None:
    code = await rig.code()
    tokens = (await rig.redeem(code)).json
    stored = octets_in(folder_of(rig))
    assert b"https://ex.test/cb" in stored
    for credential in (code, tokens["access_token"], tokens["refresh_token"]):
        assert credential.encode() not in stored
        assert credential.removeprefix("aoa_at_").removeprefix("aoa_rt_").encode() not in stored


@rfc6749("10.3", "Nobody but the server MUST be able to make, change or guess an access token")
@rfc6749("10.4", "Nobody but the server MUST be able to make, change or guess a refresh token")
async def test_a_changed_token_is_none(rig: Rig) -> None:
    tokens = await rig.link()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        for place in (7, len(token) // 2, len(token) - 2):
            changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            assert not await rig.is_live(changed)
            assert (await rig.refresh(changed)).refusal == INVALID_GRANT
        assert await rig.is_live(token)


@rfc6749("10.4", "The binding of a refresh token to its client MUST be kept, and checked whenever the client is known")
async def test_a_public_clients_refresh_token_is_bound_to_it(rig: Rig) -> None:
    tokens = await rig.link("P1")
    assert (await rig.refresh(tokens["refresh_token"], "C1")).refusal == INVALID_GRANT
    assert (await rig.refresh(tokens["refresh_token"], "P1")).status == 200


@rfc6749("10.4", "Where clients cannot authenticate, abuse of refresh tokens SHOULD be found out: by rotation")
async def test_a_stolen_refresh_token_of_a_public_client_ends_the_grant(rig: Rig) -> None:
    first = await rig.link("P1")
    second = (await rig.refresh(first["refresh_token"], "P1")).json
    third = (await rig.refresh(second["refresh_token"], "P1")).json
    assert (await rig.refresh(first["refresh_token"], "P1")).refusal == INVALID_GRANT
    await assert_dead(rig, "P1", third)


@rfc6749("10.5", "Codes MUST be good for one use, by the client to which they were issued and which MUST authenticate if it can")
async def test_a_code_is_spent_by_its_own_client_once(rig: Rig) -> None:
    code = await rig.code()
    assert (await rig.redeem(code, "C3", redirect_uri="https://ex.test/cb")).refusal == INVALID_GRANT
    assert [(await rig.redeem(code)).status for _ in range(2)] == [200, 400]


@rfc6749("10.6", "The redirection URI MUST be checked against the registered one, and again when the code is redeemed")
async def test_the_redirect_uri_is_checked_twice(rig: Rig) -> None:
    assert_page(await rig.browser().authorize(redirect_uri="https://evil.test/cb"), Reason.REDIRECT_URI_NOT_REGISTERED)
    assert (await rig.redeem(await rig.code(), "C1", redirect_uri="https://evil.test/cb")).refusal == INVALID_GRANT


@rfc6749("10.10", "The chance to guess a code or token MUST be 2^-128 at most and SHOULD be 2^-160: it is 2^-256")
async def test_credentials_hold_256_random_bits(rig: Rig) -> None:
    code = await rig.code()
    tokens = (await rig.redeem(code)).json
    for random in (code, tokens["access_token"].removeprefix("aoa_at_")):
        assert len(base64.urlsafe_b64decode(f"{random}=")) == 32
    refresh_token = tokens["refresh_token"].removeprefix("aoa_rt_")
    assert len(base64.urlsafe_b64decode(refresh_token + "=" * (-len(refresh_token) % 4))) > 32


@rfc6749("10.10", "What a person types MUST be protected against guessing by other means")
async def test_five_wrong_pairing_codes_close_the_request(start: StartRig) -> None:
    rig = await start(sign_in="pairing_code")
    browser, page = await begun(rig)
    for _ in range(4):
        assert_consent(await browser.approve(page, pairing_code="BBBB-BBBB"))
    assert_page(await browser.approve(page, pairing_code="BBBB-BBBB"), Reason.SIGN_IN_EXHAUSTED, status=403)
    assert_page(await browser.approve(page), Reason.REQUEST_UNKNOWN, status=403)


@rfc6749("10.12", "The authorization endpoint MUST be protected against cross-site request forgery")
async def test_another_sites_answer_approves_nothing(rig: Rig) -> None:
    browser, page = await begun(rig)
    stranger, _ = await begun(rig)
    assert_page(await stranger.approve(page), Reason.BROWSER_MISMATCH, status=403)
    assert_page(await browser.approve(page, csrf="A" * 43), Reason.CSRF_MISMATCH, status=403)


@rfc6749("10.13", "No other site SHOULD be able to put the authorization page into a frame")
async def test_the_page_cannot_be_framed(rig: Rig) -> None:
    _, page = await begun(rig)
    assert page.headers["X-Frame-Options"] == "DENY"


@rfc6749("10.14", "Every value received MUST be cleaned or checked, state and redirect_uri above all")
async def test_hostile_values_are_escaped(rig: Rig) -> None:
    shown = await rig.browser().authorize(redirect_uri='https://evil.test/"><script>alert(1)</script>')
    assert (shown.status, "<script" in shown.text) == (400, False)
    browser = rig.browser()
    back = await browser.approve(await browser.authorize(state="x\r\nSet-Cookie: evil=1"))
    assert "Set-Cookie" not in back.headers
    assert back.returned["state"] == "x\r\nSet-Cookie: evil=1"


@rfc6749("10.15", "The authorization server is no open redirector: it redirects to registered URIs alone")
async def test_denying_leads_to_the_registered_uri_alone(rig: Rig) -> None:
    browser, page = await begun(rig)
    answer = await browser.approve(page, decision="deny", redirect_uri="https://evil.test/", code_verifier=VERIFIER)
    assert answer.location.startswith("https://ex.test/cb?")
    assert SECRETS["C1"] not in answer.location
