"""Answers to programs: a head and a body that are known at once, and go out in one piece.

aiohttp's `web.Response` leads every header field through a multidict and a serializer, and every answer through the signals of
the application. That takes 8 µs, as long as everything else that aiohttp does for a request.
"""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion11

QUIET: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""No answer is sniffed for another type, or sends the page's address along."""
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def header_fields(named: Mapping[str, str]) -> str:
    """Header fields as they go over the wire. `ValueError`: a value would end its field and begin another."""
    if any(_CONTROL.search(value) for value in named.values()):
        raise ValueError("a control character in a header field")
    return "".join([f"{name}: {value}\r\n" for name, value in named.items()])


_ALWAYS: Final = header_fields({**NO_STORE, **QUIET})


class PlainAnswer(web.StreamResponse):
    """An answer that no cache may keep (RFC 6749 §5.1). `is_dated` may be taken back before it is sent."""

    def __init__(self, status: int = 200, further: str = "", body: bytes = b"") -> None:
        """`further` are the header fields of this answer alone, as `header_fields` makes them."""
        super().__init__(status=status)
        self.is_dated = True
        self._further = further
        self._whole = body
        self._to: web.BaseRequest | None = None

    @property
    def body(self) -> bytes:
        """What it says."""
        return self._whole

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Remember whom it answers; nothing is sent before the end."""
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        self._to = request
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Send it, once. `ConnectionError`: nobody is there any more."""
        request, self._to = self._to, None
        if request is not None:
            body = b"" if request.method == "HEAD" else self._whole + data
            await request.writer.write(self._head(request).encode() + body)

    def _head(self, request: web.BaseRequest) -> str:
        version = request.version
        date = f"Date: {rfc822_formatted_time()}\r\n" if self.is_dated else ""
        connection = ""
        if self._keep_alive is not (version >= HttpVersion11):  # what the version says by itself needs no word (RFC 9112 §9.3)
            connection = f"Connection: {'keep-alive' if self._keep_alive else 'close'}\r\n"
        return (
            f"HTTP/{version.major}.{version.minor} {self._status} {self._reason}\r\n{_ALWAYS}{self._further}"
            f"Content-Length: {len(self._whole)}\r\n{date}{connection}\r\n"
        )
