"""Plain answers against aiohttp's own: written by other hands, they must say the same, whoever asks in whatever way.

`PlainAnswer` leans on how aiohttp sends answers. Where a new aiohttp does that differently, this is where it shows.
"""

import asyncio
from contextlib import suppress
from typing import Final

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from pytest_aiohttp import AiohttpRawServer

from alexa_oauth.web.answers import json_answer
from alexa_oauth.web.plain_answer import NO_STORE, QUIET, PlainAnswer, header_fields

BODY: Final = b'{"error": "not_found"}'
FURTHER: Final = {"Retry-After": "5"}
AGAIN: Final = b"GET /again HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
"""Sent after each answer; answered if the connection outlived that."""


async def _plain(_: web.BaseRequest) -> web.StreamResponse:
    return json_answer({"error": "not_found"}, 404, FURTHER)


async def _aiohttps(_: web.BaseRequest) -> web.StreamResponse:
    answer = web.Response(body=BODY, status=404, headers={**NO_STORE, **QUIET, **FURTHER, "Content-Type": "application/json"})
    answer.headers["Server"] = ""
    return answer


async def said(server: RawTestServer, request: bytes) -> list[tuple[str, set[str], str]]:
    """Status line, header fields and body of every answer on one connection, until the server ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    received = await reader.read(4_096)
    with suppress(ConnectionError):  # it has ended already
        writer.write(AGAIN)
        received += await reader.read()
    writer.close()
    answers = []
    for text in received.decode().split("HTTP/1.")[1:]:
        head, _, body = text.partition("\r\n\r\n")
        status, *fields = head.split("\r\n")
        answers.append((status, {field for field in fields if not field.startswith(("Server:", "Date:"))}, body))
        assert sum(field.startswith("Date: ") for field in fields) == 1
    return answers


@pytest.mark.parametrize(
    ("request_line", "fields", "answers"),
    [
        ("GET / HTTP/1.1", "Host: test", 2),
        ("GET / HTTP/1.1", "Host: test\r\nConnection: close", 1),
        ("GET / HTTP/1.0", "Host: test", 1),
        ("GET / HTTP/1.0", "Connection: keep-alive", 2),
        ("HEAD / HTTP/1.1", "Host: test", 2),
        ("POST / HTTP/1.1", "Host: test\r\nContent-Length: 3\r\n\r\na=b", 2),
    ],
    ids=["1.1", "1.1 that closes", "1.0", "1.0 that stays", "HEAD", "POST with a body"],
)
async def test_rfc_9112_a_plain_answer_is_what_aiohttp_would_have_sent(
    aiohttp_raw_server: AiohttpRawServer, request_line: str, fields: str, answers: int
) -> None:
    request = f"{request_line}\r\n{fields}".encode()
    request += b"" if b"\r\n\r\n" in request else b"\r\n\r\n"
    mine = await said(await aiohttp_raw_server(_plain), request)
    assert mine == await said(await aiohttp_raw_server(_aiohttps), request)
    assert len(mine) == answers


async def test_rfc_9110_6_6_1_an_answer_that_is_not_dated_has_no_date(aiohttp_raw_server: AiohttpRawServer) -> None:
    async def undated(_: web.BaseRequest) -> web.StreamResponse:
        answer = PlainAnswer()
        answer.is_dated = False
        return answer

    server = await aiohttp_raw_server(undated)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(AGAIN)
    assert b"\r\nDate:" not in await reader.read()
    writer.close()


@pytest.mark.parametrize("value", ["one\r\nSet-Cookie: two", "one\ntwo", "one\0two", "one\x7f"])
def test_rfc_9110_5_5_no_value_ends_its_field_and_begins_another(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        header_fields({"X-OAuth-Subject": value})
