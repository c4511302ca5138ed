"""A service elsewhere that knows people, as a way to sign in sees it: each code that it gives out stands for one verdict."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from alexa_oauth.protocol.credentials import new_secret
from alexa_oauth.protocol.models import Departure, PendingRequest, Person
from alexa_oauth.protocol.sign_in import GoElsewhere, SignedIn, SignInFailed, SignInOutcome, SignInVerdict, Visitor
from tests.rig import Answer, CountedChance

PAGE: Final = "https://identity.test/authorize"
ANNA: Final = Person("test:anna", "Anna <3")
WELCOME: Final = "code-of-anna"
FAILED: Final = SignInFailed(4)


async def _nothing() -> None:
    pass


@dataclass(slots=True)
class IdentityService:
    """The way to that service. `verdicts` by code; `asked` are the codes that it was asked about, in order.

    `meanwhile` happens before it answers.
    """

    way: str = "home_assistant"
    service: str = "Test Identity"
    verdicts: dict[str, SignInVerdict] = field(default_factory=lambda: {WELCOME: SignedIn(ANNA.subject, name=ANNA.name)})
    unavailable: SignInVerdict | None = None
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] = _nothing
    chance: CountedChance = field(default_factory=CountedChance)

    async def prove(self, _pending: PendingRequest, _fields: Mapping[str, str], _visitor: Visitor) -> SignInOutcome:
        """Send the browser to the service's page."""
        if self.unavailable is not None:
            return self.unavailable
        state = new_secret(self.chance)
        return GoElsewhere(f"{PAGE}?{urlencode({'state': state})}", Departure(self.way, state, verifier="v" * 43))

    async def judge_return(self, pending: PendingRequest, answer: Mapping[str, str], _visitor: Visitor) -> SignInVerdict:
        """What the code stands for."""
        assert pending.departure is not None
        assert pending.departure.verifier == "v" * 43, "sealed with the request, it comes back with it"
        self.asked.append(answer.get("code", ""))
        await self.meanwhile()
        return self.verdicts.get(answer.get("code", ""), FAILED)


def state_of(departure: Answer) -> str:
    """The `state` with which the browser is sent to the service."""
    assert departure.status == 303, departure.text
    assert departure.location.startswith(PAGE)
    (state,) = parse_qs(urlsplit(departure.location).query)["state"]
    return state


def way_back(departure: Answer, code: str = WELCOME, **changes: str) -> str:
    """The target to which the service sends the browser back."""
    return f"/alexa/sign-in/home-assistant?{urlencode({'code': code, 'state': state_of(departure), **changes})}"
