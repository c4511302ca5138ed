"""Sign-in on Amazon's own page, by Login with Amazon, for a household without Home Assistant's accounts.

An id of Amazon's says nothing of a home, so a list of ids or an administrator must say whose may approve. Where an administrator
will have to recognise people, Amazon is asked for their names, and asks them for leave; their ids alone are told without a word.
"""

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
    SignedIn,
    SignInOutcome,
    SignInVerdict,
    Visitor,
)
from alexa_oauth.sign_in.codes import Codes
from alexa_oauth.sign_in.login_with_amazon import SERVICE, Account, LoginWithAmazon

WAY: Final = "amazon"


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
    """The way to Amazon's page and back."""

    way = WAY
    service = SERVICE

    def __init__(self, amazon: LoginWithAmazon, allowed: AllowedAccounts, codes: Codes, entropy: Entropy) -> None:
        self._amazon = amazon
        self._allowed = allowed
        self._codes = codes
        self._entropy = entropy

    async def prove(self, _pending: PendingRequest, _fields: Mapping[str, str], _visitor: Visitor) -> SignInOutcome:
        """Send the browser to Amazon; nothing is typed on our page."""
        departure = Departure(WAY, new_secret(self._entropy), new_secret(self._entropy))
        return GoElsewhere(self._amazon.page(departure, with_name=self._allowed.asks_administrator), departure)

    async def judge_return(self, pending: PendingRequest, answer: Mapping[str, str], visitor: Visitor) -> SignInVerdict:
        """Ask Amazon whose code it is."""
        return await self._codes.judge(pending, answer, visitor, self._inquire)

    async def _inquire(self, code: str, verifier: str | None) -> SignInVerdict:
        return self._allowed.judge(await self._amazon.identify(code, verifier))
