"""RFC 6749 chapter 3: the endpoints, redirection URIs and scopes."""

from functools import partial
from urllib.parse import urlencode

import pytest

from alexa_oauth.settings.loading import SettingsRefused, load
from tests.attacks.verdict import assert_consent, assert_sent_back, define_clients, target
from tests.conftest import StartRig
from tests.rig import Answer, Rig

rfc6749 = partial(pytest.mark.conformance.with_args, "RFC 6749")

METADATA = "/.well-known/oauth-authorization-server"


def assert_shown_here(answer: Answer) -> None:
    """A page of our own, which sends the browser nowhere."""
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert "Location" not in answer.headers


@pytest.mark.parametrize("public_url", ["https://oauth.test/#here", "http://oauth.test"])
@rfc6749("3.1", "The URI of the authorization endpoint MUST NOT have a fragment, and MUST be used over TLS")
@rfc6749("3.2", "The URI of the token endpoint MUST NOT have a fragment, and MUST be used over TLS")
def test_an_address_without_tls_or_with_a_fragment_is_refused_at_the_start(public_url: str) -> None:
    with pytest.raises(SettingsRefused, match="public_url"):
        load({"ALEXA_OAUTH_PUBLIC_URL": public_url}, {})


@rfc6749("3.1", "The server MUST first verify who the resource owner is")
async def test_nobody_approves_without_signing_in(start: StartRig) -> None:
    rig = await start(sign_in="pairing_code")
    browser = rig.browser()
    page = await browser.authorize()
    answer = await browser.approve(page, pairing_code="BBBB-BBBB")
    assert_consent(answer)
    assert "code" in (await browser.approve(page)).returned


@rfc6749("3.1", "GET MUST be supported at the authorization endpoint")
async def test_authorization_by_get(rig: Rig) -> None:
    assert_consent(await rig.send("GET", target(rig)))


@rfc6749("3.1", "POST MAY be supported at the authorization endpoint: it is")
async def test_authorization_by_post(rig: Rig) -> None:
    assert_consent(await rig.browser().send("POST", "/alexa/authorize", rig.authorization()))


@rfc6749("3.1", "A parameter without a value MUST be treated as if it were left out (authorization endpoint)")
async def test_an_empty_parameter_is_none_at_the_authorization_endpoint(rig: Rig) -> None:
    browser = rig.browser()
    answer = await browser.approve(await browser.authorize(state="", scope=""))
    assert "state" not in answer.returned
    assert (await rig.redeem(answer.returned["code"])).json["scope"] == "music.read music.control"


@rfc6749("3.1", "Unknown parameters MUST be ignored (authorization endpoint)")
async def test_unknown_parameters_are_ignored_at_the_authorization_endpoint(rig: Rig) -> None:
    assert_consent(await rig.browser().authorize(ui_locales="en", display="page", resource="https://music.test"))


@rfc6749("3.1", "No parameter may come more than once (authorization endpoint)")
async def test_a_repeated_parameter_is_refused_at_the_authorization_endpoint(rig: Rig) -> None:
    assert_sent_back(await rig.send("GET", target(rig, "&scope=music.read")), "invalid_request")


@pytest.mark.parametrize(("sent", "error"), [(None, "invalid_request"), ("kode", "unsupported_response_type")])
@rfc6749("3.1.1", "A response_type that is missing or not understood MUST be answered with an error")
async def test_response_type_is_required_and_understood(rig: Rig, sent: str | None, error: str) -> None:
    assert_sent_back(await rig.browser().authorize(response_type=sent), error)


@pytest.mark.parametrize("uri", ["/cb", "//ex.test/cb", "https://ex.test/cb#here", "https://ex.test/cb#"])
@rfc6749("3.1.2", "A redirection URI MUST be absolute and MUST NOT have a fragment")
async def test_a_relative_redirect_uri_or_one_with_a_fragment_is_not_registered(rig: Rig, uri: str) -> None:
    assert define_clients(rig, {"C": {"client_type": "public", "redirect_uris": [uri]}}) != ()


@rfc6749("3.1.2", "The query of a redirection URI MUST be kept when parameters are added")
async def test_the_query_of_a_redirect_uri_is_kept(rig: Rig) -> None:
    browser = rig.browser()
    answer = await browser.approve(await browser.authorize("C2"))
    assert answer.location.startswith("https://two.test/cb?a=1&code=")


@rfc6749("3.1.2.1", "The redirection endpoint SHOULD be reached over TLS")
async def test_an_unencrypted_redirect_uri_is_not_registered(rig: Rig) -> None:
    assert define_clients(rig, {"C": {"client_type": "public", "redirect_uris": ["http://ex.test/cb"]}}) != ()


@pytest.mark.parametrize("client_type", ["public", "confidential"])
@rfc6749("3.1.2.2", "Public clients MUST register their redirection URI; the server SHOULD ask it of all")
async def test_no_client_is_without_a_registered_redirect_uri(rig: Rig, client_type: str) -> None:
    entry = {"client_type": client_type, "client_secret": "0123456789abcdef0123456789abcdef"}
    assert define_clients(rig, {"C": entry}) != ()
    assert define_clients(rig, {"C": {**entry, "redirect_uris": []}}) != ()


