"""`serve`: one run of the server, as a process that a shell or a supervisor holds."""

import asyncio
import os
import signal
import sys
from contextlib import suppress

from alexa_oauth.app import Server, build
from alexa_oauth.cli.context import NO_RESTART, CommandFailed, Context
from alexa_oauth.cli.definitions import read_definitions
from alexa_oauth.log import configure
from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.serving import AddressRefused, CertificateRefused
from alexa_oauth.serving import serve as run

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop  # type: ignore[assignment]  # the same in all that is asked of it


def serve(context: Context) -> int:
    """Serve until SIGTERM or ^C."""
    for warning in context.warnings:
        print(f"alexa-oauth: warning: {warning}", file=sys.stderr)
    os.umask(0o077)
    settings = context.settings
    definitions = read_definitions(context)
    configure(settings.log_level, settings.log_format, sys.stdout)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            server = build(settings, definitions, supervisor_token=os.environ.get("SUPERVISOR_TOKEN"))
            runner.run(_serve_until_told(server))
    except (StartRefused, CertificateRefused) as refused:
        raise CommandFailed(str(refused), status=NO_RESTART) from refused
    except AddressRefused as refused:
        raise CommandFailed(str(refused)) from refused
    return 0


async def _serve_until_told(server: Server) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, _interrupt, stop)
    await run(server, stop, _tell)


def _interrupt(stop: asyncio.Event) -> None:
    """The first ^C ends the server in order, the second one at once."""
    stop.set()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _tell(text: str) -> None:
    # Nobody reading, or a full disk behind standard output, is no reason not to serve.
    with suppress(OSError):
        print(text, flush=True)
