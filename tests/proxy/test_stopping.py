"""A request that is on its way when the server is told to stop."""

import asyncio
import signal
import sqlite3
import subprocess
from contextlib import closing

import pytest

from tests.proxy.conftest import Home
from tests.proxy.proxies import DEADLINE_SECONDS, POLL_SECONDS

pytestmark = pytest.mark.proxy


async def test_a_request_that_was_let_in_is_answered_through_the_proxy(home: Home) -> None:
    """It waits for the database, as another program is writing; the server has stopped listening when that ends."""
    visitor = await home.visitor()
    tokens = await home.link()
    await asyncio.to_thread(home.server.restart)  # so that the proxy keeps no connection from before
    with closing(sqlite3.connect(home.server.data_dir / "oauth.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(
            visitor.post("/alexa/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        )
        await until(home, "ESTAB")
        assert (await visitor.send("/health")).status == 200  # the server has turned to its connections since
        home.server.process.send_signal(signal.SIGTERM)
        await until(home, "LISTEN", is_there=False)
    answer = await waiting
    assert answer.status == 200
    assert await asyncio.to_thread(home.server.process.wait, DEADLINE_SECONDS) == 0
    await asyncio.to_thread(home.server.start)
    assert (await visitor.play(answer.json["access_token"])).status == 200


async def until(home: Home, state: str, *, is_there: bool = True) -> None:
    """Wait until the server has a connection of that state on its public port, or has none."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while is_there != (state in states(home)):  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(POLL_SECONDS)


def states(home: Home) -> set[str]:
    """The states of the connections on the server's public port."""
    command = ("ss", "--no-header", "--tcp", "--all", "--numeric", f"sport = :{home.server.port}")
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line.split()[0] for line in listed.stdout.splitlines()}
