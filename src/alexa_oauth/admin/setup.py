"""Set up: what the Alexa developer console wants, and how far the first link has come."""

import json
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import done, page
from alexa_oauth.admin.attempts import find_attempts
from alexa_oauth.admin.first_link import Progress, progress_of
from alexa_oauth.admin.parts import PARTS, AdminParts
from alexa_oauth.admin.review import unreviewed_restore
from alexa_oauth.admin.sightings import Sighting
from alexa_oauth.admin.visit import form_of, person_of
from alexa_oauth.diagnosis.attempt import Attempt, Standing, Step
from alexa_oauth.diagnosis.noise import is_noise
from alexa_oauth.protocol.account_linking import ClientSecret, ConsoleField, console_fields, linking_request
from alexa_oauth.protocol.credentials import new_pairing_code
from alexa_oauth.protocol.errors import OptionsNotKept
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import Client, Resident
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.reading import HistoryQuery

LINKING_SECONDS: Final = 600
"""How long after they began an administrator is offered a vendor id that Amazon sends."""

_ATTEMPTS_READ: Final = 8
_HIDDEN: Final = ClientSecret(None, "hidden")
_NO_ADDRESS: Final = "Shown here as soon as the public address is set."


@dataclass(frozen=True, slots=True)
class PairingCodeView:
    """A person's present code, as it is read aloud, and the instant at which it ends."""

    code: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class ConsoleView:
    """What goes into the developer console. `is_revealed`: the secret is shown, not only offered.

    `request`, for the ASK command line, is `None` as long as there is no address to put into it.
    """

    fields: tuple[ConsoleField, ...] = field(repr=False)
    redirect_uris: tuple[str, ...]
    request: str | None = field(repr=False)
    is_revealed: bool
    can_reveal: bool


@dataclass(frozen=True, slots=True)
class LinkingView:
    """How far linking has come. `until` is when what Amazon sends stops being offered; `offers` is what it sent.

    `stopped`: the newest attempt will come no further.
    """

    progress: Progress
    until: int | None
    offers: tuple[Sighting, ...]
    stopped: Attempt | None


@dataclass(frozen=True, slots=True)
class SetupView:
    """Everything that an administrator sets up by. `qr` is SVG of our own making; `people` is empty from a checkout."""

    pairing_code: PairingCodeView | None
    console: ConsoleView
    linking: LinkingView
    health: str
    qr: str | None
    lacks_address: bool
    lacks_vendor_id: bool
    is_supervised: bool
    people: tuple[Resident, ...]
    restored_as_of: int | None


async def show(request: web.Request) -> web.Response:
    """What there is to copy, to do and to wait for; for those who administer nothing, their code."""
    if not person_of(request).is_administrator:
        return page(request, "welcome", await _pairing_code(request))
    return page(request, "setup", await _view(request, is_revealed=False))


async def reveal(request: web.Request) -> web.Response:
    """The same page with the secret on it. Who saw it is written down first."""
    parts, person = request.app[PARTS], person_of(request)
    event = Event(EventName.CLIENT_SECRET_SHOWN, client_id=parts.alexa.client_id).by(person.subject)
    await parts.store.write(lambda tx: tx.events.record(event))
    return page(request, "setup", await _view(request, is_revealed=True))


async def begin(request: web.Request) -> web.Response:
    """From now on, for ten minutes, a vendor id that Amazon sends is the administrator's own, and may be offered."""
    person = person_of(request)
    event = Event(EventName.LINKING_STARTED, client_id=request.app[PARTS].alexa.client_id).by(person.subject)
    await request.app[PARTS].store.write(lambda tx: tx.events.record(event))
    return done(request, "/", "Now enable the skill in the Alexa app. The steps below follow what happens.")


async def add_vendor_id(request: web.Request) -> web.Response:
    """Add a vendor id that came since the administrator began, and that they compared with their own."""
    parts, vendor_id = request.app[PARTS], form_of(request).get("vendor_id", "")
    offers = (await _linking(parts)).offers
    if vendor_id not in {sighting.vendor_id for sighting in offers}:
        return done(request, "/", "Nothing was added: begin to link again, so that it is clear whose vendor id comes.")
    try:
        await parts.alexa.add_vendor_id(parts.store, vendor_id, person_of(request).subject)
    except OptionsNotKept as error:
        return done(request, "/", f"Nothing was added: {error}. Add it on the Configuration tab of the app instead.")
    return done(request, "/", f"{vendor_id} was added. Go back to the Alexa app and choose to link the account once more.")


