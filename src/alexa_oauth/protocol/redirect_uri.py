"""Redirect URIs: which one is registered, and how parameters are put behind it (RFC 6749 §3.1.2, RFC 8252 §7.3)."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

from alexa_oauth.protocol.models import Client

_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?(/[\x21-\x7e]*)?")
_LAST_PORT: Final = 65_535
_LOCAL_HOST: Final = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(?:/[\x21-\x7e]*)?")


def is_loopback(uri: str) -> bool:
    """Whether the URI can only lead back to the machine on which it is opened."""
    return _LOCAL_HOST.fullmatch(uri) is not None


def is_registered(client: Client, uri: str) -> bool:
    """Byte for byte, so that no normalisation of ours differs from the client's.

    A native application cannot know its port beforehand: a public client's loopback URI matches with any (RFC 8252 §7.3).
    """
    if uri in client.redirect_uris:
        return True
    return client.is_public and _without_port(uri) in _loopbacks_without_port(client.redirect_uris)


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """The URI, byte for byte, with the parameters behind it (RFC 6749 appendix B)."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return f"{uri}{'&' if '?' in uri else '?'}{query}"


def _without_port(uri: str) -> tuple[str, str] | None:
    match = _LOOPBACK.fullmatch(uri)
    if match is None or int(match[2] or "0") > _LAST_PORT:
        return None
    return match[1], match[3] or ""


def _loopbacks_without_port(uris: Iterable[str]) -> set[tuple[str, str]]:
    return {parts for parts in map(_without_port, uris) if parts is not None}
