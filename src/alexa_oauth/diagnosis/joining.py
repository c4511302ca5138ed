"""Refusals that name no attempt, and the attempt that each is probably about.

A token request with a wrong secret shows no code that could be believed, so its refusal names no attempt. If a code was
issued shortly before, to a client that it does not contradict, and no token has come of it, it was probably for that one.
"""

from collections.abc import Sequence
from typing import Final

from alexa_oauth.diagnosis.reasons import BEFORE_THE_CODE_IS_READ
from alexa_oauth.protocol.events import EventName
from alexa_oauth.protocol.reading import History, Reader, RecordedEvent

JOINED_WITHIN_SECONDS: Final = 180
"""Amazon calls at once and repeats for a moment; a sum of refusals is written within a minute more."""


async def strays_beside(reader: Reader, histories: Sequence[History], now: int) -> list[RecordedEvent]:
    """The refusals that name no attempt, of the time in which they may be about one of these."""
    span = [told.at for history in histories for told in history.events] or [now]
    return await reader.strays(min(span), max(span) + JOINED_WITHIN_SECONDS)


def join_strays(histories: Sequence[History], strays: Sequence[RecordedEvent]) -> dict[str, tuple[RecordedEvent, ...]]:
    """By attempt, oldest first, what is probably about it; each stray goes to the newest attempt that it fits."""
    joined: dict[str, tuple[RecordedEvent, ...]] = {}
    waiting = [(code, history) for history in histories if (code := _unredeemed(history)) is not None]
    for stray in sorted(strays, key=lambda told: told.sequence):
        fitting = [(code.at, history.attempt) for code, history in waiting if _fits(code, stray)]
        if fitting:
            attempt = max(fitting)[1]
            joined[attempt] = (*joined.get(attempt, ()), stray)
    return joined


def _unredeemed(history: History) -> RecordedEvent | None:
    """The code of an attempt that got no token."""
    by_name = {told.event.name: told for told in history.events}
    return None if EventName.TOKEN_ISSUED in by_name else by_name.get(EventName.CODE_ISSUED)


def _fits(code: RecordedEvent, stray: RecordedEvent) -> bool:
    event = stray.event
    return (
        event.attempt is None
        and event.reason in BEFORE_THE_CODE_IS_READ
        and event.name in {EventName.TOKEN_REFUSED, EventName.REQUEST_MISDIRECTED}
        and event.client_id in {None, code.event.client_id}
        and code.at <= stray.at <= code.at + JOINED_WITHIN_SECONDS
    )
