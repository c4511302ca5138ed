"""How far the first link has come: each step read from what happened, never from a button that was pressed."""

from dataclasses import dataclass
from typing import Final

from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.reading import EventQuery, Reader, RecordedEvent

_STEPS: Final = (
    ("Alexa opened the page that asks you", EventName.AUTHORIZE_REQUEST, EventName.AUTHORIZE_REFUSED),
    ("Somebody at home approved", EventName.CONSENT_APPROVED, EventName.CONSENT_DENIED),
    ("Amazon's servers fetched the tokens", EventName.TOKEN_ISSUED, EventName.TOKEN_REFUSED),
    ("Alexa used its first token", EventName.TOKEN_USED, None),
)
"""What happens, in order: in words, as an event, and as the event that it may end with instead."""


@dataclass(frozen=True, slots=True)
class Step:
    """`at` is when it happened; `refused` why it did not; with neither it has yet to come."""

    title: str
    at: int | None
    refused: Reason | None
    attempt: str | None

    @property
    def is_done(self) -> bool:
        """Whether it happened."""
        return self.at is not None and self.refused is None


@dataclass(frozen=True, slots=True)
class Progress:
    """`begun_at` is when an administrator last said that they begin to link; the steps are those since."""

    begun_at: int | None
    steps: tuple[Step, ...]

    @property
    def done(self) -> int:
        """How many steps happened."""
        return sum(step.is_done for step in self.steps)


async def progress_of(reader: Reader, client_id: str) -> Progress:
    """The steps of that client's newest link."""
    begun = await _newest(reader, EventQuery(1, name=EventName.LINKING_STARTED))
    after = begun.sequence if begun else None
    steps: list[Step] = []
    for title, name, refusal in _STEPS:
        happened = await _newest(reader, EventQuery(1, name=name, client_id=client_id, after=after))
        refused = await _newest(reader, EventQuery(1, name=refusal, client_id=client_id, after=after)) if refusal else None
        steps.append(_step(title, happened, refused))
    return Progress(begun.at if begun else None, _with_what_later_ones_prove(steps))


async def _newest(reader: Reader, query: EventQuery) -> RecordedEvent | None:
    found = await reader.events(query)
    return found[0] if found else None


def _step(title: str, happened: RecordedEvent | None, refused: RecordedEvent | None) -> Step:
    newest = max((event for event in (happened, refused) if event), key=lambda event: event.sequence, default=None)
    if newest is None:
        return Step(title, None, None, None)
    return Step(title, newest.at, newest.event.reason if newest is refused else None, newest.event.attempt)


def _with_what_later_ones_prove(steps: list[Step]) -> tuple[Step, ...]:
    """The trail forgets requests of strangers before it forgets links: what came later shows what must have come before."""
    proven: list[Step] = []
    later: Step | None = None
    for step in reversed(steps):
        if later is not None and not step.is_done and (step.at or 0) <= (later.at or 0):
            proven.append(Step(step.title, later.at, None, later.attempt))
        else:
            proven.append(step)
            later = step if step.is_done else later
    return tuple(reversed(proven))
