"""One run of the server: open, bind, announce, serve, and end in order."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog
from aiohttp import web

from alexa_oauth.announcement import announce, new_admin_link, show_pairing_code
from alexa_oauth.app import Server, entropy
from alexa_oauth.config import Settings
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.upkeep import Upkeep
from alexa_oauth.web.runner import QuietRunner

_log = structlog.get_logger(__name__)

BACKLOG: Final = 512


async def serve(server: Server, stop: asyncio.Event, tell: Callable[[str], None]) -> None:
    """Serve until `stop` is set; `tell` shows the start text. `OSError` if an address cannot be bound."""
    upkeep = Upkeep(server)
    await _open(server, upkeep)
    public, admin = QuietRunner(server.public), QuietRunner(server.admin)
    try:
        settings = server.settings
        here = await _listen(public, settings.host, settings.port, _tls(settings))
        panel = await _listen(admin, settings.admin_host, settings.admin_port)
        tell(await _start_text(server, here, panel))
        duties = asyncio.create_task(upkeep.run())
        await stop.wait()
        duties.cancel()
        with suppress(asyncio.CancelledError):
            await duties
    finally:
        await asyncio.gather(public.cleanup(), admin.cleanup())
        with suppress(StorageUnavailable):
            await upkeep.write_refusals()
        await server.store.close()


async def _open(server: Server, upkeep: Upkeep) -> None:
    """Open the database if the disk lets us; otherwise the upkeep tries again while `/health` says why."""
    server.store.try_to_open()
    try:
        await upkeep.prepare()
    except StorageUnavailable as error:
        _log.error("storage.unavailable", problem=str(error))


async def _listen(runner: QuietRunner, host: str, port: int, tls: ssl.SSLContext | None = None) -> str:
    """Bind; the origin under which the listener answers on this machine."""
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=BACKLOG, ssl_context=tls, reuse_address=True).start()
    address = runner.addresses[0]
    name = "127.0.0.1" if address[0] in {"0.0.0.0", "::"} else address[0]  # noqa: S104 - compared, not bound
    return f"{'https' if tls else 'http'}://{f'[{name}]' if ':' in name else name}:{address[1]}"


async def _start_text(server: Server, here: str, panel: str) -> str:
    try:
        shown = await server.store.write(lambda tx: (new_admin_link(tx, entropy, panel), show_pairing_code(tx, entropy)))
    except StorageUnavailable:
        shown = None
    opened = server.store.opened
    return announce(server.settings, here, shown, first_start=opened is not None and opened.first_start)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.ssl or settings.certfile is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certfile, settings.keyfile)
    return context
