"""Who administers the panel inside Home Assistant, where every user can open it.

Home Assistant does not tell an app which of its users are administrators. So the first who opens the panel, who has just
installed it, becomes its administrator; that one names others; and whoever has a shell on the machine can begin anew.
"""

from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import Resident
from alexa_oauth.protocol.ports import Transaction


def recognise(tx: Transaction, subject: str, name: str) -> Resident | None:
    """The person if there is nothing to write of them: they are known by that name, and somebody is administrator."""
    person = tx.people.find(subject)
    if person is None or person.name != name:
        return None
    return person if person.is_administrator or administrators(tx) else None


def welcome(tx: Transaction, subject: str, name: str) -> Resident:
    """The person, remembered by their present name; where nobody is administrator they become it."""
    tx.people.remember(subject, name)
    if not administrators(tx):
        _appoint(tx, subject, by=subject)
    person = tx.people.find(subject)
    return person or Resident(subject, name, is_administrator=False)


def administrators(tx: Transaction) -> tuple[Resident, ...]:
    """Those who are administrators now."""
    return tuple(person for person in tx.people.known() if person.is_administrator)


def appoint(tx: Transaction, subject: str, by: Resident) -> Resident | None:
    """Make somebody who opened the panel before an administrator; `None` if nobody of that subject did."""
    person = tx.people.find(subject)
    if person is not None and not person.is_administrator:
        _appoint(tx, subject, by.subject)
    return person


def dismiss(tx: Transaction, subject: str, by: Resident) -> bool:
    """Let an administrator be one no longer; false if nobody would be left, or if they were none."""
    present = administrators(tx)
    if len(present) < 2 or subject not in {person.subject for person in present}:  # noqa: PLR2004 - one who stays, one who goes
        return False
    _dismiss(tx, subject, by.subject)
    return True


def reset(tx: Transaction, by: str) -> int:
    """Let nobody be administrator: the next Home Assistant user who opens the panel becomes it. How many there were."""
    present = administrators(tx)
    for person in present:
        _dismiss(tx, person.subject, by)
    return len(present)


def _appoint(tx: Transaction, subject: str, by: str) -> None:
    tx.people.appoint(subject)
    tx.events.record(Event(EventName.ADMINISTRATOR_ADDED, subject=subject).by(by))


def _dismiss(tx: Transaction, subject: str, by: str) -> None:
    tx.people.dismiss(subject)
    tx.events.record(Event(EventName.ADMINISTRATOR_REMOVED, subject=subject).by(by))
