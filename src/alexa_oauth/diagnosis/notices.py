"""What an administrator should hear of without asking: judged from the counts of the last day and the living links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alexa_oauth.protocol.activity import Activity, Tally, together
from alexa_oauth.protocol.reading import Lifetime

MANY_FAILURES: Final = 30
MANY_TOKENS: Final = 100
LEAST_SUCCESS: Final = 0.99
ENDS_SOON_SECONDS: Final = 7 * 86_400
_DAY: Final = 86_400


class Kind(StrEnum):
    """What a notice is about."""

    TOKEN_REUSED = "token_reused"
    MANY_TOKENS = "many_tokens"
    MANY_FAILURES = "many_failures"
    FEW_SUCCEED = "few_succeed"
    NO_TOKENS = "no_tokens"
    LINK_ENDS = "link_ends"


_GRAVE: Final = frozenset({Kind.TOKEN_REUSED, Kind.MANY_TOKENS})
_PRESSING: Final = _GRAVE | {Kind.MANY_FAILURES, Kind.LINK_ENDS}


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence on what is unusual, and one on what to do about it. Neither says whose link it is."""

    kind: Kind
    sentence: str
    advice: str

    @property
    def is_grave(self) -> bool:
        """Whether somebody may be abusing a link."""
        return self.kind in _GRAVE

    @property
    def is_pressing(self) -> bool:
        """Whether waiting may cost a link, so that every page tells it."""
        return self.kind in _PRESSING


def notices(day: Sequence[Activity], links: Iterable[Lifetime], unused_seconds: int, now: int) -> tuple[Notice, ...]:
    """Of the hours of the last day, and of the links; what is said of several is said once.

    `unused_seconds` of disuse end a link, 0 is never.
    """
    living = tuple(links)
    judged = (
        *_of_abuse(day),
        *_of_failures(day),
        *_of_silence(day, living, now),
        *(_of_ending(link, unused_seconds, now) for link in living),
    )
    return tuple(dict.fromkeys(notice for notice in judged if notice is not None))


def _of_abuse(day: Sequence[Activity]) -> Iterable[Notice | None]:
    if together(day).count(Tally.REUSED):
        yield Notice(
            Kind.TOKEN_REUSED,
            "A token that was replaced long ago was used again.",
            "The page Attempts says whose it is. If you know of no copy of it, make a new client secret and link anew.",
        )
    busiest = max((hour.tokens for hour in day), default=0)
    if busiest > MANY_TOKENS:
        yield Notice(
            Kind.MANY_TOKENS,
            f"{busiest} tokens were given out within an hour, which no household needs.",
            "The page Audit says for which link. End it if you do not know it.",
        )


def _of_failures(day: Sequence[Activity]) -> Iterable[Notice | None]:
    most = max((hour.count(Tally.FAILED) for hour in day[-2:]), default=0)
    if most > MANY_FAILURES:
        advice = "The page Attempts says what was tried. Right requests still pass; a wrong value in the console is mended there."
        yield Notice(Kind.MANY_FAILURES, f"{most} requests were refused within an hour.", advice)
    success = together(day).success
    if success is not None and success < LEAST_SUCCESS:
        share = f"{success:.1%}".replace(".0%", "%")
        yield Notice(
            Kind.FEW_SUCCEED,
            f"Of Alexa's token requests of the last day, {share} were answered with tokens.",
            "The page Audit says why the others were refused.",
        )


def _of_silence(day: Sequence[Activity], links: Sequence[Lifetime], now: int) -> Iterable[Notice | None]:
    asked = together(day)
    if any(link.created_at <= now - _DAY for link in links) and not asked.tokens and not asked.count(Tally.REPLAYED):
        yield Notice(
            Kind.NO_TOKENS,
            "A link lives, and for a day Alexa has asked for no token.",
            "That is as it should be if nobody spoke to the skill. Else let the page Health call the public address.",
        )


def _of_ending(link: Lifetime, unused_seconds: int, now: int) -> Notice | None:
    ends = link.expires_at(unused_seconds)
    if ends is None or not 0 < ends - now <= ENDS_SOON_SECONDS or link.ends_at is not None:
        return None
    days = (ends - now) // _DAY
    left = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
    advice = "Say something to the skill, and it lives on. The page Links has it."
    return Notice(Kind.LINK_ENDS, f"A link that nobody uses ends {left}.", advice)
