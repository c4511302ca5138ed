"""RFC 8252: native applications, as far as the server has a part in it."""

from functools import partial

import pytest

from alexa_oauth.protocol.events import Reason
from tests.attacks.verdict import assert_code, assert_page, assert_sent_back, define_clients
from tests.rig import CLIENTS, Rig

rfc8252 = partial(pytest.mark.conformance.with_args, "RFC 8252")

IPV6_CLIENT = {"N": {"client_type": "public", "redirect_uris": ["http://[::1]:1/cb"]}}


@rfc8252("6", "PKCE MUST be supported for native applications")
@rfc8252("8.1", "A request of a native application without PKCE SHOULD be refused with an error")
async def test_a_native_application_must_bring_a_challenge(rig: Rig) -> None:
    answer = await rig.browser().authorize("P1", code_challenge=None, code_challenge_method=None)
    assert_sent_back(answer, "invalid_request", uri="http://127.0.0.1/cb")


@rfc8252("7.2", "Redirection URIs that an application claimed by https MUST be offered")
async def test_a_claimed_https_redirect_uri(rig: Rig) -> None:
    browser = rig.browser()
    uri = "https://native.test/cb"
    assert_code(await browser.approve(await browser.authorize("P1", redirect_uri=uri)), uri=uri)


@pytest.mark.parametrize("port", ["", ":1", ":49152", ":65535"])
@rfc8252("7.3", "Any port MUST be allowed in a loopback redirection URI, chosen with each request")
async def test_any_port_of_the_loopback_address(rig: Rig, port: str) -> None:
    uri = f"http://127.0.0.1{port}/cb"
    browser = rig.browser()
    code = assert_code(await browser.approve(await browser.authorize("P1", redirect_uri=uri)), uri=uri)
    assert (await rig.redeem(code, "P1", redirect_uri=uri)).status == 200


@rfc8252("7.3", "The loopback address of IPv6 is as good as that of IPv4")
async def test_any_port_of_the_ipv6_loopback_address(rig: Rig) -> None:
    assert define_clients(rig, {**CLIENTS, **IPV6_CLIENT}) == ()
    browser = rig.browser()
    uri = "http://[::1]:49152/cb"
    assert_code(await browser.approve(await browser.authorize("N", redirect_uri=uri)), uri=uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1/cb/x",
        "http://127.0.0.1:1/",
        "http://127.0.0.2:1/cb",
        "https://127.0.0.1:1/cb",
        "https://native.test:1/cb",
    ],
)
@rfc8252("8.4", "But for the port of a loopback address, redirection URIs MUST be registered whole and match exactly")
async def test_everything_but_the_port_must_match(rig: Rig, uri: str) -> None:
    assert_page(await rig.browser().authorize("P1", redirect_uri=uri), Reason.REDIRECT_URI_NOT_REGISTERED)


@rfc8252("8.4", "The type of each client MUST be recorded, and clients treated by it")
async def test_ports_are_free_for_public_clients_alone(rig: Rig) -> None:
    confidential = {
        "client_type": "confidential",
        "redirect_uris": ["http://127.0.0.1/cb"],
        "client_secret": "0123456789abcdef0123456789abcdef",
    }
    assert define_clients(rig, {**CLIENTS, "N": confidential}) == ()
    answer = await rig.browser().authorize("N", redirect_uri="http://127.0.0.1:49152/cb")
    assert_page(answer, Reason.REDIRECT_URI_NOT_REGISTERED)


@rfc8252("8.5", "A secret that is shipped with an application MUST NOT count as proof of who it is")
async def test_a_shipped_secret_is_not_looked_at(rig: Rig) -> None:
    shipped = {**CLIENTS["P1"], "client_secret": "0123456789abcdef0123456789abcdef"}
    define_clients(rig, {**CLIENTS, "P1": shipped})
    assert (await rig.redeem(await rig.code("P1"), "P1", client_secret="another-one")).status == 200
    without_verifier = await rig.redeem(
        await rig.code("P1"), "P1", client_secret="0123456789abcdef0123456789abcdef", code_verifier=None
    )
    assert without_verifier.refusal == (400, "invalid_grant")


@rfc8252("8.6", "No request SHOULD pass without a person's consent, since another application may pose as this one")
async def test_a_native_application_is_asked_about_each_time(rig: Rig) -> None:
    browser = rig.browser()
    await browser.approve(await browser.authorize("P1"))
    again = await browser.authorize("P1")
    assert (again.status, "Location" in again.headers) == (200, False)
