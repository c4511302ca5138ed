"""What the endpoints are put together from; the root fills it in, once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from aiohttp import web

from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.policy import Policy
from alexa_oauth.protocol.ports import Entropy, SignIn, Store
from alexa_oauth.rate_limit import FailureLimiter
from alexa_oauth.web.pages import Pages

Network = IPv4Network | IPv6Network


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


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that an endpoint needs. `report` logs and counts an event that costs no write to disk."""

    store: Store
    policy: Policy
    face: PublicFace
    sign_in: SignIn
    pages: Pages
    limiter: FailureLimiter
    entropy: Entropy
    report: Callable[[Event], None]
    checks: Callable[[], Mapping[str, str]]
    doubts_clock: Callable[[], bool]
    version: str


PARTS: Final = web.AppKey("parts", Parts)