@rfc6749("3.1.2.3", "A client with several registered redirection URIs MUST say which one in its request")
async def test_one_of_several_redirect_uris_must_be_named(rig: Rig) -> None:
    assert_shown_here(await rig.browser().authorize("C2", redirect_uri=None))


@pytest.mark.parametrize("uri", ["https://ex.test/cb/", "https://EX.test/cb", "https://ex.test:443/cb", "https://ex.test/cb?a=1"])
@rfc6749("3.1.2.3", "A redirection URI that was registered whole MUST be compared as a simple string")
async def test_redirect_uris_compare_as_strings(rig: Rig, uri: str) -> None:
    assert_shown_here(await rig.browser().authorize(redirect_uri=uri))


@rfc6749("3.1.2.4", "For a missing or mismatching redirection URI the person SHOULD be told, and MUST NOT be redirected")
async def test_a_wrong_redirect_uri_is_shown_to_the_person(rig: Rig) -> None:
    answer = await rig.browser().authorize(redirect_uri="https://evil.test/cb")
    assert_shown_here(answer)
    assert "https://evil.test/cb" in answer.text


@rfc6749("3.2", "Clients MUST use POST at the token endpoint")
async def test_the_token_endpoint_takes_post_alone(rig: Rig) -> None:
    answer = await rig.send("GET", f"/alexa/token?{urlencode({'grant_type': 'authorization_code', 'code': await rig.code()})}")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@rfc6749("3.2", "A parameter without a value MUST be treated as if it were left out (token endpoint)")
async def test_an_empty_parameter_is_none_at_the_token_endpoint(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code(code_challenge=None, code_challenge_method=None), "C1", code_verifier="")
    assert answer.status == 200
    assert (await rig.refresh("", "C1")).json["error_description"] == "Missing required parameter: refresh_token"


@rfc6749("3.2", "Unknown parameters MUST be ignored (token endpoint)")
async def test_unknown_parameters_are_ignored_at_the_token_endpoint(rig: Rig) -> None:
    assert (await rig.redeem(await rig.code(), "C1", audience="music", resource="https://music.test")).status == 200


@rfc6749("3.2", "No parameter may come more than once (token endpoint)")
async def test_a_repeated_parameter_is_refused_at_the_token_endpoint(rig: Rig) -> None:
    form = b"grant_type=refresh_token&refresh_token=one&refresh_token=two&client_id=P1"
    answer = await rig.send("POST", "/alexa/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.refusal == (400, "invalid_request")


@rfc6749("3.2.1", "A client with credentials MUST authenticate at the token endpoint")
async def test_a_confidential_client_authenticates_for_both_grants(rig: Rig) -> None:
    tokens = await rig.link()
    for answer in (
        await rig.redeem(await rig.code(), None, client_id="C1"),
        await rig.refresh(tokens["refresh_token"], None, client_id="C1"),
    ):
        assert answer.refusal == (401, "invalid_client")


@rfc6749("3.2.1", "A client that does not authenticate MUST send its client_id, lest it accept another's code")
async def test_a_public_client_names_itself(rig: Rig) -> None:
    code = await rig.code("P1")
    answer = await rig.redeem(code, None, redirect_uri="http://127.0.0.1/cb")
    assert (answer.refusal, answer.json["error_description"]) == (
        (400, "invalid_request"),
        "Missing required parameter: client_id",
    )


@pytest.mark.parametrize("scope", ['music.read "x"', "music.read\\x", "musíc.read"])
@rfc6749("3.3", "A scope is a list of tokens of visible ASCII without quotation mark and backslash, blanks between")
async def test_a_scope_of_other_characters_is_refused(rig: Rig, scope: str) -> None:
    assert_sent_back(await rig.browser().authorize(scope=scope), "invalid_scope")


@rfc6749("3.3", "The order of the tokens of a scope does not matter, their case does")
async def test_scope_tokens_come_in_any_order_and_in_their_own_case(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code(scope="music.control music.read"))
    assert set(answer.json["scope"].split(" ")) == {"music.read", "music.control"}
    assert_sent_back(await rig.browser().authorize(scope="Music.Read"), "invalid_scope")


@rfc6749("3.3", "If the issued scope differs from the requested one, the response MUST name it")
async def test_the_issued_scope_is_always_named(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code(scope="music.read music.paint"))
    assert answer.json["scope"] == "music.read"


@rfc6749("3.3", "A request without a scope MUST get a default, or fail as invalid_scope: it gets all that the client may have")
async def test_no_scope_means_the_default(rig: Rig) -> None:
    assert (await rig.redeem(await rig.code(scope=None))).json["scope"] == "music.read music.control"


@rfc6749("3.3", "The server SHOULD document its scopes: its metadata lists them")
async def test_the_scopes_are_documented(rig: Rig) -> None:
    assert (await rig.send("GET", METADATA)).json["scopes_supported"] == ["music.read", "music.control"]
