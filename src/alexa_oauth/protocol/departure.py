"""Sign-in on the page of another service: the browser departs, comes back once, and the request then knows who it is.

What OAuth asks of this server's clients it must keep as a client itself: `state` belongs to one browser and one request and is
good for one answer (RFC 6749 §10.12, RFC 9700 §4.7), and an answer that comes back by another way is not looked at (§4.4).
"""

from dataclasses import dataclass, field, replace

from alexa_oauth.protocol.authorization import Claim, check_age, find_claimed
from alexa_oauth.protocol.credentials import is_same
from alexa_oauth.protocol.errors import ErrorCode, RequestRefused
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import Departure, PendingRequest, Person
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.sign_in import AwaitsAdministrator, NotAllowed, SignedIn


@dataclass(frozen=True, slots=True)
class Arrival:
    """A browser that comes back: by which way, with which `state`, and the secret in its cookie."""

    way: str
    state: str = field(repr=False)
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Returned:
    """The request that an arrival belongs to. Not `is_first`: the page was only loaded again, and nobody is asked anew."""

    pending: PendingRequest
    is_first: bool


def depart(tx: Transaction, claim: Claim, departure: Departure) -> None:
    """Send the browser away; whoever was signed in before no longer is."""
    pending = tx.authorizations.note_departure(replace(find_claimed(tx, claim), person=None), departure)
    tx.events.record(_event(EventName.SIGN_IN_SENT, pending))


def come_back(tx: Transaction, arrival: Arrival) -> Returned:
    """Find the request again, and see to it that the same answer is not used twice.

    An arrival in a browser that did not depart is told nothing but that, and changes nothing: else whoever saw a `state` could
    spend it.
    """
    pending = tx.authorizations.find_departed(arrival.state)
    if pending is None or pending.departure is None or pending.departure.way != arrival.way:
        raise _refused("This sign-in is not known, or another one followed it", Reason.SIGN_IN_OVER)
    if not is_same(pending.browser, arrival.browser):
        raise _refused("This sign-in was begun in another browser", Reason.BROWSER_MISMATCH).about(attempt=pending.attempt)
    check_age(tx, pending)
    if pending.departure.is_over:
        return Returned(pending, is_first=False)
    return Returned(tx.authorizations.note_departure(pending, replace(pending.departure, is_over=True)), is_first=True)


def welcome(tx: Transaction, pending: PendingRequest, person: SignedIn) -> PendingRequest:
    """Remember who has signed in; the click is still to come."""
    living = _still_waiting(tx, pending)
    if not person.settle(tx):
        raise _refused("The proof was used up meanwhile", Reason.SIGN_IN_WRONG)
    tx.events.record(_event(EventName.SIGN_IN_SUCCEEDED, living, person.subject))
    return tx.authorizations.remember_person(living, Person(person.subject, person.name))


def refuse(tx: Transaction, pending: PendingRequest, refused: NotAllowed) -> None:
    """Write down who may not approve, and why."""
    person = refused.person
    detail = {"name": person.name} if person else {}
    event = _event(EventName.SIGN_IN_FAILED, pending, person.subject if person else None)
    tx.events.record(replace(event, reason=refused.why, detail=detail))


def keep_waiting(tx: Transaction, pending: PendingRequest, awaiting: AwaitsAdministrator) -> None:
    """Remember who must be allowed by an administrator before the click counts."""
    person = replace(awaiting.person, is_confirmed=False)
    living = tx.authorizations.remember_person(_still_waiting(tx, pending), person)
    event = _event(EventName.SIGN_IN_FAILED, living, person.subject)
    tx.events.record(replace(event, reason=Reason.ADMINISTRATOR_AWAITED, detail={"name": person.name}))


def _still_waiting(tx: Transaction, pending: PendingRequest) -> PendingRequest:
    """The request as it is now: while the service was asked, it may have been answered, or have become too old."""
    living = tx.authorizations.find(pending.request_id)
    if living is None:
        raise _refused("This request was answered meanwhile", Reason.REQUEST_UNKNOWN)
    check_age(tx, living)
    return living


def _event(name: EventName, pending: PendingRequest, subject: str | None = None) -> Event:
    return Event(name, pending.attempt, pending.request.client_id, subject, address=pending.address)


def _refused(description: str, reason: Reason) -> RequestRefused:
    return RequestRefused(ErrorCode.ACCESS_DENIED, description, reason)
