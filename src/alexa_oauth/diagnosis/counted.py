"""What was counted and is not written yet: within a minute it stands in the audit trail, and a person looks now."""

from collections.abc import Iterable, Sequence
from typing import Final

from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.reading import History, RecordedEvent

_BEGIN: Final = frozenset({EventName.AUTHORIZE_REFUSED, EventName.REQUEST_MISDIRECTED})
"""Events that are an attempt by themselves."""


def with_counted(
    histories: Sequence[History], strays: Sequence[RecordedEvent], counted: Iterable[Event], now: int
) -> tuple[list[History], list[RecordedEvent]]:
    """The newest histories and strays as they will be once `counted` is written; to all of it, that is now."""
    newest = max((told.sequence for history in histories for told in history.events), default=0)
    events = [RecordedEvent(newest + place, now, doubtful=False, event=event) for place, event in enumerate(counted, 1)]
    by_attempt = {history.attempt: history for history in histories}
    begun = []
    for told in events:
        attempt = told.event.attempt
        known = by_attempt.get(attempt) if attempt else None
        if known is not None:
            by_attempt[known.attempt] = History(known.attempt, (*known.events, told), known.first_used_at)
        elif attempt and told.event.name in _BEGIN:
            begun.append(History(attempt, (told,)))
    new_strays = [told for told in events if told.event.attempt is None]
    return [*begun[::-1], *by_attempt.values()], [*strays, *new_strays]
