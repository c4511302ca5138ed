"""The server inside another aiohttp application, such as a provider of Music Assistant's: its routes there, its life with it.

The panel is left out: who is at home, and who may administer, the application knows itself.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
from aiohttp import web

from alexa_oauth.announcement import PairingCodeShown, show_pairing_code
from alexa_oauth.app import Server, build, entropy
from alexa_oauth.clients.definitions import ClientDefinitions
from alexa_oauth.log import join_standard_logging
from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.serving import opened
from alexa_oauth.settings.loading import load
from alexa_oauth.upkeep import Upkeep
from alexa_oauth.web.embedded import add_routes
from alexa_oauth.web.parts import PARTS

_log = structlog.get_logger(__name__)

_SUBJECT: Final = re.compile(r"[!-~]{1,200}")


class Embedded:
    """What the application around it asks of the server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def pairing_code(self, subject: str) -> PairingCodeShown:
        """The code that this person types into the consent page; whatever it approves belongs to `subject`.

        `subject` names the person for good, in visible ASCII: `/alexa/verify` tells it. Show the code to nobody else.
        `StorageUnavailable`: try again later.
        """
        if not _SUBJECT.fullmatch(subject):
            raise ValueError("a subject is 1 to 200 visible ASCII characters")
        return await self._server.store.write(lambda tx: show_pairing_code(tx, entropy, subject))


def register_oauth_routes(app: web.Application, settings: Mapping[str, object]) -> Embedded:
    """Put the public routes into `app`, all but the front page; the server opens with the application and ends with it.

    `settings` are those that the README lists, by name; the environment is not asked, and what says where to listen means
    nothing here. The application must pass `/alexa/`, `/health` and the metadata path through whatever signs its users in, and
    should be run without an access log, which would hold queries. Log lines go to its own loggers, unless it configured
    structlog.

    `SettingsRefused` and `ClientsFileRefused` have a line for each fault; `StartRefused`, when the application starts, says why
    the data folder cannot be used.
    """
    chosen = load({}, settings).settings
    if not structlog.is_configured():
        join_standard_logging()
    server = build(chosen, ClientDefinitions(chosen))
    add_routes(app, server.public[PARTS])
    app.cleanup_ctx.append(partial(_live, server))
    return Embedded(server)


async def _live(server: Server, _app: web.Application) -> AsyncIterator[None]:
    async with opened(server) as upkeep:
        duties = asyncio.create_task(_do_duties(upkeep))
        yield
        duties.cancel()
        with suppress(asyncio.CancelledError):
            await duties


async def _do_duties(upkeep: Upkeep) -> None:
    """Until cancelled, or until the database turns out to be beyond help: the application goes on, and its log says why."""
    try:
        await upkeep.run()
    except StartRefused as refused:
        _log.error("storage.unavailable", problem=str(refused))
