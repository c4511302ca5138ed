"""Sign-in by a short one-time code, which only those can read whom the house lets at its panel or terminal."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from alexa_oauth.protocol.credentials import read_pairing_code
from alexa_oauth.protocol.models import PendingRequest
from alexa_oauth.protocol.ports import Store, Transaction
from alexa_oauth.protocol.sign_in import NothingEntered, SignedIn, SignInCrowded, SignInOutcome, Visitor
from alexa_oauth.rate_limit import Brake
from alexa_oauth.sign_in.throttle import Tries

BRAKE_SECONDS: Final = 5
WAITING_LIMIT: Final = 16
"""How many may wait while the brake is on: it bounds guesses to 16 in 5 seconds, of 25,600,000,000 codes."""


class PairingCode:
    """Wrong tries are counted in memory: a stranger's guess costs no write to disk."""

    way = "pairing_code"

    def __init__(
        self,
        store: Store,
        brake: Brake,
        monotonic: Callable[[], float],
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        """`pause` waits so many seconds; `brake` counts wrong codes from anywhere."""
        self._store = store
        self._brake = brake
        self._pause = pause
        self._waiting = 0
        self._tries = Tries(monotonic)

    def is_guessed_at(self) -> bool:
        """Whether so many wrong codes arrived lately that every further one waits."""
        return self._brake.is_on()

    async def prove(self, pending: PendingRequest, fields: Mapping[str, str], _visitor: Visitor) -> SignInOutcome:
        """Judge the entered code; while the brake is on, right and wrong ones wait alike."""
        code = read_pairing_code(fields.get("pairing_code", ""))
        if not code:
            return NothingEntered()
        if self._brake.is_on():
            if self._waiting >= WAITING_LIMIT:
                return SignInCrowded(BRAKE_SECONDS)
            await self._wait()
        subject = self._store.read(lambda tx: tx.pairing_codes.find(code))
        if subject is None:
            self._brake.hit()
            return self._tries.failed(pending)

        def settle(tx: Transaction) -> bool:
            return tx.pairing_codes.spend(code) == subject

        return SignedIn(subject, settle)

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            await self._pause(BRAKE_SECONDS)
        finally:
            self._waiting -= 1
