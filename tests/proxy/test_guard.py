"""The guard in front of Music Assistant: no good token, no music, and nobody says for themselves who they are."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from yarl import URL

from tests.proxy.conftest import Home, StartHome
from tests.proxy.player import GREETING, playing
from tests.proxy.proxies import PLAYER

pytestmark = pytest.mark.proxy

IDENTITY = {"x-oauth-subject": ["local"], "x-oauth-client": ["C1"], "x-oauth-scope": ["music.read music.control"]}


async def test_a_good_token_passes_and_the_player_learns_who_calls(home: Home) -> None:
    token = (await home.link())["access_token"]
    answer = await (await home.visitor()).play(token, "/api/players?id=a%2Fb")
    assert (answer.status, answer.json["path"]) == (200, "/api/players?id=a%2Fb")
    (call,) = home.player.calls
    assert {name: call[name] for name in IDENTITY} == IDENTITY
    assert "authorization" not in call


@pytest.mark.parametrize("spelling", ["X-OAuth-{}", "x-oauth-{}", "X_OAuth_{}"])
async def test_what_a_caller_says_of_itself_does_not_reach_the_player(home: Home, spelling: str) -> None:
    token = (await home.link())["access_token"]
    claims = {spelling.format(name): "administrator" for name in ("Subject", "Client", "Scope")}
    assert (await (await home.visitor()).play(token, headers=claims)).status == 200
    (call,) = home.player.calls
    said = {name.replace("_", "-"): values for name, values in call.items() if "oauth" in name}
    assert said == IDENTITY
    assert "administrator" not in str(call)


async def test_what_the_guard_leaves_unsaid_nobody_says(start: StartHome) -> None:
    async with playing() as silent:
        home = await start(asked=silent.port)
        claims = {f"X-OAuth-{name}": "administrator" for name in ("Subject", "Client", "Scope")}
        assert (await (await home.visitor()).play("any", headers=claims)).status == 200
    (call,) = home.player.calls
    assert "administrator" not in str(call)


async def test_no_token_is_asked_for_one(home: Home) -> None:
    visitor = await home.visitor()
    answer = await visitor.play(None)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="alexa-oauth"')
    token = (await home.link())["access_token"]
    assert (await visitor.play(None, f"/api?access_token={token}")).status == 401
    assert home.player.calls == []


async def test_a_revoked_token_is_refused_from_the_next_request_on(home: Home) -> None:
    token = (await home.link())["access_token"]
    visitor = await home.visitor()
    assert (await visitor.play(token)).status == 200
    assert (await visitor.post("/alexa/revoke", token=token)).status == 200
    answer = await visitor.play(token)
    assert (answer.status, 'error="invalid_token"' in answer.headers["WWW-Authenticate"]) == (401, True)
    assert len(home.player.calls) == 1


async def test_a_token_without_the_scope_that_is_asked_for_is_refused(home: Home) -> None:
    token = (await home.link(scope="music.read"))["access_token"]
    assert (await (await home.visitor()).play(token)).status == 403
    assert home.player.calls == []


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_body_reaches_the_player_whole(home: Home, *, chunked: bool) -> None:
    token = (await home.link())["access_token"]
    visitor = await home.visitor()
    body = b"x" * 100_000

    async def parts() -> AsyncIterator[bytes]:
        yield body

    url = URL(f"https://{PLAYER}:{home.port}/api")
    data = parts() if chunked else body
    async with visitor.session.post(url, data=data, headers={"Authorization": f"Bearer {token}"}) as answer:
        assert (answer.status, (await answer.json())["body"]) == (200, hashlib.sha256(body).hexdigest())


async def test_a_web_socket_passes_with_a_token_and_not_without(home: Home) -> None:
    token = (await home.link())["access_token"]
    session = (await home.visitor()).session
    url = URL(f"https://{PLAYER}:{home.port}/ws")
    async with session.ws_connect(url, headers={"Authorization": f"Bearer {token}"}) as connection:
        assert await connection.receive_str() == GREETING
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await session.ws_connect(url)


async def test_the_guards_own_question_cannot_be_asked_from_outside(home: Home) -> None:
    assert (await (await home.visitor()).play(None, "/_alexa_oauth")).status in {401, 404}
    assert home.player.calls == []


async def test_while_the_server_is_away_nobody_passes(home: Home) -> None:
    token = (await home.link())["access_token"]
    await asyncio.to_thread(home.server.stop)
    assert (await (await home.visitor()).play(token)).status in {500, 502}
    assert home.player.calls == []
    await asyncio.to_thread(home.server.start)
    assert (await (await home.visitor()).play(token)).status == 200
