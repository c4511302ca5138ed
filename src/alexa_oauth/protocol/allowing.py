"""What an administrator lets through without a sign-in, and what the endpoints and the panel ask of the button for it."""

from dataclasses import dataclass
from typing import Protocol

from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import PendingRequest, Resident
from alexa_oauth.protocol.ports import Transaction


@dataclass(frozen=True, slots=True)
class Allowance:
    """One press of the button, or one picked request, in the name of `by`, the subject of the grant that comes of it.

    `request_id` is the request that may pass, `None` while the button waits for one. `contested`: a second request began,
    so neither passes. `seconds_left` counts down from the ten minutes after it.
    """

    by: str
    seconds_left: float
    request_id: str | None = None
    picked: bool = False
    contested: bool = False


class Button(Protocol):
    """Allow linking now. What passes, and in whose name, is decided in memory; nothing here waits."""

    @property
    def allowance(self) -> Allowance | None:
        """What the button lets through now; `None` while it is at rest."""

    def press(self, by: str, *, waiting: int) -> bool:
        """Arm it, unless that many requests wait already; whether it was armed."""

    def pick(self, request_id: str, by: str) -> None:
        """Let this request through and no other."""

    def release(self) -> None:
        """Let nothing through any more."""

    def arrived(self, request_id: str) -> None:
        """A request began."""

    def answered(self, request_id: str) -> None:
        """A request was approved, denied or closed."""

    def allowed_by(self, request_id: str) -> str | None:
        """The subject in whose name this request passes by the click alone, or `None`."""


def find_to_allow(tx: Transaction, attempt: str, by: Resident) -> PendingRequest | None:
    """The waiting request of that attempt, with a line in the audit trail that this person allows it; `None` if none waits."""
    pending = tx.authorizations.find_waiting(attempt)
    if pending is not None:
        event = Event(EventName.BUTTON_ALLOWED, attempt, pending.request.client_id, address=pending.address)
        tx.events.record(event.by(by.subject))
    return pending


def record_press(tx: Transaction, name: EventName, by: Resident) -> None:
    """A line in the audit trail: this person armed the button, or took back what it let through."""
    tx.events.record(Event(name).by(by.subject))
