"""Sign-in by user name and password of Home Assistant's, on our own page and without a second factor.

The Supervisor says yes or no and no user id. So the subject is made of the name, `ha-name:<name>`, and is never taken for that of
a user id: Home Assistant lets names be changed, and given to somebody else.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from alexa_oauth.protocol.models import PendingRequest
from alexa_oauth.protocol.sign_in import NothingEntered, ServiceUnavailable, SignedIn, SignInCrowded, SignInOutcome, Visitor
from alexa_oauth.sign_in.asking import Unreachable, shown
from alexa_oauth.sign_in.passwords import SERVICE, SupervisorPasswords
from alexa_oauth.sign_in.throttle import Throttle, Tries

WAY: Final = "password"
CHECKS_AT_ONCE: Final = 2
"""Each is a slow hash in Core, on a machine that has other things to do; the others wait in turn."""
WAITING_CHECKS: Final = 32
CROWDED_SECONDS: Final = 5

_NAME_CHARACTERS: Final = 256
_PASSWORD_CHARACTERS: Final = 1_024


class Password:
    """Core limits no guesses that come by the Supervisor, so all of that is done here."""

    way = WAY

    def __init__(self, passwords: SupervisorPasswords, throttle: Throttle, tries: Tries) -> None:
        self._passwords = passwords
        self._throttle = throttle
        self._tries = tries
        self._turns = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._waiting = 0

    async def prove(self, pending: PendingRequest, fields: Mapping[str, str], visitor: Visitor) -> SignInOutcome:
        """Judge what was entered. A name that does not exist waits, is asked for and answered as any other."""
        name, password = normalised(fields.get("username", "")), fields.get("password", "")
        if not name or not password:
            return NothingEntered()
        if len(name) > _NAME_CHARACTERS or len(password) > _PASSWORD_CHARACTERS:
            return self._tries.failed(pending)
        wait = await self._throttle.admit(name, visitor)
        if wait is not None or self._waiting >= WAITING_CHECKS:
            return SignInCrowded(wait or CROWDED_SECONDS)
        try:
            async with self._turn():
                fits = await self._passwords.fits(name, password)
        except Unreachable as unreachable:
            self._throttle.forgive(name, visitor)
            return ServiceUnavailable(SERVICE, str(unreachable))
        if not fits:
            return self._tries.failed(pending)
        self._throttle.forgive(name, visitor)
        return SignedIn(f"ha-name:{name}", name=shown(name, name))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1


def normalised(name: str) -> str:
    """A name as Home Assistant compares it, so that one account is one account to the throttle and in a subject."""
    return name.strip().casefold()
