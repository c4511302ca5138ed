"""RFC 6749 chapter 2: who the clients are, and how they prove it."""

from functools import partial
from urllib.parse import quote_plus, urlencode

import pytest

from tests.attacks.verdict import define_clients
from tests.rig import SECRETS, VERIFIER, Rig, basic

rfc6749 = partial(pytest.mark.conformance.with_args, "RFC 6749")

INVALID_CLIENT = (401, "invalid_client")


@rfc6749("2", "A client registers its type and its redirection URIs")
@rfc6749("2.1", "A client is confidential or public; no third type is assumed for one that names none")
async def test_a_client_is_registered_with_its_type_and_redirect_uris(rig: Rig) -> None:
    uris = ["https://ex.test/cb"]
    assert len(define_clients(rig, {"typeless": {"redirect_uris": uris}})) == 1
    assert len(define_clients(rig, {"odd": {"client_type": "trusted", "redirect_uris": uris}})) == 1
    assert len(define_clients(rig, {"aimless": {"client_type": "public"}})) == 1
    assert define_clients(rig, {"whole": {"client_type": "public", "redirect_uris": uris}}) == ()


@rfc6749("2.2", "A client id is no secret and MUST NOT be used alone to authenticate")
async def test_the_id_of_a_confidential_client_alone_proves_nothing(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code(), None, client_id="C1")
    assert answer.refusal == INVALID_CLIENT


@rfc6749("2.3", "A client MUST NOT use more than one way of authentication in a request; such a request is refused")
async def test_two_ways_of_authentication_at_once_are_refused(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code(), "C1", client_id="C1", client_secret=SECRETS["C1"])
    assert answer.refusal == (400, "invalid_request")


@rfc6749("2.3", "The server MUST NOT rely on the authentication of a public client to know who it is")
async def test_no_secret_of_a_public_client_stands_in_for_its_proof_key(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code("P1"), "P1", client_secret="whatever-it-ships", code_verifier=None)
    assert answer.refusal == (400, "invalid_grant")


@rfc6749("2.3.1", "HTTP Basic MUST be supported for clients that have a secret")
async def test_basic_is_supported(rig: Rig) -> None:
    assert (await rig.redeem(await rig.code(), "C1")).status == 200


@rfc6749("2.3.1", "In Basic, id and secret are form-encoded before they are put together")
async def test_id_and_secret_are_decoded_after_basic(rig: Rig) -> None:
    client_id, secret = "cl/ie:nt+1", "a+b/c:d%e&f=g-0123456789abcdef01"
    entry = {"client_type": "confidential", "redirect_uris": ["https://ex.test/cb"], "client_secret": secret}
    assert define_clients(rig, {client_id: entry}) == ()
    form = {"grant_type": "refresh_token", "refresh_token": "none"}
    encoded = basic(quote_plus(client_id), quote_plus(secret))
    assert (await rig.post("/alexa/token", None, form, Authorization=encoded)).refusal == (400, "invalid_grant")
    wrong = basic(quote_plus(client_id), quote_plus(secret + "x"))
    assert (await rig.post("/alexa/token", None, form, Authorization=wrong)).refusal == INVALID_CLIENT


@rfc6749("2.3.1", "Credentials in the request body MAY be supported: they are")
async def test_credentials_in_the_body_are_supported(rig: Rig) -> None:
    answer = await rig.redeem(await rig.code(), None, client_id="C1", client_secret=SECRETS["C1"])
    assert answer.status == 200


@rfc6749("2.3.1", "Credentials in the body MUST NOT stand in the request URI: there they count for nothing")
async def test_credentials_in_the_query_count_for_nothing(rig: Rig) -> None:
    query = urlencode({"client_id": "C1", "client_secret": SECRETS["C1"]})
    form = {"grant_type": "authorization_code", "code": await rig.code(), "redirect_uri": "https://ex.test/cb"}
    answer = await rig.post(f"/alexa/token?{query}", None, {**form, "code_verifier": VERIFIER})
    assert answer.refusal == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/alexa/token", "/alexa/revoke", "/alexa/introspect"])
@rfc6749("2.3.1", "Every endpoint that takes client secrets MUST be protected against guessing")
async def test_secrets_cannot_be_guessed_at_leisure(rig: Rig, path: str) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "none", "token": "none"}
    for guess in range(10):
        wrong = await rig.post(path, None, form, Authorization=basic("RS", f"guess-{guess}"))
        assert wrong.refusal == INVALID_CLIENT
    answer = await rig.post(path, None, form, Authorization=basic("RS", "guess-10"))
    assert (answer.refusal, answer.headers["Retry-After"]) == ((429, "slow_down"), "3600")