async def _view(request: web.Request, *, is_revealed: bool) -> SetupView:
    parts = request.app[PARTS]
    client = parts.store.read(lambda tx: tx.clients.find(parts.alexa.client_id))
    if client is None:
        raise web.HTTPNotFound
    health = f"{parts.policy.issuer}/health"
    return SetupView(
        pairing_code=await _pairing_code(request),
        console=_console(parts, client, is_revealed=is_revealed),
        linking=await _linking(parts),
        health=health,
        qr=_qr(health) if parts.has_address else None,
        lacks_address=not parts.has_address,
        lacks_vendor_id=not client.redirect_uris,
        is_supervised=parts.is_supervised,
        people=parts.store.read(lambda tx: tx.people.known()) if parts.is_supervised else (),
        restored_as_of=await unreviewed_restore(request),
    )


async def _pairing_code(request: web.Request) -> PairingCodeView | None:
    parts, subject = request.app[PARTS], person_of(request).subject
    if not parts.asks_for_code:
        return None
    fresh = new_pairing_code(parts.entropy)
    code, expires_at = await parts.store.write(lambda tx: tx.pairing_codes.current(subject, fresh))
    return PairingCodeView(f"{code[:4]}-{code[4:]}", expires_at)


def _console(parts: AdminParts, client: Client, *, is_revealed: bool) -> ConsoleView:
    secret = parts.store.read(lambda tx: _secret(tx, parts, client))
    shown = secret if is_revealed or secret.value is None else _HIDDEN
    fields = console_fields(parts.policy, client, shown)
    return ConsoleView(
        fields=tuple(fields if parts.has_address else (_without_address(entry, parts.policy.issuer) for entry in fields)),
        redirect_uris=client.redirect_uris,
        request=json.dumps(linking_request(parts.policy, client, shown), indent=2) if parts.has_address else None,
        is_revealed=is_revealed,
        can_reveal=secret.value is not None,
    )


def _without_address(entry: ConsoleField, issuer: str) -> ConsoleField:
    """Nobody should copy an address of this machine into the console, where Amazon cannot reach it."""
    is_address = any(value.startswith(issuer) for value in entry.values)
    return ConsoleField(entry.label, note=_NO_ADDRESS) if is_address else entry


def _secret(tx: Transaction, parts: AdminParts, client: Client) -> ClientSecret:
    configured = parts.alexa.configured_secret()
    return configured or ClientSecret(tx.clients.show_secret(client.client_id), "none yet")


async def _linking(parts: AdminParts) -> LinkingView:
    async with parts.store.reader() as reader:
        progress = await progress_of(reader, parts.alexa.client_id)
    now = parts.store.read(lambda tx: tx.now)
    begun_at = progress.begun_at
    stopped = await _stopped(parts, begun_at or 0)
    if begun_at is None or not 0 <= now - begun_at < LINKING_SECONDS:
        return LinkingView(progress, None, (), stopped)
    offers = parts.alexa.sightings.since(begun_at) if parts.alexa.follows_vendor_ids else ()
    return LinkingView(progress, begun_at + LINKING_SECONDS, offers, stopped)


async def _stopped(parts: AdminParts, begun_at: int) -> Attempt | None:
    """Of Alexa's, or of whoever named another client by mistake; what strangers send is nobody's first link."""
    attempts, _ = await find_attempts(parts, HistoryQuery(_ATTEMPTS_READ))
    alexas = (told for told in attempts if told.client_id == parts.alexa.client_id or told.step is Step.ASKED)
    newest = next((attempt for attempt in alexas if not is_noise(attempt)), None)
    if newest is None or newest.begun_at < begun_at or newest.verdict.standing is not Standing.STOPPED:
        return None
    return newest


def _qr(url: str) -> str:
    import segno  # noqa: PLC0415 - a megabyte for this one page

    return str(segno.make(url, error="m", micro=False).svg_inline(omitsize=True, border=2, dark="#000", light="#fff"))
