"""What each parser of strangers' bytes must say of any bytes at all, told by a second reading of the same rules.

A check takes octets and raises `AssertionError` if the parser and its oracle differ; whatever else it raises is a fault too.
"""

import base64
import re
import string
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import pytest

from alexa_oauth.protocol.client_authentication import read_credentials
from alexa_oauth.protocol.errors import RequestRefused
from alexa_oauth.protocol.models import Client, ClientType, Parameters, PkceRule, RefreshProfile
from alexa_oauth.protocol.redirect_uri import is_registered, with_parameters
from alexa_oauth.web.forms import PARAMETER_LIMIT, FormRefused, parse
from alexa_oauth.web.language import preferred
from alexa_oauth.web.texts import LANGUAGES

_NO_ASCII: Final = re.compile(rb"[\x80-\xff]")
_LOOPBACKS: Final = {"127.0.0.1", "::1"}


def check_form(octets: bytes) -> None:
    """`web.forms.parse`, by `urllib.parse`, which reads the same but believes everything."""
    pairs = [pair for pair in octets.split(b"&") if pair]
    if len(pairs) > PARAMETER_LIMIT:
        with pytest.raises(FormRefused, match="Too many"):
            parse(octets)
        return
    halves = [pair.partition(b"=")[::2] for pair in pairs]
    read = [(_read(name), _read(value)) for name, value in halves]
    malformed = {name or "" for name, value in read if None in {name, value}}
    repeated = {name for name, count in Counter(name or "" for name, _ in read).items() if count > 1}
    values = {name: value for name, value in read if name is not None and value and name not in malformed | repeated}
    assert parse(octets) == Parameters(values, frozenset(repeated), frozenset(malformed))


def _read(octets: bytes) -> str | None:
    """A name or a value as `urllib.parse` reads it, or `None` if nobody should."""
    if any(len(after[:2]) < 2 or not {*after[:2]} <= {*string.hexdigits.encode()} for after in octets.split(b"%")[1:]):
        return None
    escaped = _NO_ASCII.sub(lambda found: b"%%%02X" % found[0][0], octets).decode()
    try:
        ((_, text),) = parse_qsl(f"x={escaped}", keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def check_redirect_uri(octets: bytes) -> None:
    """`is_registered` for the URIs of all lines but the last, and `with_parameters` behind each of them.

    Asked for is the last line, and each loopback URI with that line between host and path.
    """
    *registered, last = octets.decode("utf-8", "ignore").split("\n")
    confidential, public = (_client(kind, registered) for kind in (ClientType.CONFIDENTIAL, ClientType.PUBLIC))
    for asked in (last, *(last.join(parts) for parts in map(_without_port, registered) if parts is not None)):
        is_same = asked in registered
        assert is_registered(confidential, asked) is is_same
        assert is_registered(public, asked) is (is_same or any(_differ_in_port_alone(uri, asked) for uri in registered))
    for uri in registered:
        sent = with_parameters(uri, {"state": last})
        assert sent.startswith(uri)
        behind = sent.removeprefix(uri)
        assert behind[0] == ("&" if "?" in uri else "?")
        assert re.fullmatch("[!-~]+", behind)
        assert parse_qsl(behind[1:], keep_blank_values=True, strict_parsing=True) == [("state", last)]


def _client(kind: ClientType, uris: list[str]) -> Client:
    return Client("c", kind, tuple(uris), "c", (), PkceRule.OPTIONAL, RefreshProfile.STRICT)


def _differ_in_port_alone(registered: str, asked: str) -> bool:
    """RFC 8252 §7.3, as a URL library sees it; it may strip and re-write, so that what it reads must spell the same again."""
    kept = [_without_port(uri) for uri in (registered, asked)]
    return None not in kept and kept[0] == kept[1]


def _without_port(uri: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    host = f"[{parts.hostname}]" if parts.hostname == "::1" else f"{parts.hostname}"
    origin, port = f"http://{host}", parts.netloc.removeprefix(host)
    rest = uri[len(origin + port) :]
    is_plain = uri.startswith(origin + port) and set(rest) <= {chr(code) for code in range(0x21, 0x7F)} and rest[:1] in {"", "/"}
    is_port = port == "" or (port[0] == ":" and 1 <= len(port[1:]) <= 5 and set(port[1:]) <= set(string.digits))
    return (origin, rest) if parts.hostname in _LOOPBACKS and is_plain and is_port else None


def check_basic(octets: bytes) -> None:
    """`read_credentials`, for the octets as the header field itself, and as what stands encoded in it."""
    with suppress(RequestRefused):
        read_credentials(octets.decode("utf-8", "surrogateescape"), {})
    try:
        credentials = read_credentials(f"Basic {base64.b64encode(octets).decode()}", {})
    except RequestRefused:
        before, colon, _ = octets.partition(b":")
        assert not before or not colon or octets.decode("utf-8", "replace").encode() != octets
        return
    assert credentials is not None
    name, secret = octets.decode().split(":", 1)
    readings = [(name, secret or None), (unquote_plus(name), unquote_plus(secret) or None)]
    assert list(credentials.readings) == readings[: 1 if readings[0] == readings[1] else 2]
    assert repr(credentials) == "ClientCredentials(by_basic=True)", "no secret is shown"


def check_language(octets: bytes) -> None:
    """`preferred`: always a language of ours, and English unless the header names it or leaves the choice to us."""
    header = octets.decode("utf-8", "surrogateescape")
    chosen = preferred(header)
    assert chosen in LANGUAGES
    assert chosen == LANGUAGES[0] or "*" in header or chosen in header.lower()
    assert preferred(f"{chosen}, {header}") == chosen, "of equals the first"


CHECKS: Final[dict[str, Callable[[bytes], None]]] = {
    "form": check_form,
    "redirect_uri": check_redirect_uri,
    "basic": check_basic,
    "language": check_language,
}
