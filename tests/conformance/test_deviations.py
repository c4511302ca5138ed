"""What this server does in a way of its own; `choices.py` says why."""

from urllib.parse import urlsplit

import pytest

from alexa_oauth.protocol.events import Reason
from alexa_oauth.settings.table import SETTINGS
from tests.attacks.disk import writing_locked
from tests.attacks.links import DAY, HOUR, assert_dead, is_refused, refreshed, rotated
from tests.attacks.verdict import assert_page, assert_sent_back, define_clients
from tests.conftest import StartRig
from tests.rig import CHALLENGE, CLIENTS, ISSUER, SECRETS, VERIFIER, Rig, basic

METADATA = "/.well-known/oauth-authorization-server"
INVALID_GRANT = (400, "invalid_grant")
REFRESH = {"grant_type": "refresh_token", "refresh_token": "none"}


async def test_basic_credentials_that_were_not_form_encoded(rig: Rig) -> None:
    secret = "a+b%2Fc-0123456789abcdef01234567"
    entry = {"client_type": "confidential", "redirect_uris": ["https://ex.test/cb"], "client_secret": secret}
    assert define_clients(rig, {"C": entry}) == ()
    assert (await rig.post("/alexa/token", None, REFRESH, Authorization=basic("C", secret))).refusal == INVALID_GRANT
    wrong = await rig.post("/alexa/token", None, REFRESH, Authorization=basic("C", secret.replace("+", " ")))
    assert wrong.refusal == (401, "invalid_client")


async def test_behind_a_proxy_only_https_is_told(start: StartRig) -> None:
    rig = await start(public_url="https://oauth.test", anyone_may_approve="true")
    page = await rig.browser().authorize()
    assert page.headers["Set-Cookie"].startswith("__Host-")
    assert "; Secure" in page.headers["Set-Cookie"]
    document = (await rig.send("GET", METADATA)).json
    addresses = [value for name, value in document.items() if name == "issuer" or name.endswith("_endpoint")]
    assert {urlsplit(address).scheme for address in addresses} == {"https"}


async def test_unknown_scopes_are_dropped_beside_known_ones(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code(scope="profile music.read openid"))
    assert answer.json["scope"] == "music.read"
    assert_sent_back(await rig.browser().authorize(scope="profile openid"), "invalid_scope")


async def test_the_only_redirect_uri_must_be_named_too(rig: Rig) -> None:
    assert_page(await rig.browser().authorize("C1", redirect_uri=None), Reason.PARAMETER_MISSING)


async def test_alexa_may_repeat_an_exchange_whose_answer_was_lost(rig: Rig) -> None:
    code = await rig.code("alexa")
    lost = (await rig.redeem(code, "alexa")).json
    rig.clocks.advance(60)
    again = (await rig.redeem(code, "alexa")).json
    assert again == {**lost, "expires_in": lost["expires_in"] - 60}
    await rig.verify(again["access_token"])
    assert (await rig.redeem(code, "alexa")).refusal == INVALID_GRANT
    assert await rig.is_live(again["access_token"])


async def test_who_merely_saw_a_code_cannot_end_the_link(rig: Rig) -> None:
    code = await rig.code()
    tokens = (await rig.redeem(code)).json
    assert (await rig.redeem(code)).refusal == INVALID_GRANT
    rig.clocks.advance(61)
    assert (await rig.redeem(code, "C1", code_verifier="A" * 43)).refusal == INVALID_GRANT
    assert (await rig.redeem(code, "P1", redirect_uri="https://ex.test/cb")).refusal == INVALID_GRANT
    assert await rig.is_live(tokens["access_token"])
    assert (await rig.redeem(code)).refusal == INVALID_GRANT
    await assert_dead(rig, "C1", tokens)


async def test_other_statuses_say_what_happened(rig: Rig) -> None:
    code = await rig.code()
    with writing_locked(rig):
        assert (await rig.redeem(code)).refusal == (503, "temporarily_unavailable")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await rig.send("POST", "/alexa/token", b"{}", {"Content-Type": "application/json"})).status == 415
    assert (await rig.send("POST", "/alexa/token", b"x" * 16_385, form)).status == 413
    guesses = [await rig.post("/alexa/token", None, REFRESH, Authorization=basic("C1", f"{guess}")) for guess in range(11)]
    assert guesses[-1].refusal == (429, "slow_down")


