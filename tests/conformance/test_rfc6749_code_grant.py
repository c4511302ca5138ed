"""RFC 6749 section 4.1: the authorization code grant."""

from functools import partial

import pytest

from alexa_oauth.protocol.events import Reason
from alexa_oauth.settings.loading import SettingsRefused, load
from tests.attacks.disk import disk_full
from tests.attacks.verdict import DESCRIPTION, assert_code, assert_page, assert_sent_back
from tests.rig import Answer, Rig

rfc6749 = partial(pytest.mark.conformance.with_args, "RFC 6749")

INVALID_GRANT = (400, "invalid_grant")


async def approved(rig: Rig, client_id: str = "C1", **changes: str | None) -> Answer:
    """The authorization response to a request that a person approves."""
    browser = rig.browser()
    return await browser.approve(await browser.authorize(client_id, **changes))


@rfc6749("4.1.1", "The server authenticates the person and asks for a decision before it issues a code")
async def test_a_code_follows_upon_a_decision_alone(rig: Rig) -> None:
    browser = rig.browser()
    page = await browser.authorize()
    assert (page.status, "Location" in page.headers) == (200, False)
    assert_code(await browser.approve(page))


@rfc6749("4.1.2", "The code and, if one was sent, the exact state MUST be in the response")
async def test_the_state_comes_back_exactly_as_it_was(rig: Rig) -> None:
    state = "A/b+c=.--~%20 &?#é" + "x" * 1_000
    assert (await approved(rig, state=state)).returned.keys() == {"code", "state", "iss"}
    assert (await approved(rig, state=state)).returned["state"] == state
    assert "state" not in (await approved(rig, state=None)).returned


@rfc6749("4.1.2", "The code MUST expire shortly after it is issued")
async def test_a_code_expires(rig: Rig) -> None:
    early, late = await rig.code(), await rig.code()
    rig.clocks.advance(299)
    assert (await rig.redeem(early)).status == 200
    rig.clocks.advance(1)
    assert (await rig.redeem(late)).refusal == INVALID_GRANT


@rfc6749("4.1.2", "A lifetime of ten minutes at most is RECOMMENDED for a code: no setting allows more")
def test_no_code_lives_longer_than_ten_minutes() -> None:
    assert load({"ALEXA_OAUTH_CODE_SECONDS": "600"}, {}).settings.code_seconds == 600
    with pytest.raises(SettingsRefused, match="code_seconds"):
        load({"ALEXA_OAUTH_CODE_SECONDS": "601"}, {})


@rfc6749("4.1.2", "A code that is used a second time MUST be refused")
async def test_a_code_works_once(rig: Rig) -> None:
    code = await rig.code()
    assert (await rig.redeem(code)).status == 200
    assert (await rig.redeem(code)).refusal == INVALID_GRANT


@rfc6749("4.1.2", "When a code is used a second time, all tokens that were issued for it SHOULD be revoked")
async def test_a_second_use_revokes_what_the_first_one_got(rig: Rig) -> None:
    code = await rig.code()
    tokens = (await rig.redeem(code)).json
    rig.clocks.advance(11)
    assert (await rig.redeem(code)).refusal == INVALID_GRANT
    assert (await rig.refresh(tokens["refresh_token"])).refusal == INVALID_GRANT
    assert not await rig.is_live(tokens["access_token"])


@pytest.mark.parametrize(
    "target",
    [
        "/alexa/authorize?response_type=code&client_id=C1",
        "/alexa/authorize?response_type=code&client_id=C1&redirect_uri=https://evil.test/",
        "/alexa/authorize?response_type=code&redirect_uri=https://ex.test/cb",
    ],
)
@rfc6749("4.1.2.1", "With client or redirection URI missing, unknown or mismatching, the person MUST NOT be redirected")
async def test_no_error_goes_to_an_address_that_is_not_known_to_be_good(rig: Rig, target: str) -> None:
    answer = await rig.send("GET", target)
    assert (answer.status, "Location" in answer.headers) == (400, False)


@rfc6749("4.1.2.1", "The same holds for a client_id that nobody registered")
async def test_an_unknown_client_is_told_on_a_page(rig: Rig) -> None:
    assert_page(await rig.browser().authorize("nobody"), Reason.CLIENT_UNKNOWN)


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        ("invalid_request", {"code_challenge_method": "plain"}),
        ("unsupported_response_type", {"response_type": "token"}),
        ("invalid_scope", {"scope": "none.such"}),
    ],
)
@rfc6749("4.1.2.1", "Every other fault goes to the redirection URI with its error code and the exact state")
async def test_later_errors_go_back_to_the_client(rig: Rig, error: str, changes: dict[str, str]) -> None:
    assert_sent_back(await rig.browser().authorize(**changes), error)


@rfc6749("4.1.2.1", "If the person denies the request, the error is access_denied")
async def test_denied_is_access_denied(rig: Rig) -> None:
    browser = rig.browser()
    assert_sent_back(await browser.approve(await browser.authorize(), decision="deny"), "access_denied", status=303)


@rfc6749("4.1.2.1", "While the server cannot work for the moment, the error is temporarily_unavailable")
async def test_a_full_disk_is_temporarily_unavailable(rig: Rig) -> None:
    with disk_full(rig, "INSERT"):
        assert_sent_back(await rig.browser().authorize(), "temporarily_unavailable")


@pytest.mark.parametrize("scope", ['"quoted"', "back\\slash", "ünknown"])
@rfc6749("4.1.2.1", "error_description MUST NOT hold anything but visible ASCII and blanks, without quotation mark and backslash")
async def test_descriptions_hold_no_other_characters(rig: Rig, scope: str) -> None:
    assert DESCRIPTION.fullmatch((await rig.browser().authorize(scope=scope)).returned["error_description"])


@rfc6749("4.1.3", "The server MUST ask confidential clients to authenticate, and MUST check that the code was issued to them")
async def test_a_code_is_worth_nothing_to_another_confidential_client(rig: Rig) -> None:
    code = await rig.code()
    assert (await rig.redeem(code, "C3", redirect_uri="https://ex.test/cb")).refusal == INVALID_GRANT
    assert (await rig.redeem(code)).status == 200


@rfc6749("4.1.3", "For a public client the server MUST check that the code was issued to the client_id of the request")
async def test_a_code_is_worth_nothing_to_another_public_client(rig: Rig) -> None:
    code = await rig.code()
    assert (await rig.redeem(code, "P1", redirect_uri="https://ex.test/cb")).refusal == INVALID_GRANT
    assert (await rig.redeem(code)).status == 200


@rfc6749("4.1.3", "The server MUST verify that the code is valid")
async def test_a_made_up_code_is_refused(rig: Rig) -> None:
    assert (await rig.redeem("A" * 43)).refusal == INVALID_GRANT


@pytest.mark.parametrize(
    ("redirect_uri", "error"), [(None, "invalid_request"), ("https://two.test/other", "invalid_grant")], ids=["missing", "other"]
)
@rfc6749("4.1.3", "The redirect_uri of the token request MUST be there and identical to the authorization request's")
async def test_the_redirect_uri_must_be_the_same_again(rig: Rig, redirect_uri: str | None, error: str) -> None:
    assert (await rig.redeem(await rig.code("C2"), "C2", redirect_uri=redirect_uri)).refusal == (400, error)
