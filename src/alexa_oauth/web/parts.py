"""What the endpoints are put together from; the root fills it in, once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from aiohttp import web

from alexa_oauth import __version__
from alexa_oauth.metrics import Metrics
from alexa_oauth.protocol.allowing import Button
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.policy import Policy
from alexa_oauth.protocol.ports import Entropy, Store
from alexa_oauth.protocol.sign_in import SignIn, SignInElsewhere
from alexa_oauth.rate_limit import FailureLimiter
from alexa_oauth.web.pages import Pages

Network = IPv4Network | IPv6Network

_PROXIES_TOLD: Final = 32


@dataclass(frozen=True, slots=True)
class PublicFace:
    """How the world reaches this server. `is_configured` is false while no public address was set."""

    origin: str
    is_configured: bool
    trusted_proxies: tuple[Network, ...]
    self_test: bool

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us by https, so that cookies can be `Secure`."""
        return self.origin.startswith("https://")


class UnknownProxies:
    """Peers that speak for others although nobody configured them as proxies; each is told of once."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        """`report` logs and counts an event."""
        self._report = report
        self._told: set[str] = set()

    def note(self, address: str) -> None:
        """A request came through that peer. Of strangers who only pretend, so many are told of and no more."""
        if address in self._told or len(self._told) >= _PROXIES_TOLD:
            return
        self._told.add(address)
        advice = {"advice": f"if this is your reverse proxy, add {address} to trusted_proxies; until then no address is limited"}
        self._report(Event(EventName.PROXY_UNKNOWN, address=address, detail=advice))


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that an endpoint needs. `report` logs and counts an event that costs no write to disk.

    `elsewhere` is `sign_in` again if that sends browsers to the page of another service, and so has a return route.
    """

    store: Store
    policy: Policy
    face: PublicFace
    sign_in: SignIn
    elsewhere: SignInElsewhere | None
    button: Button
    pages: Pages
    limiter: FailureLimiter
    entropy: Entropy
    report: Callable[[Event], None]
    checks: Callable[[], Mapping[str, str]]
    instance: Callable[[], str | None]
    doubts_clock: Callable[[], bool]
    unknown_proxies: UnknownProxies
    metrics: Metrics
    version: str = __version__


PARTS: Final = web.AppKey("parts", Parts)
