"""Links: who linked what, since when, and until when; and ending one, or all."""

import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import done, page
from alexa_oauth.admin.formats import count
from alexa_oauth.admin.names import name_of
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.admin.review import unreviewed_restore
from alexa_oauth.admin.visit import form_of, person_of
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.reading import Link, Reader
from alexa_oauth.protocol.revocation import end_link, end_links

PATH: Final = "/links"
ON_A_PAGE: Final = 50

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link. `name` is the person's, where it is known; `expires_at` is `None` if disuse never ends it."""

    grant_id: str
    name: str | None
    subject: str
    client_name: str
    created_at: int
    last_used_at: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class LinksView:
    """One page of them, of `pages`; `total` is how many there are. `of_everybody`: not the visitor's own alone.

    `restored_as_of` is the instant of a restore after which nobody looked through them yet.
    """

    rows: tuple[LinkRow, ...]
    total: int
    number: int
    pages: int
    now: int
    of_everybody: bool
    restored_as_of: int | None


async def show(request: web.Request) -> web.Response:
    """All links to an administrator, their own to everybody else."""
    parts, person = request.app[PARTS], person_of(request)
    now = parts.store.read(lambda tx: tx.now)
    async with parts.store.reader() as reader:
        own = None if person.is_administrator else await _links_of(reader, person.subject, now)
        total = await reader.count_links(now) if own is None else len(own)
        pages = max(1, -(-total // ON_A_PAGE))
        number = min(_page_asked_for(request), pages)
        before = (number - 1) * ON_A_PAGE
        shown = await reader.links(now, ON_A_PAGE, before) if own is None else own[before : before + ON_A_PAGE]
    rows = parts.store.read(lambda tx: tuple(_row(tx, link, parts.policy.refresh_token_seconds) for link in shown))
    restored_as_of = await unreviewed_restore(request) if person.is_administrator else None
    view = LinksView(rows, total, number, pages, now, person.is_administrator, restored_as_of)
    return page(request, "links", view)


async def _links_of(reader: Reader, subject: str, now: int) -> list[Link]:
    """Whose a link is stands in its sealed payload, so each has to be opened."""
    return [link for link in await reader.links(now) if link.subject == subject]


async def end(request: web.Request) -> web.Response:
    """End one link: any, for an administrator; else the visitor's own."""
    grant_id, person = form_of(request).get("link", ""), person_of(request)
    ended = await request.app[PARTS].store.write(lambda tx: end_link(tx, grant_id, person))
    return done(request, PATH, "The link has ended." if ended else "That link had ended already.")


async def end_all(request: web.Request) -> web.Response:
    """End every link that lives now."""
    parts, by = request.app[PARTS], person_of(request).subject
    now = parts.store.read(lambda tx: tx.now)
    async with parts.store.reader() as reader:
        ids = [link.grant_id for link in await reader.links(now)]
    ended = await parts.store.write(lambda tx: end_links(tx, ids, by))
    return done(request, PATH, f"{count(ended, 'link')} ended. Everybody must link the skill anew.")


def _page_asked_for(request: web.Request) -> int:
    asked = request.query.get("page", "")
    return int(asked) if _NUMBER.fullmatch(asked) else 1


def _row(tx: Transaction, link: Link, unused_seconds: int) -> LinkRow:
    client = tx.clients.find(link.client_id)
    return LinkRow(
        link.grant_id,
        name_of(tx, link.subject),
        link.subject,
        client.name if client else link.client_id,
        link.created_at,
        link.last_used_at,
        link.expires_at(unused_seconds),
    )
