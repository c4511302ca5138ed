"""What people are called on the panel's pages."""

from typing import Final

from alexa_oauth.protocol.models import LOCAL_SUBJECT
from alexa_oauth.protocol.ports import Transaction

_LOCAL: Final = "Somebody at the terminal"


def name_of(tx: Transaction, subject: str) -> str | None:
    """What a subject is called, where that is known."""
    if subject == LOCAL_SUBJECT:
        return _LOCAL
    person = tx.people.find(subject)
    return person.name if person else None
