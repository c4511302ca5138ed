"""After a restore: links that ended since the backup was made live again, of which the panel reminds until somebody looked."""

from datetime import datetime
from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import done
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.admin.visit import person_of
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.reading import EventQuery

_LINKS: Final = "/links"
_RESTORES: Final = (EventName.DATABASE_ADOPTED, EventName.BACKUP_RESTORED)


async def unreviewed_restore(request: web.Request) -> int | None:
    """The instant that the newest restore brought back; `None` if none did, or the links were looked through since."""
    async with request.app[PARTS].store.reader() as reader:
        found = [await reader.events(EventQuery(limit=1, name=name)) for name in (*_RESTORES, EventName.LINKS_REVIEWED)]
    newest = max((recorded for newest in found for recorded in newest), key=lambda recorded: recorded.sequence, default=None)
    if newest is None or newest.event.name is EventName.LINKS_REVIEWED:
        return None
    return int(datetime.fromisoformat(newest.event.detail["as_of"]).timestamp())


async def review(request: web.Request) -> web.Response:
    """An administrator looked through the links: they are no longer reminded."""
    event = Event(EventName.LINKS_REVIEWED).by(person_of(request).subject)
    await request.app[PARTS].store.write(lambda tx: tx.events.record(event))
    return done(request, _LINKS, "Noted: you looked through the links.")
