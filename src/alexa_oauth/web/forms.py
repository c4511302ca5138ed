"""How bytes become parameters: strictly, so that no two readers of one request can disagree about it."""

import asyncio
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from alexa_oauth.protocol.models import Parameters

BODY_LIMIT: Final = 16 * 1024
BODY_SECONDS: Final = 10
PARAMETER_LIMIT: Final = 100

_FORM: Final = "application/x-www-form-urlencoded"
_BROKEN_OFF: Final = (OSError, web.RequestPayloadError, HttpProcessingError)
"""The caller went away, or its chunks cannot be told apart: what the one or the other HTTP parser of aiohttp says of it."""

_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class FormRefused(Exception):
    """A body that is no form of ours; `status` and `description` are for the caller."""

    def __init__(self, status: int, description: str) -> None:
        """Carry what the endpoint answers."""
        super().__init__(description)
        self.status = status
        self.description = description


async def read_form(request: web.Request) -> Parameters:
    """The parameters of a form body, read as raw bytes under a cap of size and time.

    `FormRefused` 415 for another content type, charset or encoding, 413 for an oversized body, 408 for a slow one, 400 for
    one that broke off and for too many parameters.
    """
    _check_content_type(request)
    _check_size(request.content_length or 0)
    try:
        # A small body comes with its head, and then there is nothing to wait for.
        body = request.content.read_nowait() if request.content.is_eof() else await _wait_for_body(request)
    except TimeoutError as error:
        raise FormRefused(408, "The body did not arrive in time") from error
    except _BROKEN_OFF as error:
        raise FormRefused(400, "The body broke off") from error
    _check_size(len(body))
    return parse(body)


def read_query(request: web.Request) -> Parameters:
    """The parameters of the query, read from the request line as it was sent."""
    return parse(raw_query(request).encode("utf-8", "surrogateescape"))


def raw_query(request: web.Request) -> str:
    """The query as sent; a URL library would have re-written it."""
    return request.raw_path.partition("?")[2].partition("#")[0]


def parse(encoded: bytes) -> Parameters:
    """Parse `application/x-www-form-urlencoded`. A name that cannot be read makes the nameless `""` malformed."""
    values: dict[str, str] = {}
    seen, repeated, malformed = set[str](), set[str](), set[str]()
    pairs = [pair for pair in encoded.split(b"&") if pair]
    if len(pairs) > PARAMETER_LIMIT:
        raise FormRefused(400, "Too many parameters")
    for pair in pairs:
        raw_name, _, raw_value = pair.partition(b"=")
        name, value = _decode(raw_name), _decode(raw_value)
        if name is None or value is None:
            malformed.add(name or "")
        elif value:
            values[name] = value
        if (name or "") in seen:
            repeated.add(name or "")
        seen.add(name or "")
    for name in repeated | malformed:
        values.pop(name, None)
    return Parameters(values, frozenset(repeated), frozenset(malformed))


def _decode(encoded: bytes) -> str | None:
    """One name or value, or `None`: a broken escape, bytes that are no UTF-8, or a NUL."""
    if b"%" in encoded and _BAD_ESCAPE.search(encoded):
        return None
    octets = encoded.replace(b"+", b" ")
    try:
        decoded = (unquote_to_bytes(octets) if b"%" in octets else octets).decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in decoded else decoded


def _check_content_type(request: web.Request) -> None:
    media_type, _, rest = request.headers.get("Content-Type", "").partition(";")
    parameters = [part.strip().lower() for part in rest.split(";") if part.strip()]
    if media_type.strip().lower() != _FORM or any(part not in {"charset=utf-8", 'charset="utf-8"'} for part in parameters):
        raise FormRefused(415, f"Content-Type must be {_FORM} in UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FormRefused(415, "Content-Encoding is not supported")


def _check_size(size: int) -> None:
    if size > BODY_LIMIT:
        raise FormRefused(413, "The body is too large")


async def _wait_for_body(request: web.Request) -> bytes:
    body = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in request.content.iter_any():
            body += chunk
            _check_size(len(body))
    return bytes(body)
