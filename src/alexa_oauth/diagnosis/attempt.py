"""What is told of one link attempt."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from alexa_oauth.diagnosis.causes.cause import Cause


class Step(IntEnum):
    """How far an attempt came; each step needs the one before it."""

    ASKED = 1
    SHOWN = 2
    APPROVED = 3
    CODE_ISSUED = 4
    CALLED = 5
    ANSWERED = 6
    USED = 7


class Standing(StrEnum):
    """How it stands now."""

    RUNNING = "running"
    LINKED = "linked"
    STOPPED = "stopped"
    DENIED = "denied"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline. `probable`: the event names no attempt, and is joined to this one by time and client."""

    at: int
    text: str
    is_bad: bool = False
    count: int = 1
    address: str | None = None
    probable: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where it stands and why. `others` are causes that show in the same way, the likeliest first."""

    standing: Standing
    cause: Cause | None = None
    others: tuple[Cause, ...] = ()
    probable: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to link, from what was recorded of it.

    `browser` is in words. `sent_uri` is the redirect URI of a request that was refused for it. `notes` are sentences about what
    was odd without being the cause.
    """

    attempt_id: str
    begun_at: int
    client_id: str | None
    subject: str | None
    address: str | None
    browser: str | None
    moments: tuple[Moment, ...]
    step: Step
    verdict: Verdict
    sent_uri: str | None = None
    notes: tuple[str, ...] = ()
