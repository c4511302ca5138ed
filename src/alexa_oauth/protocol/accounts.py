"""Whose account of another service may approve, where an administrator decides it."""

from dataclasses import replace

from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import PendingRequest, Person
from alexa_oauth.protocol.ports import Transaction


def confirm(tx: Transaction, pending: PendingRequest, by: str) -> Person | None:
    """Let in the account that signed in for that request, now and from now on; `None` if none waits for it."""
    if pending.person is None or pending.person.is_confirmed:
        return None
    person = replace(pending.person, is_confirmed=True)
    tx.accounts.confirm(person)
    tx.authorizations.remember_person(pending, person)
    tx.events.record(_event(EventName.ACCOUNT_CONFIRMED, person, by))
    return person


def withdraw(tx: Transaction, subject: str, by: str) -> Person | None:
    """Let an account in no longer; its links stay until somebody ends them. `None` if it was not let in."""
    person = next((one for one in tx.accounts.confirmed() if one.subject == subject), None)
    if person is not None:
        tx.accounts.forget(subject)
        tx.events.record(_event(EventName.ACCOUNT_WITHDRAWN, person, by))
    return person


def _event(name: EventName, person: Person, by: str) -> Event:
    return Event(name, subject=person.subject, detail={"name": person.name}).by(by)
