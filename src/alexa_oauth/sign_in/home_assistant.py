"""Sign-in on Home Assistant's own page, so that its two-factor, its bans and its disabled users count here.

The browser goes to the address by which people reach Home Assistant, and this server asks back at the one by which it does: the
two may differ, as they do behind a proxy. To Home Assistant this server is a client (its flavour of IndieAuth): the client id is
our address, and the redirect URI lies under it, so that Home Assistant need not reach us.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from alexa_oauth.protocol.credentials import new_secret
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Departure, PendingRequest, Person
from alexa_oauth.protocol.pkce import challenge_of
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.protocol.sign_in import (
    GoElsewhere,
    NotAllowed,
    ServiceUnavailable,
    SignedIn,
    SignInOutcome,
    SignInVerdict,
    Visitor,
    return_path,
)
from alexa_oauth.sign_in.asking import Unreachable
from alexa_oauth.sign_in.codes import Codes
from alexa_oauth.sign_in.home_assistant_core import AccountRefused, HomeAssistantCore, User

WAY: Final = "home_assistant"
SERVICE: Final = "Home Assistant"
ADD_ON_ADDRESSES: Final = ("http://homeassistant", "http://homeassistant:8123")
"""Where an add-on finds Home Assistant; which of the two depends on when it was installed."""


def client_id_of(public_url: str) -> str:
    """Under which name Home Assistant knows the server of that address."""
    return f"{public_url}/"


@dataclass(frozen=True, slots=True)
class Household:
    """Where browsers find this server and Home Assistant, both without a slash at the end, and who may approve.

    `approvers` is `("admins",)`, `("everyone",)` or ids of users.
    """

    public_url: str
    home_assistant_url: str
    approvers: tuple[str, ...]

    def may_approve(self, user: User) -> bool:
        """Whether that user may link the home."""
        match self.approvers:
            case ("everyone",):
                return True
            case ("admins",):
                return user.is_admin
            case _:
                return user.user_id in self.approvers


class HomeAssistant:
    """The way to Home Assistant's page and back."""

    way = WAY
    service = SERVICE

    def __init__(self, household: Household, core: HomeAssistantCore, codes: Codes, entropy: Entropy) -> None:
        self._household = household
        self._core = core
        self._codes = codes
        self._entropy = entropy

    async def prove(self, _pending: PendingRequest, _fields: Mapping[str, str], _visitor: Visitor) -> SignInOutcome:
        """Send the browser to Home Assistant, if that is there; nothing is typed on our page."""
        try:
            offers_pkce = await self._core.offers_pkce()
        except Unreachable as unreachable:
            return ServiceUnavailable(SERVICE, str(unreachable))
        # A verifier without a challenge is an error to Core, so both are sent or none.
        departure = Departure(WAY, new_secret(self._entropy), new_secret(self._entropy) if offers_pkce else None)
        return GoElsewhere(self._authorization(departure), departure)

    async def judge_return(self, pending: PendingRequest, answer: Mapping[str, str], visitor: Visitor) -> SignInVerdict:
        """Ask Home Assistant whose code it is."""
        return await self._codes.judge(pending, answer, visitor, self._inquire)

    async def _inquire(self, code: str, verifier: str | None) -> SignInVerdict:
        try:
            return self._judge(await self._core.identify(code, verifier))
        except AccountRefused:
            return NotAllowed(None, Reason.ACCOUNT_REFUSED)

    def _judge(self, user: User) -> SignInVerdict:
        person = Person(f"ha:{user.user_id}", user.name)
        if not self._household.may_approve(user):
            return NotAllowed(person, Reason.NOT_AN_APPROVER)
        return SignedIn(person.subject, name=person.name)

    def _authorization(self, departure: Departure) -> str:
        public_url = self._household.public_url
        parameters = {
            "response_type": "code",
            "client_id": client_id_of(public_url),
            "redirect_uri": public_url + return_path(WAY),
            "state": departure.state,
        }
        if departure.verifier is not None:
            parameters |= {"code_challenge": challenge_of(departure.verifier), "code_challenge_method": "S256"}
        return f"{self._household.home_assistant_url}/auth/authorize?{urlencode(parameters)}"
