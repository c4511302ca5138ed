"""Where the public name leads, and whether anything listens there, over IPv4 and over IPv6."""

import asyncio
import errno
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from alexa_oauth.diagnosis.causes import address as causes
from alexa_oauth.diagnosis.findings import Evidence, Finding, failed, not_testable, passed, warned
from alexa_oauth.diagnosis.outside import DEADLINE_SECONDS, HTTPS, Destination, NameNotFound, Outside, Site, describe

_SPECIAL: Final = (
    (IPv4Network("127.0.0.0/8"), "this machine itself (loopback)"),
    (IPv6Network("::1/128"), "this machine itself (loopback)"),
    (IPv4Network("100.64.0.0/10"), "inside a provider's network or a tailnet (CGNAT, 100.64.0.0/10)"),
    (IPv6Network("fc00::/7"), "inside a home network (IPv6 unique local)"),
    (IPv4Network("169.254.0.0/16"), "one cable only (link-local)"),
    (IPv6Network("fe80::/10"), "one cable only (link-local)"),
)
_NO_WAY_OUT: Final = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What the system says if this machine itself has no address of that family."""
_HAIRPIN: Final = (
    " Some routers do not let their own network in by the public address: open it on a phone with Wi-Fi off to be sure."
)


@dataclass(frozen=True, slots=True)
class Knock:
    """One try to connect; `problem` is empty if it was opened. `is_ours`: this machine cannot even try."""

    address: str
    problem: str = ""
    is_ours: bool = False

    @property
    def is_ipv6(self) -> bool:
        """Which family the address is of."""
        return ":" in self.address


@dataclass(frozen=True, slots=True)
class Named:
    """What the name leads to, and how each address took a knock."""

    findings: tuple[Finding, ...]
    knocks: tuple[Knock, ...] = ()

    @property
    def open(self) -> tuple[str, ...]:
        """The addresses that can be called, IPv4 first."""
        return tuple(sorted((knock.address for knock in self.knocks if not knock.problem), key=lambda address: ":" in address))


async def check_name(outside: Outside, site: Site) -> Named:
    """Resolve the name, judge each address by its kind, and knock at all of them at once."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            addresses = tuple(dict.fromkeys(await outside.resolve(site.name)))
    except (NameNotFound, TimeoutError) as error:
        problem = str(error) or "the DNS did not answer"
        return Named((failed(causes.NAME_NOT_FOUND, evidence=[Evidence("resolver", problem)]),))
    knocks = tuple(await asyncio.gather(*(_knock(outside, site, address) for address in addresses)))
    found = [Evidence("address", f"{address} ({kind_of(address)})") for address in addresses]
    known = passed(causes.NAME_NOT_FOUND, f"{site.name} leads to {', '.join(addresses)}.", found)
    return Named((known, _judge_kinds(addresses), _judge_port(site), _judge_openness(site, knocks), _judge_ipv6(knocks)), knocks)


def kind_of(address: str) -> str:
    """Who can reach such an address, in words."""
    parsed = ip_address(address)
    special = next((kind for network, kind in _SPECIAL if parsed.version == network.version and parsed in network), None)
    return special or ("public" if parsed.is_global else "inside a home network (private)")


async def _knock(outside: Outside, site: Site, address: str) -> Knock:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            _, writer = await outside.connect(Destination(address, site.port, site.name))
    except TimeoutError:
        return Knock(address, f"no answer within {DEADLINE_SECONDS} seconds")
    except OSError as error:
        return Knock(address, describe(error), is_ours=error.errno in _NO_WAY_OUT)
    writer.close()
    return Knock(address)


def _judge_kinds(addresses: tuple[str, ...]) -> Finding:
    hidden = [address for address in addresses if kind_of(address) != "public"]
    if not hidden:
        return passed(causes.ADDRESS_PRIVATE, "Every address of the name is a public one.")
    told = "; ".join(f"{address}, which is {kind_of(address)}" for address in hidden)
    fix = f"{causes.ADDRESS_PRIVATE.fix} If your own router or DNS says so at home only, on purpose, this is no fault."
    return failed(causes.ADDRESS_PRIVATE, f"Amazon cannot reach {told}.", fix)


def _judge_port(site: Site) -> Finding:
    if site.port == HTTPS:
        return passed(causes.PORT_NOT_443, "The public address uses port 443.")
    return warned(causes.PORT_NOT_443, f"The public address uses port {site.port}; Amazon expects 443, other ports often fail.")


def _judge_openness(site: Site, knocks: tuple[Knock, ...]) -> Finding:
    judged = [knock for knock in knocks if not knock.is_ipv6] or [knock for knock in knocks if not knock.is_ours]
    closed = [knock for knock in judged if knock.problem]
    evidence = [Evidence(knock.address, knock.problem or "open") for knock in knocks]
    if not judged:
        return not_testable(causes.PORT_CLOSED, "The name has IPv6 addresses only, and this machine has no IPv6.")
    if not closed:
        return passed(causes.PORT_CLOSED, f"Something listens on port {site.port}.", evidence)
    told = "; ".join(f"{knock.address}: {knock.problem}" for knock in closed)
    judge = failed if len(closed) == len(judged) else warned
    return judge(causes.PORT_CLOSED, f"Port {site.port} does not open ({told}).", causes.PORT_CLOSED.fix + _HAIRPIN, evidence)


def _judge_ipv6(knocks: tuple[Knock, ...]) -> Finding:
    sixes = [knock for knock in knocks if knock.is_ipv6]
    dead = [knock for knock in sixes if knock.problem and not knock.is_ours]
    if not sixes:
        return passed(causes.IPV6_DEAD, "The name has no IPv6 address, so none can be dead.")
    if dead:
        told = "; ".join(f"{knock.address}: {knock.problem}" for knock in dead)
        return failed(causes.IPV6_DEAD, f"The IPv6 address does not answer ({told}).")
    if any(knock.is_ours for knock in sixes):
        return not_testable(causes.IPV6_DEAD, "The name has an IPv6 address, but this machine has no IPv6 to try it with.")
    return passed(causes.IPV6_DEAD, "The IPv6 address answers, too.")
