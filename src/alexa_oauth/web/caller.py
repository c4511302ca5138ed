"""Who calls: the address behind the proxies that the operator trusts, and no other."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from aiohttp import web

from alexa_oauth.web.parts import PARTS, Network

FORWARDING_HEADERS: Final = ("X-Forwarded-For", "Forwarded", "CF-Connecting-IP")

_MARK_OF_A_PROXY: Final = re.compile(r"x-forwarded.*|forwarded|via|x-real-ip|x-client-ip|true-client-ip|cf-.*", re.IGNORECASE)
_HOP: Final = re.compile(r"\[?([0-9A-Fa-f:.]{2,45}?)\]?(?::[0-9]{1,5})?")
USER_AGENT_CHARACTERS: Final = 300
_LONGEST: Final = 45
"""Characters of the longest address, an IPv4-mapped one spelt out: nothing longer is one, nor is remembered."""
_ADDRESSES_REMEMBERED: Final = 1_024
_Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Caller:
    """`address` as text. `is_known` is false behind a proxy that nobody configured: then all callers look like one."""

    address: str
    is_known: bool


def identify(request: web.Request) -> Caller:
    """The client's address: the right-most hop of `X-Forwarded-For` that is no trusted proxy, if the peer is one.

    What an untrusted peer says of other addresses is not believed, but tells that it is a proxy.
    """
    if not any(name in request.headers for name in FORWARDING_HEADERS):
        return _direct(request.remote)
    peer, trusted = peer_of(request), request.app[PARTS].face.trusted_proxies
    if peer is None or not _is_trusted(peer, trusted):
        request.app[PARTS].unknown_proxies.note(str(peer or "unknown"))
        return Caller(str(peer or "unknown"), is_known=False)
    address = peer
    for hop in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
        parsed = _parse(hop.strip())
        if parsed is None:
            break
        address = parsed
        if not _is_trusted(address, trusted):
            break
    return Caller(str(address), is_known=True)


def is_local(request: web.Request) -> bool:
    """Whether the request was made on this machine: its peer is here, and nothing in its head tells of a proxy."""
    peer = peer_of(request)
    return peer is not None and peer.is_loopback and not any(map(_MARK_OF_A_PROXY.fullmatch, request.headers))


def peer_of(request: web.Request) -> _Address | None:
    """The other end of the connection itself, whatever is said of others."""
    return _parse(request.remote) if request.remote else None


@lru_cache(_ADDRESSES_REMEMBERED)
def _direct(remote: str | None) -> Caller:
    """Who calls without a word about others."""
    peer = _parse(remote) if remote else None
    return Caller(str(peer or "unknown"), is_known=True)


def user_agent_of(request: web.Request) -> str:
    """What the caller's program says of itself, cut."""
    return request.headers.get("User-Agent", "")[:USER_AGENT_CHARACTERS]


def _parse(text: str) -> _Address | None:
    """One hop: with or without port and brackets; a zone is another machine's affair."""
    match = _HOP.fullmatch(text) if text.count(":") <= 1 or text.startswith("[") else None
    address = match[1] if match else text.partition("%")[0]
    return _read(address) if len(address) <= _LONGEST else None


@lru_cache(_ADDRESSES_REMEMBERED)
def _read(text: str) -> _Address | None:
    """An address as it is compared. An IPv4-mapped one is the IPv4 one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _is_trusted(address: _Address, trusted: tuple[Network, ...]) -> bool:
    return any(address in network for network in trusted)