async def test_revoking_anothers_token_changes_and_tells_nothing(rig: Rig) -> None:
    tokens = await rig.link()
    unknown = await rig.revoke("made-up", "C3")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        answer = await rig.revoke(token, "C3")
        assert (answer.status, answer.body) == (200, unknown.body)
        assert await rig.is_live(token)


async def test_a_challenge_without_a_method_is_refused(rig: Rig) -> None:
    assert_sent_back(await rig.browser().authorize(code_challenge=VERIFIER, code_challenge_method=None), "invalid_request")


async def test_a_private_scheme_is_not_registered(rig: Rig) -> None:
    entry = {"client_type": "public", "redirect_uris": ["com.example.app:/cb"]}
    assert define_clients(rig, {"N": entry}) != ()


async def test_a_self_test_passes_without_a_person_and_opens_nothing(start: StartRig) -> None:
    entry = {"client_type": "public", "redirect_uris": ["http://localhost:3000/cb"], "auto_approve": True}
    rig = await start(self_test="true")
    assert define_clients(rig, {**CLIENTS, "T": entry}) == ()
    uri = "http://localhost:3000/cb"
    code = (await rig.browser().authorize("T", redirect_uri=uri)).returned["code"]
    token = (await rig.redeem(code, "T", redirect_uri=uri)).json["access_token"]
    assert (await rig.verify(token)).status == 401
    rig.headers["X-Forwarded-For"] = "192.0.2.7"
    assert (await rig.browser().authorize("T", redirect_uri=uri)).status == 200


async def test_the_issuer_of_a_checkout_is_plain_http(rig: Rig) -> None:
    assert (await rig.send("GET", METADATA)).json["issuer"] == ISSUER
    assert ISSUER.startswith("http://127.0.0.1:")


async def test_the_metadata_are_also_found_with_the_folder_appended(rig: Rig) -> None:
    assert (await rig.send("GET", f"{METADATA}/alexa")).json == (await rig.send("GET", METADATA)).json


async def test_the_port_of_localhost_is_not_free(rig: Rig) -> None:
    entry = {"client_type": "public", "redirect_uris": ["http://localhost:3000/cb"]}
    assert define_clients(rig, {**CLIENTS, "N": entry}) == ()
    browser = rig.browser()
    assert (await browser.authorize("N", redirect_uri="http://localhost:3000/cb")).status == 200
    moved = await browser.authorize("N", redirect_uri="http://localhost:3001/cb")
    assert_page(moved, Reason.REDIRECT_URI_NOT_REGISTERED)


async def test_a_refresh_whose_answer_was_lost_can_be_repeated(rig: Rig) -> None:
    first, lost = await rotated(rig, "P1")
    rig.clocks.advance(30)
    again = await refreshed(rig, first, "P1")
    assert again == {**lost, "expires_in": lost["expires_in"] - 30}
    await refreshed(rig, again, "P1")
    assert await is_refused(rig, first, "P1")


@pytest.mark.parametrize("client_type", ["confidential", "public"])
async def test_alexas_servers_need_not_change_over_at_once(rig: Rig, client_type: str) -> None:
    define_clients(rig, {**CLIENTS, "alexa": {**CLIENTS["alexa"], "client_type": client_type}})
    kept = await rig.link("alexa")
    assert (await refreshed(rig, kept, "alexa"))["refresh_token"] == kept["refresh_token"]
    first, second = await rotated(rig, "alexa")
    rig.clocks.advance(DAY)
    assert (await refreshed(rig, first, "alexa"))["refresh_token"] == second["refresh_token"]
    await refreshed(rig, second, "alexa")
    rig.clocks.advance(HOUR)
    assert not await is_refused(rig, first, "alexa")
    rig.clocks.advance(1)
    assert await is_refused(rig, first, "alexa")
    rig.clocks.advance(7 * DAY)
    third = await refreshed(rig, second, "alexa")
    assert await is_refused(rig, first, "alexa")
    await assert_dead(rig, "alexa", third)


async def test_errors_go_back_without_a_sign_in(start: StartRig) -> None:
    rig = await start(sign_in="pairing_code")
    assert_sent_back(await rig.browser().authorize(scope="none.such"), "invalid_scope")


async def test_no_setting_lets_a_page_be_framed(rig: Rig) -> None:
    assert not [setting.name for setting in SETTINGS if "frame" in setting.name]
    page = await rig.browser().authorize(code_challenge=CHALLENGE)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert SECRETS["C1"] not in page.text
