"""From what was recorded of link attempts to what is told of them: how far each came, where it stands, and why.

Plain functions over events and `now`. Events that cost no write to disk are written as a sum, within a minute, and bear the
instant of that.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from alexa_oauth.diagnosis.attempt import Attempt, Step
from alexa_oauth.diagnosis.joining import join_strays
from alexa_oauth.diagnosis.timeline import timeline
from alexa_oauth.diagnosis.user_agent import describe
from alexa_oauth.diagnosis.verdict import Case, RedirectUris, judge
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.reading import History, RecordedEvent

_STEPS: Final = {
    EventName.AUTHORIZE_REQUEST: Step.SHOWN,
    EventName.CONSENT_APPROVED: Step.APPROVED,
    EventName.CODE_ISSUED: Step.CODE_ISSUED,
    EventName.TOKEN_REFUSED: Step.CALLED,
    EventName.TOKEN_ISSUED: Step.ANSWERED,
}
APPROVED: Final = frozenset({EventName.CONSENT_APPROVED, EventName.CODE_ISSUED, EventName.TOKEN_ISSUED})
"""Their subject is who approved; that of a sign-in may be somebody who may not."""


def read_attempts(
    histories: Sequence[History], strays: Sequence[RecordedEvent], now: int, redirect_uris: RedirectUris
) -> tuple[Attempt, ...]:
    """One attempt a history, in the given order; `strays` are the refusals of the same time that name no attempt."""
    joined = join_strays(histories, strays)
    return tuple(
        _read(Case(history, joined.get(history.attempt, ()), now, redirect_uris)) for history in histories if history.events
    )


def _read(case: Case) -> Attempt:
    history = case.history
    asked = case.last(EventName.AUTHORIZE_REQUEST, EventName.AUTHORIZE_REFUSED, EventName.REQUEST_MISDIRECTED)
    user_agent = asked.detail.get("user_agent") if asked else None
    return Attempt(
        attempt_id=history.attempt,
        begun_at=history.events[0].at,
        client_id=_first(history, lambda event: event.client_id),
        subject=_first(history, lambda event: event.subject if event.name in APPROVED else None),
        address=asked.address if asked else None,
        browser=describe(user_agent) if user_agent else None,
        moments=timeline(case),
        step=_step(case),
        verdict=judge(case),
        sent_uri=asked.detail.get("redirect_uri") if asked and asked.name is EventName.AUTHORIZE_REFUSED else None,
        notes=tuple(_notes(case)),
    )


def _step(case: Case) -> Step:
    """The furthest step of which there is a trace; an old attempt's first events may be gone."""
    if case.history.first_used_at is not None:
        return Step.USED
    furthest = max(_STEPS.get(told.event.name, Step.ASKED) for told in case.history.events)
    return max(furthest, Step.CALLED) if case.strays else furthest


def _notes(case: Case) -> Iterable[str]:
    asked = case.last(EventName.AUTHORIZE_REQUEST)
    dropped = asked.detail.get("dropped_scope") if asked else None
    if dropped:
        yield f"Alexa asked for scopes that do not exist here, which were left out: {dropped}. The others were granted."
    if case.last(EventName.TOKEN_REPLAYED):
        yield "Amazon's server asked twice for the same tokens: the first answer was lost, or took longer than 4.5 seconds."
    if case.last(EventName.TOKEN_REUSED):
        yield "An old token of this link came back. Amazon's servers do that now and then; it was refused."


def _first(history: History, pick: Callable[[Event], str | None]) -> str | None:
    return next((value for told in history.events if (value := pick(told.event)) is not None), None)
