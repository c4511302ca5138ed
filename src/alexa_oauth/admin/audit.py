"""Audit: what happened, who did it and why, newest first; and the same as a file."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from alexa_oauth.admin.answers import page
from alexa_oauth.admin.names import name_of
from alexa_oauth.admin.parts import PARTS, AdminParts
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.reading import EventQuery, RecordedEvent
from alexa_oauth.web.plain_answer import NO_STORE

PATH: Final = "/audit"
ON_A_PAGE: Final = 50
AT_ONCE: Final = 1_000
"""Events of an export that are held in memory."""

_TEXT: Final = re.compile(r"[\x20-\x7e]{1,128}")
_PLACE: Final = re.compile(r"[1-9][0-9]{0,17}")
_DISPOSITION: Final = 'attachment; filename="alexa-oauth-audit.jsonl"'


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event. `who` is whose link it is about, `by` who did it, by name where that is known."""

    at: int
    doubtful: bool
    event: Event
    who: str | None
    by: str | None
    more: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AuditView:
    """A page of the trail. `asked` are the filters as they were entered, `query` the same for a link.

    `older` is the place before which the next page begins, `None` on the last one.
    """

    rows: tuple[EventRow, ...]
    names: tuple[str, ...]
    asked: dict[str, str]
    query: str
    older: int | None
    is_first: bool


async def show(request: web.Request) -> web.Response:
    """The newest events that pass the filters, or those before a place."""
    parts, asked = request.app[PARTS], _asked(request)
    query = _query(request, asked, ON_A_PAGE + 1)
    async with parts.store.reader() as reader:
        found = await reader.events(query)
    shown = found[:ON_A_PAGE]
    view = AuditView(
        rows=_rows(parts, shown),
        names=tuple(EventName),
        asked=asked,
        query=urlencode({name: value for name, value in asked.items() if value}),
        older=shown[-1].sequence if len(found) > ON_A_PAGE else None,
        is_first=query.before is None,
    )
    return page(request, "audit", view)


async def export(request: web.Request) -> web.StreamResponse:
    """Everything that passes the filters, one JSON text a line, as the command `audit --json` has it."""
    headers = {**NO_STORE, "Content-Disposition": _DISPOSITION, "Content-Type": "application/x-ndjson"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    async for events in _batches(request.app[PARTS], _query(request, _asked(request), AT_ONCE)):
        await response.write("".join(json.dumps(event.fields()) + "\n" for event in events).encode())
    await response.write_eof()
    return response


async def _batches(parts: AdminParts, query: EventQuery) -> AsyncIterator[list[RecordedEvent]]:
    async with parts.store.reader() as reader:
        while events := await reader.events(query):
            yield events
            query = replace(query, before=events[-1].sequence)


def _asked(request: web.Request) -> dict[str, str]:
    """The filters, whatever cannot be one left out."""
    asked = {name: request.query.get(name, "").strip() for name in ("event", "attempt", "link", "subject")}
    return {name: value if _TEXT.fullmatch(value) else "" for name, value in asked.items()}


def _query(request: web.Request, asked: dict[str, str], limit: int) -> EventQuery:
    before = request.query.get("before", "")
    return EventQuery(
        limit,
        attempt=asked["attempt"] or None,
        name=EventName(asked["event"]) if asked["event"] in {*EventName} else None,
        grant_id=asked["link"] or None,
        subject=asked["subject"] or None,
        before=int(before) if _PLACE.fullmatch(before) else None,
    )


def _rows(parts: AdminParts, found: list[RecordedEvent]) -> tuple[EventRow, ...]:
    subjects = {subject for recorded in found for subject in (recorded.event.subject, recorded.event.detail.get("by")) if subject}
    names = parts.store.read(lambda tx: {subject: name_of(tx, subject) or subject for subject in subjects})
    return tuple(_row(recorded, names) for recorded in found)


def _row(recorded: RecordedEvent, names: dict[str, str]) -> EventRow:
    event = recorded.event
    more = tuple((name.replace("_", " "), value) for name, value in event.detail.items() if name != "by")
    who, by = event.subject, event.detail.get("by")
    return EventRow(recorded.at, recorded.doubtful, event, names[who] if who else None, names[by] if by else None, more)
