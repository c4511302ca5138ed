"""How busy the server is, hour by hour: what is counted, how long it is kept, and what the numbers say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Final

from alexa_oauth.protocol.events import Event, EventName, Reason

HOUR: Final = 3_600
KEPT_SECONDS: Final = 8 * 86_400
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.5)
"""Upper bounds of the classes of answer times, in seconds; Alexa waits for 4.5. One class more holds what took longer."""


class Tally(StrEnum):
    """What is counted by the hour."""

    APPROVED = "approved"
    LINKED = "linked"
    REFRESHED = "refreshed"
    REPLAYED = "replayed"
    REFUSED = "refused"
    """Token requests of a client that proved who it is, refused all the same."""
    REUSED = "reused"
    FAILED = "failed"
    """Requests of callers who proved nothing."""


_TALLIES: Final = {
    EventName.CODE_ISSUED: Tally.APPROVED,
    EventName.TOKEN_ISSUED: Tally.LINKED,
    EventName.TOKEN_REFRESHED: Tally.REFRESHED,
    EventName.TOKEN_REPLAYED: Tally.REPLAYED,
    EventName.TOKEN_REUSED: Tally.REUSED,
    EventName.AUTHORIZE_REFUSED: Tally.FAILED,
    EventName.CONSENT_REFUSED: Tally.FAILED,
    EventName.SIGN_IN_FAILED: Tally.FAILED,
    EventName.INTROSPECTION_REFUSED: Tally.FAILED,
    EventName.REVOCATION_REFUSED: Tally.FAILED,
}
_OF_A_KNOWN_CLIENT: Final = frozenset(
    {
        Reason.CODE_EXPIRED,
        Reason.CODE_USED,
        Reason.CODE_EXHAUSTED,
        Reason.REDIRECT_URI_DIFFERS,
        Reason.VERIFIER_MISSING,
        Reason.VERIFIER_WRONG,
        Reason.VERIFIER_UNEXPECTED,
        Reason.CODE_UNKNOWN,
        Reason.REFRESH_TOKEN_UNKNOWN,
        Reason.REFRESH_TOKEN_EXPIRED,
        Reason.REFRESH_TOKEN_REUSED,
        Reason.GRANT_NOT_LIVE,
        Reason.SCOPE_WIDER,
        Reason.STORAGE_UNAVAILABLE,
        Reason.CLOCK_DOUBTFUL,
    }
)
"""Reasons that a token request meets only after its client is authenticated."""


def tally_of(event: Event) -> Tally | None:
    """What the event counts as, if it does."""
    if event.name is EventName.TOKEN_REFUSED:
        return Tally.REFUSED if event.reason in _OF_A_KNOWN_CLIENT else Tally.FAILED
    return _TALLIES.get(event.name)


def class_name(number: int) -> str:
    """The name under which answer times of that class are counted, 0 being that of the first bound."""
    return f"time_{number}"


@dataclass(frozen=True, slots=True)
class Activity:
    """The counts of one hour, which began at `begins_at`; or of several, from `begins_at` on."""

    begins_at: int
    counts: Mapping[str, int] = field(default_factory=dict)

    def count(self, *tallies: Tally) -> int:
        """How many there were of these together."""
        return sum(self.counts.get(tally, 0) for tally in tallies)

    @property
    def tokens(self) -> int:
        """Access tokens given out."""
        return self.count(Tally.LINKED, Tally.REFRESHED)

    @property
    def success(self) -> float | None:
        """Token requests of known clients that got their tokens, of 1; `None` if there was no request."""
        good = self.count(Tally.LINKED, Tally.REFRESHED, Tally.REPLAYED)
        asked = good + self.count(Tally.REFUSED, Tally.REUSED)
        return good / asked if asked else None

    def seconds_within(self, share: float) -> float | None:
        """The bound of the time within which that share of the answers was given; infinite beyond the last bound."""
        classes = [self.counts.get(class_name(number), 0) for number in range(len(BOUNDS) + 1)]
        needed, seen = share * sum(classes), 0
        if not needed:
            return None
        for bound, number in zip(BOUNDS, classes, strict=False):
            seen += number
            if seen >= needed:
                return bound
        return inf


def by_hour(hours: Iterable[Activity], now: int, number: int) -> tuple[Activity, ...]:
    """So many hours up to the present one, the oldest first; those in which nothing happened are empty."""
    known = {hour.begins_at: hour for hour in hours}
    present = now - now % HOUR
    return tuple(known.get(at, Activity(at)) for at in range(present - (number - 1) * HOUR, present + HOUR, HOUR))


def together(hours: Iterable[Activity]) -> Activity:
    """All of them as one."""
    ordered = sorted(hours, key=lambda hour: hour.begins_at)
    counts: dict[str, int] = {}
    for hour in ordered:
        for name, count in hour.counts.items():
            counts[name] = counts.get(name, 0) + count
    return Activity(ordered[0].begins_at if ordered else 0, counts)
