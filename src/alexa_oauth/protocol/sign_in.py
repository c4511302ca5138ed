"""What a way to sign in promises: the words in which it answers who a person is, and the port that each way fits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Departure, PendingRequest, Person
from alexa_oauth.protocol.ports import Transaction


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands at the consent page: the address as the proxies tell it, and whether it can be believed."""

    address: str
    address_is_known: bool


def return_path(way: str) -> str:
    """Where the service of that way sends the browser back to; `way` is the value of the setting `sign_in`."""
    return f"/alexa/sign-in/{way.replace('_', '-')}"


def _settled(_: Transaction) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person is known: `subject` is `ha:<user id>`, `amazon:<user id>` or `local`, `name` what pages call them.

    `settle` spends the proof in the transaction of the approval; false if it was spent meanwhile. `way` is for the audit
    trail: how they were let in, where that was not the configured way.
    """

    subject: str
    settle: Callable[[Transaction], bool] = _settled
    name: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True)
class GoElsewhere:
    """The person signs in on the page of another service: where that is, and what finds the request again afterwards."""

    location: str = field(repr=False)
    departure: Departure


@dataclass(frozen=True, slots=True)
class NothingEntered:
    """There is nothing to judge, so it costs no try: the person may have hoped to be let in by the panel's button."""


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """The proof was wrong; after the last attempt the request is over."""

    attempts_left: int


@dataclass(frozen=True, slots=True)
class SignInCrowded:
    """Too many wrong tries are arriving; the person may try again after `retry_after` seconds."""

    retry_after: int


@dataclass(frozen=True, slots=True)
class ServiceUnavailable:
    """The service that knows the person did not answer, or not as it should; the person may try again.

    `service` is its name as people know it, `problem` what our operator reads.
    """

    service: str
    problem: str


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The person is who they say, and may not approve: `why` is `NOT_AN_APPROVER` or `ACCOUNT_REFUSED`.

    `person` is `None` if the service refuses the account without saying whose it is.
    """

    person: Person | None
    why: Reason


@dataclass(frozen=True, slots=True)
class AwaitsAdministrator:
    """The person is who they say, and an administrator must allow them in the panel."""

    person: Person


NotSignedIn = NothingEntered | SignInFailed | SignInCrowded | ServiceUnavailable | NotAllowed | AwaitsAdministrator
SignInVerdict = SignedIn | NotSignedIn
SignInOutcome = SignInVerdict | GoElsewhere


class SignIn(Protocol):
    """One way for a person to prove who they are."""

    @property
    def way(self) -> str:
        """The value of the setting `sign_in`; the consent page picks its fields by it."""

    async def prove(self, pending: PendingRequest, fields: Mapping[str, str], visitor: Visitor) -> SignInOutcome:
        """Judge what the person entered, or send them to where they can prove it."""


class SignInElsewhere(SignIn, Protocol):
    """A way whose page is another service's: `prove` sends the browser there, and `judge_return` hears what it brings back."""

    @property
    def service(self) -> str:
        """The service's name as people know it, such as `Home Assistant`."""

    async def judge_return(self, pending: PendingRequest, answer: Mapping[str, str], visitor: Visitor) -> SignInVerdict:
        """Ask the service who came back, by the parameters (RFC 6749 §4.1.2) that the browser brought for `pending.departure`."""
