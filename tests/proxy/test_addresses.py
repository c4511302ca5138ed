"""Whose failures they are: the address of the caller, through one proxy and through two, whatever a caller claims."""

import pytest

from tests.proxy.conftest import Home, StartHome
from tests.proxy.visitor import ELSEWHERE, Visitor
from tests.rig import Answer, basic

pytestmark = pytest.mark.proxy

OTHERS = "127.0.0.10"
THE_FRONT_PROXY = "127.0.0.1"
CHAINS = {
    "198.51.100.7": "198.51.100.7",
    "203.0.113.5, 198.51.100.7": "198.51.100.7",
    "203.0.113.5, 198.51.100.7, 127.0.0.1": "198.51.100.7",
    "nobody, 198.51.100.7:4711": "198.51.100.7",
    "203.0.113.5, 2001:db8::7": "2001:db8::7",
    "[2001:db8::7]:4711": "2001:db8::7",
    "::ffff:198.51.100.7": "198.51.100.7",
}
"""What a further proxy may send, and whose address it tells."""


async def addresses_of(home: Home, visitor: Visitor, *claims: str | None) -> list[str]:
    """The addresses under which requests of that visitor's are recorded, each with what it claims in X-Forwarded-For."""
    for claim in claims:
        page = await visitor.begin(headers=None if claim is None else {"X-Forwarded-For": claim})
        assert page.status == 200, page.text
    return [event["address"] for event in (await home.audit("authorize.request"))[-len(claims) :]]


async def guess(visitor: Visitor, secret: str) -> Answer:
    form = {"grant_type": "refresh_token", "refresh_token": "none"}
    return await visitor.send("/alexa/token", form, {"Authorization": basic("C1", secret)})


async def test_the_caller_is_who_reached_the_proxy_whatever_it_claims(home: Home) -> None:
    claims = (None, "203.0.113.5", "203.0.113.5, 127.0.0.1", "nobody")
    assert await addresses_of(home, await home.visitor(), *claims) == [ELSEWHERE] * 4


async def test_behind_a_further_proxy_it_is_the_right_most_hop_that_is_no_proxy(start: StartHome) -> None:
    home = await start(behind_another=True, trusted_proxies="127.0.0.1")
    assert await addresses_of(home, await home.visitor(THE_FRONT_PROXY), *CHAINS) == list(CHAINS.values())


async def test_nobody_poses_as_the_further_proxy(start: StartHome) -> None:
    home = await start(behind_another=True, trusted_proxies="127.0.0.1")
    assert await addresses_of(home, await home.visitor(), "203.0.113.5") == [ELSEWHERE]


async def test_failures_are_counted_by_the_callers_address(home: Home) -> None:
    stranger, other = await home.visitor(), await home.visitor(OTHERS)
    answers = [await guess(stranger, f"guess-{number}") for number in range(12)]
    assert [answer.status for answer in answers] == [401] * 10 + [429] * 2
    assert (await guess(other, "guess")).status == 401


async def test_behind_a_proxy_that_nobody_configured_no_address_is_held_to_account(start: StartHome) -> None:
    """Else a stranger's guesses would shut out Alexa, whose requests seem to come from the same address."""
    home = await start()
    visitor = await home.visitor()
    assert {(await guess(visitor, f"guess-{number}")).status for number in range(12)} == {401}
    assert await addresses_of(home, visitor, None) == ["127.0.0.1"]
