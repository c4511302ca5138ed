"""Backup: made and downloaded, uploaded and restored; the state of the keys, and what to do if something leaked."""

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import Problem, done, page, problem
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.admin.ports import KeysShown
from alexa_oauth.admin.visit import form_of, person_of
from alexa_oauth.protocol.credentials import new_client_secret
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.keeping import BackupRefused, CopyFile, CopyKind
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.reading import EventQuery
from alexa_oauth.web.plain_answer import NO_STORE

PATH: Final = "/backup"

_DIFFERENT: Final = Problem("No backup was made", "The two passphrases differ.", "Go back and type the same one twice.")
_DONE_ROTATING: Final = {
    "master": "The master key is another one, and every link stays.",
    "data": "New data keys are in use. Each link gets a token of the new one at its next refresh; then the old ones go.",
}
_NEW_SECRET: Final = "The client has a new secret: copy it from Set up into the developer console. {former}"
_STAYS_GOOD: Final = "The former one stays good for 7 days."
_AT_ONCE: Final = "The former one is refused from now on, so that Alexa gets no tokens until the console has the new one."
_NOT_OURS_TO_MAKE: Final = Problem(
    "The secret was not changed",
    "It stands in your settings or in the clients file.",
    "Change it there, and in the developer console.",
)


@dataclass(frozen=True, slots=True)
class BackupView:
    """`failed`: why the newest daily copy was not made. `makes_secret`: the secret of Alexa's client is the server's own."""

    now: int
    copies: tuple[CopyFile, ...]
    failed: str | None
    keys: KeysShown
    links: int
    makes_secret: bool


async def show(request: web.Request) -> web.Response:
    """What there is, and what can be done."""
    parts = request.app[PARTS]
    now = parts.store.read(lambda tx: tx.now)
    async with parts.store.reader() as reader:
        links = await reader.count_links(now)
        told = await reader.events(EventQuery(1, name=EventName.BACKUP_FAILED))
    copies = tuple(parts.keeping.copies())
    daily = max((copy.made_at for copy in copies if copy.kind is CopyKind.DAILY), default=0)
    failed = told[0].event.detail.get("problem") if told and told[0].at > daily else None
    makes_secret = parts.alexa.configured_secret() is None
    return page(request, "backup", BackupView(now, copies, failed, parts.keeping.keys(), links, makes_secret))


async def make(request: web.Request) -> web.StreamResponse:
    """Seal everything into a file and send it while it is being made; it is written nowhere else."""
    form, keeping = form_of(request), request.app[PARTS].keeping
    if form.get("passphrase") != form.get("again"):
        return problem(request, _DIFFERENT)
    pieces = keeping.seal(form.get("passphrase", ""), person_of(request).subject)
    try:
        first = await anext(pieces)
    except BackupRefused as refused:
        return problem(request, Problem("No backup was made", f"{_sentence(str(refused))}."))
    today = datetime.fromtimestamp(request.app[PARTS].store.read(lambda tx: tx.now), UTC)
    response = _download(f"alexa-oauth-{today:%Y-%m-%d}.backup")
    await response.prepare(request)
    await response.write(first)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


async def download(request: web.Request) -> web.StreamResponse:
    """A copy, which is worth something only with this server's key."""
    file = request.app[PARTS].keeping.find_copy(request.match_info["name"])
    if file is None:
        raise web.HTTPNotFound
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{file.name}"'}
    return web.FileResponse(file, headers={**headers, "Content-Type": "application/octet-stream"})


async def rotate(request: web.Request) -> web.Response:
    """Change one layer of keys."""
    keeping, subject = request.app[PARTS].keeping, person_of(request).subject
    kind = "master" if form_of(request).get("kind") == "master" else "data"
    try:
        await (keeping.rotate_master(subject) if kind == "master" else keeping.rotate_data(subject))
    except BackupRefused as refused:
        return problem(request, Problem("The key was not changed", f"{_sentence(str(refused))}."))
    return done(request, PATH, _DONE_ROTATING[kind])


async def new_secret(request: web.Request) -> web.Response:
    """Make another secret of the built-in client's; after a leak the former one is refused at once."""
    parts, subject = request.app[PARTS], person_of(request).subject
    at_once = form_of(request).get("at_once") == "yes"
    if parts.alexa.configured_secret() is not None:
        return problem(request, _NOT_OURS_TO_MAKE)
    fresh, how = new_client_secret(parts.entropy), {"at_once": "yes" if at_once else "no"}
    told = Event(EventName.CLIENT_SECRET_CHANGED, client_id=parts.alexa.client_id, detail=how).by(subject)

    def replace(tx: Transaction) -> None:
        tx.clients.replace_secret(parts.alexa.client_id, fresh, at_once=at_once)
        tx.events.record(told)

    await parts.store.write(replace)
    return done(request, PATH, _NEW_SECRET.format(former=_AT_ONCE if at_once else _STAYS_GOOD))


def _download(name: str) -> web.StreamResponse:
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"', "Content-Type": "application/octet-stream"}
    return web.StreamResponse(status=HTTPStatus.OK, headers=headers)


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:]
