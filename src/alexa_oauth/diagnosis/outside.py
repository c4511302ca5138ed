"""How the doctor calls the public address: each call with a deadline, and a record of who answered what."""

import asyncio
import io
import json
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Final
from urllib.parse import urlsplit

from alexa_oauth.diagnosis.findings import Evidence

DEADLINE_SECONDS: Final = 10
BODY_CAP: Final = 65_536
BODY_SHOWN: Final = 300
HTTPS: Final = 443

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Destination:
    """An address of the public name, its port, and what is spoken there: TLS for `name` with that context, or nothing yet."""

    address: str
    port: int
    name: str
    tls: ssl.SSLContext | None = None


class NameNotFound(Exception):
    """The DNS knows no address for the name."""


@dataclass(frozen=True, slots=True)
class Outside:
    """The world as the doctor reaches it. `now` in seconds since 1970; `running` in seconds, never stepped.

    `resolve` gives every address of a name or raises `NameNotFound`; `connect` raises `OSError`; `trust` makes a context that
    verifies against the authorities that Amazon would trust, and fetches no certificate that was not sent.
    """

    resolve: Callable[[str], Awaitable[Sequence[str]]]
    connect: Callable[[Destination], Awaitable[Streams]]
    trust: Callable[[], ssl.SSLContext]
    now: Callable[[], int]
    running: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Site:
    """The public address taken apart."""

    url: str
    name: str
    port: int

    @classmethod
    def of(cls, public_url: str) -> "Site":
        """Of an https origin."""
        parts = urlsplit(public_url)
        return cls(public_url, parts.hostname or "", parts.port or HTTPS)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a program would send it."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def written(self, site: Site) -> bytes:
        """As it goes over the wire (RFC 9112)."""
        host = site.name if site.port == HTTPS else f"{site.name}:{site.port}"
        headers = {"Host": host, "Connection": "close", "Accept": "*/*", "Content-Length": str(len(self.body)), **self.headers}
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and after how many seconds; the body up to a cap."""

    call: Call
    address: str
    status: int
    headers: Message
    body: bytes
    seconds: float

    @property
    def content(self) -> Mapping[str, object]:
        """The object that the body is, if it is JSON; else an empty one."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Who answered, and with what."""
        shown = self.body[:BODY_SHOWN].decode(errors="replace")
        told = [
            Evidence("request", f"{self.call.method} {self.call.target.partition('?')[0]}"),
            Evidence("user agent", self.call.headers.get("User-Agent", "none")),
            Evidence("answered by", self.address, is_private=True),
            Evidence("status", str(self.status)),
            Evidence("Server", self.headers.get("Server", "none")),
            Evidence("Content-Type", self.headers.get("Content-Type", "none")),
            Evidence("seconds", f"{self.seconds:.2f}"),
        ]
        if "Location" in self.headers:
            told.append(Evidence("Location", self.headers["Location"], is_private=True))
        return (*told, Evidence("body begins", shown or "(empty)", is_private=True))


class NoReply(Exception):
    """Nothing that is HTTP came back in time; the message says what happened instead."""


class NoReplyInTime(NoReply):
    """Whoever listens there took longer than the deadline."""


async def resolve(name: str) -> Sequence[str]:
    """Every address of the name, as this machine's resolver tells them. `NameNotFound`."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise NameNotFound("that is no name") from error
    except OSError as error:
        raise NameNotFound(describe(error)) from error
    return [str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found]


async def connect(destination: Destination) -> Streams:
    """A connection to exactly that address."""
    name = destination.name if destination.tls is not None else None
    return await asyncio.open_connection(destination.address, destination.port, ssl=destination.tls, server_hostname=name)


async def send(outside: Outside, site: Site, address: str, call: Call) -> Reply:
    """Call over a connection of its own. The certificate is judged elsewhere, and no call holds a secret. `NoReply`."""
    begun = outside.running()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            received = await _exchange(outside, Destination(address, site.port, site.name, unverified()), call.written(site))
    except TimeoutError as error:
        raise NoReplyInTime(f"no answer within {DEADLINE_SECONDS} seconds") from error
    except OSError as error:
        raise NoReply(describe(error)) from error
    seconds = outside.running() - begun
    try:
        response = HTTPResponse(_Received(received), method=call.method)  # type: ignore[arg-type]  # it only asks for makefile
        response.begin()
        return Reply(call, address, response.status, response.headers, _body(response), seconds)
    except HTTPException as error:
        raise NoReply("what came back is not HTTP") from error


def unverified() -> ssl.SSLContext:
    """TLS with whoever answers, for questions that hold no secret."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def describe(error: OSError) -> str:
    """Why it did not work, in the system's words."""
    if isinstance(error, ssl.SSLError) or not error.errno or error.errno < 0:
        return error.strerror or str(error) or type(error).__name__
    return os.strerror(error.errno)


async def _exchange(outside: Outside, destination: Destination, request: bytes) -> bytes:
    reader, writer = await outside.connect(destination)
    received = bytearray()
    try:
        writer.write(request)
        await writer.drain()
        while len(received) < BODY_CAP and (chunk := await reader.read(BODY_CAP)):
            received += chunk
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1)
    return bytes(received)


class _Received:
    """Bytes that came from a socket, for the parser of the standard library."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)


def _body(response: HTTPResponse) -> bytes:
    try:
        return response.read(BODY_CAP)
    except IncompleteRead as cut:
        return cut.partial
