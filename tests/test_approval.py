"""Which way to sign in the settings choose, and where it looks for Home Assistant."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from aiohttp import web

from alexa_oauth.approval import Means, chosen_approval
from alexa_oauth.outbound import Outbound
from alexa_oauth.protocol.sign_in import GoElsewhere, ServiceUnavailable, SignInOutcome, Visitor
from alexa_oauth.settings.loading import load
from alexa_oauth.settings.table import BUILT_SIGN_INS, Settings
from alexa_oauth.sign_in.home_assistant import ADD_ON_ADDRESSES
from tests.rig import CountedChance, FakeClocks
from tests.sign_in.core import StandInCore, core_running
from tests.storage.records import pending_request

if TYPE_CHECKING:
    from alexa_oauth.protocol.reading import ReadableStore

METADATA = "/.well-known/oauth-authorization-server"
PENDING = pending_request("one")
TOKEN = "supervisor-token-0123456789"
VISITOR = Visitor("192.0.2.1", address_is_known=True)


@pytest.fixture
async def means() -> AsyncIterator[Means]:
    """What a way is made of outside Home Assistant; the store is not asked."""
    outbound = Outbound()
    yield Means(cast("ReadableStore", None), lambda: FakeClocks().running, CountedChance(), outbound, supervisor_token=None)
    await outbound.close()


@pytest.fixture
async def cores() -> AsyncIterator[list[StandInCore]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(core_running(StandInCore())) for _ in range(3)]


def settings(**options: str) -> Settings:
    return load(
        {"SUPERVISOR_TOKEN": TOKEN}, {"public_url": "https://music.example.org", "sign_in": "home_assistant", **options}
    ).settings


async def ask(chosen: Settings, means: Means) -> SignInOutcome:
    return await chosen_approval(chosen, means).sign_in.prove(PENDING, {}, VISITOR)


@pytest.mark.parametrize("way", BUILT_SIGN_INS)
async def test_each_way_that_can_be_set_is_there_under_its_name(way: str, means: Means) -> None:
    needed = {"home_assistant_url": "https://home.example.org", "anyone_may_approve": "true"}
    amazon = {"amazon_client_id": "amzn1.client", "amazon_client_secret": "0123456789abcdef"}
    chosen = chosen_approval(settings(sign_in=way, **needed, **amazon), replace(means, supervisor_token=TOKEN))
    assert chosen.sign_in.way == way
    assert chosen.elsewhere in {None, chosen.sign_in}


async def test_an_add_on_finds_home_assistant_by_itself_wherever_it_listens(
    means: Means, cores: list[StandInCore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that answers as Home Assistant; port 80 may belong to something else, and either may be closed."""
    assert ADD_ON_ADDRESSES == ("http://homeassistant", "http://homeassistant:8123")
    near, nearby, outside = cores
    monkeypatch.setattr("alexa_oauth.approval.ADD_ON_ADDRESSES", (near.url, nearby.url))
    chosen, inside = settings(home_assistant_url=outside.url), replace(means, supervisor_token=TOKEN)

    async def welcome(_: web.Request) -> web.Response:
        return web.Response(text="<h1>Welcome to nginx!</h1>", content_type="text/html")

    for number, trouble in enumerate((welcome, nearby.break_off, outside.break_off)):
        assert isinstance(await ask(chosen, inside), GoElsewhere)
        assert [bool(core.asked) for core in cores] == [count <= number for count in range(3)]
        cores[number].instead[METADATA] = trouble
    unavailable = await ask(chosen, inside)
    assert isinstance(unavailable, ServiceUnavailable)
    assert [core.url in unavailable.problem for core in cores] == [True] * 3


async def test_elsewhere_it_is_asked_where_browsers_go(means: Means, cores: list[StandInCore]) -> None:
    assert isinstance(await ask(settings(home_assistant_url=cores[0].url), means), GoElsewhere)
    assert len(cores[0].asked) == 1


@pytest.mark.parametrize("token", [TOKEN, None])
async def test_an_address_inside_that_is_set_is_the_only_one_asked(
    means: Means, cores: list[StandInCore], token: str | None
) -> None:
    inside, outside, _ = cores
    inside.instead[METADATA] = inside.break_off
    chosen = settings(home_assistant_url=outside.url, home_assistant_internal_url=inside.url)
    assert isinstance(await ask(chosen, replace(means, supervisor_token=token)), ServiceUnavailable)
    assert outside.asked == []
