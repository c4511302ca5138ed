"""Sign-in on Amazon's own page, by Login with Amazon, for a household without Home Assistant's accounts.

An id of Amazon's says nothing of a home, so a list of ids or an administrator must say whose may approve. Where an administrator
will have to recognise people, Amazon is asked for their names, and asks them for leave; their ids alone are told without a word.
"""

import re
from collections.abc import Mapping
from typing import Final

from alexa_oauth.protocol.credentials import new_secret
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Departure, PendingRequest, Person
from alexa_oauth.protocol.ports import Entropy, Store
from alexa_oauth.protocol.sign_in import (
    AwaitsAdministrator,
    GoElsewhere,
    NotAllowed,
    ServiceUnavailable,
    SignedIn,
    SignInCrowded,
    SignInOutcome,
    SignInVerdict,
    Visitor,
)
from alexa_oauth.sign_in.asking import Unreachable
from alexa_oauth.sign_in.login_with_amazon import SERVICE, Account, CodeRefused, LoginWithAmazon
from alexa_oauth.sign_in.throttle import Throttle, Tries

WAY: Final = "amazon"

_CODE: Final = re.compile(r"[\x21-\x7e]{1,512}")


class AllowedAccounts:
    """Whose account may approve: those of the setting, or, if it names none, those that an administrator confirmed."""

    def __init__(self, user_ids: tuple[str, ...], store: Store) -> None:
        self._user_ids = user_ids
        self._store = store

    @property
    def asks_administrator(self) -> bool:
        """Whether an administrator decides, who has to recognise people by name."""
        return not self._user_ids

    def judge(self, account: Account) -> SignInVerdict:
        """What becomes of a person of whom Amazon has said who they are."""
        person = Person(f"amazon:{account.user_id}", account.name)
        if account.user_id in self._user_ids or (
            self.asks_administrator and self._store.read(lambda tx: tx.accounts.is_confirmed(person.subject))
        ):
            return SignedIn(person.subject, name=person.name)
        return AwaitsAdministrator(person) if self.asks_administrator else NotAllowed(person, Reason.NOT_AN_APPROVER)


class Amazon:
    """Failed answers of the browser slow down the next ones: each costs a question to Amazon."""

    way = WAY
    service = SERVICE

    def __init__(
        self, amazon: LoginWithAmazon, allowed: AllowedAccounts, throttle: Throttle, tries: Tries, entropy: Entropy
    ) -> None:
        self._amazon = amazon
        self._allowed = allowed
        self._throttle = throttle
        self._tries = tries
        self._entropy = entropy

    async def prove(self, _pending: PendingRequest, _fields: Mapping[str, str], _visitor: Visitor) -> SignInOutcome:
        """Send the browser to Amazon; nothing is typed on our page."""
        departure = Departure(WAY, new_secret(self._entropy), new_secret(self._entropy))
        return GoElsewhere(self._amazon.page(departure, with_name=self._allowed.asks_administrator), departure)

    async def judge_return(self, pending: PendingRequest, answer: Mapping[str, str], visitor: Visitor) -> SignInVerdict:
        """Ask Amazon whose code it is."""
        departure, code = pending.departure, answer.get("code", "")
        if departure is None or "error" in answer or not _CODE.fullmatch(code):
            return self._tries.failed(pending)
        wait = await self._throttle.admit(SERVICE, visitor)
        if wait is not None:
            return SignInCrowded(wait)
        try:
            account = await self._amazon.identify(code, departure.verifier)
        except CodeRefused:
            return self._tries.failed(pending)
        except Unreachable as unreachable:
            self._throttle.forgive(SERVICE, visitor)
            return ServiceUnavailable(SERVICE, str(unreachable))
        self._throttle.forgive(SERVICE, visitor)
        return self._allowed.judge(account)
