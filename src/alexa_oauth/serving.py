"""One run of the server: open, bind, announce, serve, and end in order."""

import asyncio
import gc
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from aiohttp import web

from alexa_oauth import __version__
from alexa_oauth.announcement import announce, new_admin_link, notices, show_pairing_code
from alexa_oauth.app import Server, entropy
from alexa_oauth.protocol.errors import StartRefused, StorageUnavailable
from alexa_oauth.settings.table import Settings, origin_here
from alexa_oauth.upkeep import Upkeep
from alexa_oauth.web.runner import QuietRunner

_log = structlog.get_logger(__name__)

BACKLOG: Final = 512
_OBJECTS_BETWEEN_COLLECTIONS: Final = 20_000


class AddressRefused(Exception):
    """An address cannot be listened on; the message is one line that names the settings to change."""


class CertificateRefused(Exception):
    """The certificate or its key cannot be used; the message is one line that names the settings to change."""


async def serve(server: Server, stop: asyncio.Event, tell: Callable[[str], None]) -> None:
    """Serve until `stop` is set; `tell` shows the start text.

    `AddressRefused`, `CertificateRefused`, and `StartRefused` of the storage: the server cannot be started so.
    """
    async with opened(server) as upkeep:
        public, admin = QuietRunner(server.public), QuietRunner(server.admin)
        try:
            settings = server.settings
            here = await _listen(public, settings.host, settings.port, _tls(settings))
            panel = await _listen(admin, settings.admin_host, settings.admin_port, setting="admin_")
            tell("\n".join([await _start_text(server, here, panel), *notices(server)]))
            _settle_memory()
            await _keep_up(upkeep, stop)
        finally:
            await asyncio.gather(public.cleanup(), admin.cleanup())


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[Upkeep]:
    """The server with its database open, from then to its end in order; what is given does the duties meanwhile.

    `StartRefused`: the database cannot be opened, and waiting would not help.
    """
    upkeep = Upkeep(server)
    await _open(server, upkeep)
    try:
        yield upkeep
    finally:
        await server.outbound.close()
        # A database that did not take the last request would only hold up the end; supervisors do not wait for long.
        if server.store.checks()["database"] == "ok":
            await _write_what_is_left(upkeep)
        await server.store.close()


def _settle_memory() -> None:
    """What the start left here stays until the end: the collector need not walk through it while requests wait.

    Requests leave hardly anything that only the collector finds; looking for it as often as Python does costs 2 % of each.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


async def _open(server: Server, upkeep: Upkeep) -> None:
    """Open the database if the disk lets us; otherwise the upkeep tries again while `/health` says why."""
    server.store.try_to_open()
    try:
        await upkeep.prepare()
    except StorageUnavailable as error:
        _log.error("storage.unavailable", problem=str(error))


async def _write_what_is_left(upkeep: Upkeep) -> None:
    try:
        await upkeep.write_refusals()
        await upkeep.write_activity()
        await upkeep.leave_copy()
    except (StorageUnavailable, StartRefused) as error:
        _log.error("storage.unavailable", problem=str(error))


async def _keep_up(upkeep: Upkeep, stop: asyncio.Event) -> None:
    """Do the duties until told to stop; a database that turns out to be beyond help ends the server from within."""
    duties, told = asyncio.create_task(upkeep.run()), asyncio.create_task(stop.wait())
    await asyncio.wait({duties, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    duties.cancel()
    with suppress(asyncio.CancelledError):
        await duties


async def _listen(runner: QuietRunner, host: str, port: int, tls: ssl.SSLContext | None = None, setting: str = "") -> str:
    """Bind; the origin under which the listener answers on this machine. `setting` is how its settings begin."""
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG, ssl_context=tls, reuse_address=True).start()
    except OSError as error:
        number = error.errno or 0
        why = os.strerror(number) if number > 0 else str(error.strerror)
        problem = f"{setting}host, {setting}port: cannot listen on {host}, port {port} ({why})"
        raise AddressRefused(f"{problem}; allowed: an address of this machine, and a port that is free") from error
    address = runner.addresses[0]
    return origin_here(address[0], address[1], tls=tls is not None)


async def _start_text(server: Server, here: str, panel: str) -> str:
    if server.supervised:
        # Home Assistant keeps the log of its add-ons, and whoever may read that is not thereby an administrator here.
        return f"alexa-oauth {__version__}: {here}/health"
    try:
        shown = await server.store.write(lambda tx: (new_admin_link(tx, entropy, panel), show_pairing_code(tx, entropy)))
    except StorageUnavailable:
        shown = None
    return announce(server.settings, here, shown)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.ssl or settings.certfile is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.certfile, settings.keyfile, password="")
    except OSError as error:
        allowed = "a certificate chain and its private key without a passphrase, in PEM"
        raise CertificateRefused(f"certfile, keyfile: cannot be used ({error.strerror}); allowed: {allowed}") from error
    return context
