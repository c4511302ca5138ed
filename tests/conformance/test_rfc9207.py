"""RFC 9207: the issuer in authorization responses."""

from functools import partial

import pytest

from tests.rig import Rig

rfc9207 = partial(pytest.mark.conformance.with_args, "RFC 9207")


async def issuer(rig: Rig) -> str:
    """The issuer that the metadata tell."""
    return str((await rig.send("GET", "/.well-known/oauth-authorization-server")).json["issuer"])


@rfc9207("2", "A success MUST name the issuer in iss")
@rfc9207("2.3", "The value MUST be the issuer of the metadata, to the letter")
async def test_a_success_names_the_issuer(rig: Rig) -> None:
    browser = rig.browser()
    answer = await browser.approve(await browser.authorize())
    assert answer.returned["iss"] == await issuer(rig)


@rfc9207("2", "An error MUST name the issuer in iss too")
async def test_an_error_names_the_issuer(rig: Rig) -> None:
    browser = rig.browser()
    refused = await browser.authorize(response_type="token")
    denied = await browser.approve(await browser.authorize(), decision="deny")
    assert [answer.returned["iss"] for answer in (refused, denied)] == [await issuer(rig)] * 2


@rfc9207("3", "The metadata MUST say authorization_response_iss_parameter_supported")
async def test_the_metadata_say_so(rig: Rig) -> None:
    document = (await rig.send("GET", "/.well-known/oauth-authorization-server")).json
    assert document["authorization_response_iss_parameter_supported"] is True


@pytest.mark.parametrize("client_id", ["C1", "C2", "P1"])
@rfc9207("2", "There is one iss in a response, whatever the client")
async def test_there_is_one_issuer(rig: Rig, client_id: str) -> None:
    browser = rig.browser()
    location = (await browser.approve(await browser.authorize(client_id))).location
    assert location.count("iss=") == 1
