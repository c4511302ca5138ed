"""How wrong sign-ins slow down the next ones, so that guessing leads nowhere and nobody is locked out.

A try that may be right waits as long as one that is wrong, and is then judged: a stranger who fails in the owner's name makes
the owner wait for seconds, never more. Everything is counted in memory, whose size strangers cannot choose.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from cachetools import TTLCache

from alexa_oauth.protocol.models import PendingRequest
from alexa_oauth.protocol.policy import PENDING_LIMIT, PENDING_SECONDS
from alexa_oauth.protocol.sign_in import SignInFailed, Visitor
from alexa_oauth.rate_limit import network_of

TRIES_PER_REQUEST: Final = 5

FREE_TRIES: Final = 3
"""How many may be wrong before the next one waits: people mistype."""
ACCOUNT_SECONDS: Final = 16
"""The longest wait that strangers can cause for somebody else."""
ADDRESS_SECONDS: Final = 32
"""The longest wait for who fails again and again: proxies give an answer up after a minute."""
FORGOTTEN_SECONDS: Final = 3_600
KEYS: Final = 4_096
WAITING_OF_ADDRESS: Final = 4
WAITING: Final = 64


class Tries:
    """How often a pending request was answered wrongly."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._wrong: TTLCache[str, int] = TTLCache(PENDING_LIMIT, PENDING_SECONDS, monotonic)

    def failed(self, pending: PendingRequest) -> SignInFailed:
        """Count one more; after `TRIES_PER_REQUEST` none is left."""
        wrong = self._wrong.get(pending.request_id, 0) + 1
        self._wrong[pending.request_id] = wrong
        return SignInFailed(max(0, TRIES_PER_REQUEST - wrong))


class Throttle:
    """Waits that double with each wrong try, by account and by network; an account need not exist to be counted."""

    def __init__(self, monotonic: Callable[[], float], pause: Callable[[float], Awaitable[None]]) -> None:
        """`pause` waits so many seconds."""
        self._pause = pause
        self._tries: TTLCache[str, int] = TTLCache(KEYS, FORGOTTEN_SECONDS, monotonic)
        self._waiting: Counter[str] = Counter()

    async def admit(self, account: str, visitor: Visitor) -> int | None:
        """Count a try, and wait as those before it ask; without counting, the seconds to come back after if many wait already.

        It counts before it is judged, so that a hundred tries at once are no way around the wait. `forgive` one that was right.
        """
        network = _network_of(visitor)
        seconds = self._seconds(account, network)
        if seconds and not self._has_room(network):
            return seconds
        self._count(account, network, 1)
        if seconds:
            with self._waits(network):
                await self._pause(seconds)
        return None

    def forgive(self, account: str, visitor: Visitor) -> None:
        """Take back a try that turned out to be right, or could not be judged."""
        self._count(account, _network_of(visitor), -1)

    def _seconds(self, account: str, network: str | None) -> int:
        of_account = _wait_after(self._tries.get(_account_key(account), 0), ACCOUNT_SECONDS)
        of_network = _wait_after(self._tries.get(network, 0), ADDRESS_SECONDS) if network else 0
        return max(of_account, of_network)

    def _count(self, account: str, network: str | None, step: int) -> None:
        for key in (_account_key(account), network):
            if key is not None:
                self._tries[key] = max(0, self._tries.get(key, 0) + step)

    def _has_room(self, network: str | None) -> bool:
        return self._waiting.total() < WAITING and (network is None or self._waiting[network] < WAITING_OF_ADDRESS)

    @contextmanager
    def _waits(self, network: str | None) -> Iterator[None]:
        key = network or ""
        self._waiting[key] += 1
        try:
            yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]


def _wait_after(tries: int, most: int) -> int:
    return min(most, 2 ** min(tries - FREE_TRIES, most.bit_length())) if tries >= FREE_TRIES else 0


def _account_key(account: str) -> str:
    """No account is mistaken for a network."""
    return f"account {account}"


def _network_of(visitor: Visitor) -> str | None:
    """`None` behind a proxy that nobody configured, where everybody would look like one address."""
    return network_of(visitor.address) if visitor.address_is_known else None
