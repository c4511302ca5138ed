"""How often strangers may fail. Only failures are counted, and only after they failed.

A request that would succeed is never refused for what others did, so nobody can cut Alexa or the owner off by failing often
in their place. Memory is bounded, whatever addresses callers come from.
"""

import ipaddress
import math
from collections import deque
from collections.abc import Callable
from typing import Final

from cachetools import TTLCache

NO_ADDRESS: Final = "unknown"
"""The one network of all callers whose address cannot be read, such as those of a Unix socket."""

_IPV6_HOME_BITS: Final = 64


def network_of(address: str) -> str:
    """What one caller can choose from freely counts as one: an IPv4 address, mapped into IPv6 or not, or an IPv6 /64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return NO_ADDRESS
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((int(found), _IPV6_HOME_BITS), strict=False))
        found = found.ipv4_mapped
    return str(found)


class FailureLimiter:
    """Counts failures by network over a sliding window, `limit` of them in `window` seconds.

    Beyond `addresses` networks the one that failed longest ago is forgotten.
    """

    def __init__(self, monotonic: Callable[[], float], *, limit: int = 10, window: int = 3_600, addresses: int = 4_096) -> None:
        self._monotonic = monotonic
        self._limit = limit
        self._window = window
        self._failures: TTLCache[str, tuple[float, ...]] = TTLCache(addresses, window, monotonic)

    def failed(self, address: str) -> int | None:
        """Count a failure; over the limit, the seconds after which the caller may fail again, else `None`.

        A failure over the limit is not counted, so that the wait ends at the named time even for a caller who keeps trying.
        """
        now = self._monotonic()
        network = network_of(address)
        counted = tuple(at for at in self._failures.get(network, ()) if at + self._window > now)
        if len(counted) >= self._limit:
            return math.ceil(counted[0] + self._window - now)
        self._failures[network] = (*counted, now)
        return None


class Brake:
    """Counts what happens from anywhere; on as soon as `limit` of them lie within `window` seconds."""

    def __init__(self, monotonic: Callable[[], float], *, limit: int = 30, window: int = 600) -> None:
        self._monotonic = monotonic
        self._window = window
        self._hits: deque[float] = deque(maxlen=limit)

    def hit(self) -> None:
        """Count one."""
        self._hits.append(self._monotonic())

    def is_on(self) -> bool:
        """Whether too many were counted lately."""
        return len(self._hits) == self._hits.maxlen and self._hits[0] + self._window > self._monotonic()
