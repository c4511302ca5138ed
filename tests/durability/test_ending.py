"""SIGTERM under load: who was let in is answered, and the process is gone before a supervisor would kill it."""

import asyncio
import json
import random
import signal
from collections import Counter
from typing import Final, Self
from urllib.parse import urlencode

import pytest

from tests.durability.holder import LOST, Holder
from tests.durability.trouble import locked
from tests.durability.wire import STRICT, WINDOW, NotAnswered, Wire
from tests.rig import SECRETS, basic
from tests.running_server import RunningServer

pytestmark = pytest.mark.durability

SECONDS_TO_END: Final = 3
CLIENTS: Final = 16
ROUNDS: Final = 5
SEED: Final = 20_062


@pytest.mark.fault(
    "The server is told to end while requests wait for the database",
    gets="200: who was let in is answered",
    kept="everything",
    mends="a start",
)
async def test_every_request_that_was_let_in_is_answered(server: RunningServer) -> None:
    """They wait for the database when the signal comes, which is where requests spend their time."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        tokens = [await wire.link(WINDOW) for _ in range(CLIENTS)]
    let_in = [await LetIn.at(server.port, pair["refresh_token"]) for pair in tokens]
    with locked(server.data_dir) as other:
        for guest in let_in:
            guest.go_on()
        server.process.send_signal(signal.SIGTERM)
        await _begun_to_end(server)
        other.execute("ROLLBACK")
    answers = [await guest.answer() for guest in let_in]
    assert [status_line for status_line, _ in answers] == [b"HTTP/1.1 200 OK"] * CLIENTS
    assert await asyncio.to_thread(server.process.wait, SECONDS_TO_END) == 0
    await _start_and_refresh(server, *(json.loads(body)["refresh_token"] for _, body in answers))


@pytest.mark.fault(
    "The server is told to end while another program holds the database",
    gets="503, and the end within three seconds",
    kept="the refresh token that was presented",
    mends="a start",
)
async def test_a_database_that_stays_locked_holds_up_neither_the_answers_nor_the_end(server: RunningServer) -> None:
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        pair = await wire.link(WINDOW)
    guest = await LetIn.at(server.port, pair["refresh_token"])
    with locked(server.data_dir):
        guest.go_on()
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait, SECONDS_TO_END) == 0
        assert (await guest.answer())[0] == b"HTTP/1.1 503 Service Unavailable"
    await _start_and_refresh(server, pair["refresh_token"])


@pytest.mark.fault(
    "The server is told to end while a caller sends no end of a request",
    gets="that caller: a closed connection",
    kept="everything; the process is gone before a supervisor would kill it",
    mends="a start",
)
async def test_a_caller_who_never_comes_to_an_end_does_not_hold_up_the_end(server: RunningServer) -> None:
    await asyncio.to_thread(server.start)
    guest = await LetIn.at(server.port, "whose body never comes")
    server.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(server.process.wait, SECONDS_TO_END) == 0
    assert await guest.answer() == (b"", b"")


@pytest.mark.fault(
    "The server is told to end under load, over and over",
    gets="answers, then closed connections",
    kept="what was not answered was not done either: no token that works once only is used up",
    mends="a start",
)
async def test_what_was_not_answered_was_not_done_either(server: RunningServer) -> None:
    """Under `strict` a refresh that was carried out without an answer would cost the link."""
    happened, chance = Counter[str](), random.Random(SEED)  # noqa: S311 - it draws moments, not secrets
    holders = [Holder(STRICT, happened) for _ in range(CLIENTS)]
    for _ in range(ROUNDS):
        await asyncio.to_thread(server.start)
        async with Wire.to(server.url) as wire:
            await asyncio.gather(*(holder.link(wire) for holder in holders))
            lives = [asyncio.create_task(holder.use(wire)) for holder in holders]
            await asyncio.sleep(chance.uniform(0.1, 0.3))
            server.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.process.wait, SECONDS_TO_END) == 0
            assert {type(end) for end in await asyncio.gather(*lives, return_exceptions=True)} == {NotAnswered}
    assert happened[LOST] == ROUNDS * CLIENTS
    assert not happened["grant.ended"]
    assert happened["token.issued"] == CLIENTS


async def _start_and_refresh(server: RunningServer, *refresh_tokens: str) -> None:
    """Each of them is good at the next start."""
    await asyncio.to_thread(server.start)
    async with Wire.to(server.url) as wire:
        assert {(await wire.refresh(WINDOW, refresh_token)).status for refresh_token in refresh_tokens} == {200}


async def _begun_to_end(server: RunningServer) -> None:
    """Nobody is let in any more."""
    async with asyncio.timeout(SECONDS_TO_END):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            except ConnectionRefusedError:
                return
            writer.close()


class LetIn:
    """A refresh that the server has begun to handle: it has asked for the body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
        self._reader = reader
        self._writer = writer
        self._body = body

    @classmethod
    async def at(cls, port: int, refresh_token: str) -> Self:
        """Send the head of the request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = urlencode({"grant_type": "refresh_token", "refresh_token": refresh_token}).encode()
        writer.write(
            b"POST /alexa/token HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nAuthorization: %b\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
            % (basic(WINDOW, SECRETS[WINDOW]).encode(), len(body))
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        return cls(reader, writer, body)

    def go_on(self) -> None:
        """Send the body."""
        self._writer.write(self._body)

    async def answer(self) -> tuple[bytes, bytes]:
        """Status line and body, after the server has closed the connection; nothing if there is no answer."""
        try:
            head, _, body = (await self._reader.read()).partition(b"\r\n\r\n")
        finally:
            self._writer.close()
        return head.partition(b"\r\n")[0], body
