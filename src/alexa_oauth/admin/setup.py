"""The panel's first page: how to link, and, for administrators, what is left to set up."""

from dataclasses import dataclass, field

from aiohttp import web

from alexa_oauth.admin.answers import page
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.admin.visit import person_of
from alexa_oauth.protocol.credentials import new_pairing_code
from alexa_oauth.protocol.models import Resident


@dataclass(frozen=True, slots=True)
class PairingCodeView:
    """A person's present code, as it is read aloud, and the instant at which it ends."""

    code: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class SetupView:
    """`pairing_code` is `None` where approving takes none; `people` is empty for those who administer nothing."""

    pairing_code: PairingCodeView | None
    people: tuple[Resident, ...]


async def show(request: web.Request) -> web.Response:
    """The person's code; and for an administrator who else there is."""
    parts, person = request.app[PARTS], person_of(request)
    code = await _pairing_code(request, person.subject) if parts.asks_for_code else None
    people = parts.store.read(lambda tx: tx.people.known()) if person.is_administrator else ()
    return page(request, "setup", SetupView(code, people))


async def _pairing_code(request: web.Request, subject: str) -> PairingCodeView:
    parts = request.app[PARTS]
    fresh = new_pairing_code(parts.entropy)
    code, expires_at = await parts.store.write(lambda tx: tx.pairing_codes.current(subject, fresh))
    return PairingCodeView(f"{code[:4]}-{code[4:]}", expires_at)
