"""What an administrator should hear of without asking: judged from the counts of the last day and the living links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alexa_oauth.protocol.activity import Activity, Tally, together
from alexa_oauth.protocol.reading import Link

MANY_FAILURES: Final = 30
MANY_TOKENS: Final = 100
LEAST_SUCCESS: Final = 0.99
ENDS_SOON_SECONDS: Final = 7 * 86_400
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence on what is unusual, and one on what to do about it. `is_grave`: somebody may be abusing a link."""

    sentence: str
    advice: str
    is_grave: bool = False


def notices(day: Sequence[Activity], links: Iterable[Link], unused_seconds: int, now: int) -> tuple[Notice, ...]:
    """Of the hours of the last day, and of the links. `unused_seconds` of disuse end a link, 0 is never."""
    living = tuple(links)
    judged = (
        *_of_abuse(day),
        *_of_failures(day),
        *_of_silence(day, living, now),
        *(_of_ending(link, unused_seconds, now) for link in living),
    )
    return tuple(notice for notice in judged if notice is not None)


def _of_abuse(day: Sequence[Activity]) -> Iterable[Notice | None]:
    if together(day).count(Tally.REUSED):
        yield Notice(
            "A token that was replaced long ago was used again.",
            "The page Attempts says whose it is. If you know of no copy of it, make a new client secret and link anew.",
            is_grave=True,
        )
    busiest = max((hour.tokens for hour in day), default=0)
    if busiest > MANY_TOKENS:
        yield Notice(
            f"{busiest} tokens were given out within an hour, which no household needs.",
            "The page Audit says for which link. End it if you do not know it.",
            is_grave=True,
        )


def _of_failures(day: Sequence[Activity]) -> Iterable[Notice | None]:
    most = max((hour.count(Tally.FAILED) for hour in day[-2:]), default=0)
    if most > MANY_FAILURES:
        advice = "The page Attempts says what was tried. Right requests still pass; a wrong value in the console is mended there."
        yield Notice(f"{most} requests were refused within an hour.", advice)
    success = together(day).success
    if success is not None and success < LEAST_SUCCESS:
        share = f"{success:.1%}".replace(".0%", "%")
        yield Notice(
            f"Of Alexa's token requests of the last day, {share} were answered with tokens.",
            "The page Audit says why the others were refused.",
        )


def _of_silence(day: Sequence[Activity], links: Sequence[Link], now: int) -> Iterable[Notice | None]:
    asked = together(day)
    if any(link.created_at <= now - _DAY for link in links) and not asked.tokens and not asked.count(Tally.REPLAYED):
        yield Notice(
            "A link lives, and for a day Alexa has asked for no token.",
            "That is as it should be if nobody spoke to the skill. Else call the public address below.",
        )


def _of_ending(link: Link, unused_seconds: int, now: int) -> Notice | None:
    ends = link.expires_at(unused_seconds)
    if ends is None or not 0 < ends - now <= ENDS_SOON_SECONDS or link.ends_at is not None:
        return None
    days = (ends - now) // _DAY
    left = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
    return Notice(f"A link that nobody uses ends {left}.", "Say something to the skill, and it lives on. The page Links has it.")
