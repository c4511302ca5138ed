"""Bytes on a socket, for what no HTTP library would send."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from multidict import CIMultiDict

from tests.rig import Answer, Rig

PATIENCE_SECONDS: Final = 5
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class Wire:
    """One connection; `received` is everything that came back over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received = b""
        self._reader = reader
        self._writer = writer

    async def send(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    async def answer(self, *, with_body: bool = True) -> Answer:
        """The next answer; `with_body` is false for what answers HEAD."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await self._reader.readuntil(b"\r\n\r\n")
            status_line, *fields = head.decode("latin-1").rstrip().split("\r\n")
            headers = CIMultiDict(field.partition(": ")[::2] for field in fields)
            body = await self._reader.readexactly(int(headers.get("Content-Length", 0)) if with_body else 0)
        self.received += head + body
        return Answer(int(status_line.split(" ")[1]), headers, body)

    async def is_closed(self) -> bool:
        """Whether the server closes the connection, and says nothing more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._reader.read(1) == b""


@asynccontextmanager
async def wire(rig: Rig) -> AsyncIterator[Wire]:
    """A connection to the server."""
    address = urlsplit(rig.origin)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def ask(rig: Rig, octets: bytes) -> Answer:
    """The answer to these bytes, on a connection of their own."""
    async with wire(rig) as connection:
        await connection.send(octets)
        return await connection.answer()


def request(line: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request with its header fields as they are given, and `Host`; the length is told unless it is given."""
    fields = {"Host": "oauth.test", **(headers or {})}
    if body and not {"Content-Length", "Transfer-Encoding"} & fields.keys():
        fields["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
