"""Restoring in the panel: a backup arrives, is looked into, and takes the place of the database only after a second word."""

import asyncio
from dataclasses import dataclass
from typing import BinaryIO, Final

from aiohttp import BodyPartReader, web

from alexa_oauth.admin.answers import Problem, done, page, problem
from alexa_oauth.admin.backup import PATH
from alexa_oauth.admin.entry import CSRF_FIELD, check_csrf
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.admin.ports import Checked
from alexa_oauth.admin.visit import form_of, person_of
from alexa_oauth.protocol.keeping import BackupRefused

UPLOAD_LIMIT: Final = 256 * 1_024 * 1_024
UPLOAD_SECONDS: Final = 900
_FIELD_LIMIT: Final = 1_024
_BEGINNINGS: Final = (b"alexa-oauth backup ", b"SQLite format 3\0")
_BEGINNING_OCTETS: Final = max(map(len, _BEGINNINGS))

_NOT_OURS: Final = "this is no backup of this server"
_TOO_LARGE: Final = f"the file is larger than {UPLOAD_LIMIT // 1_024**2} MB, and so is no backup of a household"
_BROKEN: Final = "the upload broke off or took too long"
_NO_FILE: Final = "no file was chosen"
_GONE: Final = Problem(
    "The backup waits no longer",
    "More than ten minutes have passed, or another one was looked into since. Nothing was changed.",
    "Choose the file once more.",
)


@dataclass(frozen=True, slots=True)
class CheckedView:
    """A good backup, and what restoring it would mean."""

    checked: Checked
    links: int


async def check(request: web.Request) -> web.Response:
    """Receive a backup and look into it; nothing is changed."""
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            return await _receive(request)
    except BackupRefused as refused:
        return _refused(request, str(refused))
    except (TimeoutError, ValueError, ConnectionError, web.RequestPayloadError):
        return _refused(request, _BROKEN)


async def check_copy(request: web.Request) -> web.Response:
    """Look into one of the copies."""
    keeping = request.app[PARTS].keeping
    file = keeping.find_copy(form_of(request).get("name", ""))
    if file is None:
        raise web.HTTPNotFound
    try:
        with file.open("rb") as source:
            return await _checked(request, source, None)
    except BackupRefused as refused:
        return _refused(request, str(refused))


async def restore(request: web.Request) -> web.Response:
    """Let the checked backup take the place of the database."""
    form, keeping = form_of(request), request.app[PARTS].keeping
    ends_all = form.get("ends_all") == "yes"
    former = await keeping.restore(form.get("ticket", ""), person_of(request).subject, ends_all=ends_all)
    if former is None:
        return problem(request, _GONE)
    return done(request, PATH, f"The backup was restored. The former state is the copy {former}: to go back, restore that.")


async def _receive(request: web.Request) -> web.Response:
    if not request.content_type.startswith("multipart/"):
        return check_csrf(request, "") or _refused(request, _NO_FILE)
    passphrase: str | None = None
    is_wanted = False
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise BackupRefused(_BROKEN)
        if part.name == "file" and is_wanted:
            with request.app[PARTS].keeping.spool() as file:
                await _store(part, file)
                return await _checked(request, file, passphrase)
        value = await _field(part)
        if part.name == CSRF_FIELD:
            stale = check_csrf(request, value)
            if stale is not None:
                return stale
            is_wanted = True
        elif part.name == "passphrase":
            passphrase = value or None
    stale = None if is_wanted else check_csrf(request, "")
    return stale or _refused(request, _NO_FILE)


async def _field(part: BodyPartReader) -> str:
    content = b""
    while chunk := await part.read_chunk(_FIELD_LIMIT):
        content += chunk
        if len(content) > _FIELD_LIMIT:
            raise BackupRefused(_BROKEN)
    return content.decode("utf-8", "replace")


async def _store(part: BodyPartReader, file: BinaryIO) -> None:
    """Write what arrives, as long as it can be ours."""
    octets, beginning = 0, b""
    while chunk := await part.read_chunk(65_536):
        octets += len(chunk)
        if len(beginning) < _BEGINNING_OCTETS:
            beginning += chunk
            if not any(known.startswith(beginning[: len(known)]) for known in _BEGINNINGS):
                raise BackupRefused(_NOT_OURS)
        if octets > UPLOAD_LIMIT:
            raise BackupRefused(_TOO_LARGE)
        await asyncio.to_thread(file.write, chunk)
    if not octets:
        raise BackupRefused(_NO_FILE)
    file.seek(0)


async def _checked(request: web.Request, source: BinaryIO, passphrase: str | None) -> web.Response:
    parts = request.app[PARTS]
    checked = await parts.keeping.check(source, passphrase)
    now = parts.store.read(lambda tx: tx.now)
    async with parts.store.reader() as reader:
        links = await reader.count_links(now)
    return page(request, "backup_checked", CheckedView(checked, links))


def _refused(request: web.Request, why: str) -> web.Response:
    return problem(request, Problem("The backup was not taken", f"{why[:1].upper()}{why[1:]}. Nothing was changed."))
