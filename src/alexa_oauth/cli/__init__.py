"""The commands. Each works beside a running server, on the same data folder.

One file a subject; a command is a function from a `Context` to an exit status. Only the command that runs is imported, since
`health` and `--help` must not wait for a web server and its cryptography to load.
"""

import gc
import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from alexa_oauth.cli.context import FAILED, CommandFailed, Context
from alexa_oauth.cli.grammar import grammar
from alexa_oauth.cli.options import read_options
from alexa_oauth.settings.loading import SettingsRefused, load

INTERRUPTED = 130
"""What a shell reports of a program that ^C ended."""
_AUTHORITIES = "SSL_CERT_FILE"
"""Names OpenSSL's file of certificate authorities."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; the exit status. `SystemExit` for `--help` and for wrong usage (2)."""
    chosen = grammar().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(chosen)
        sys.stdout.flush()
    except CommandFailed as failed:
        for line in failed.lines:
            print(f"alexa-oauth: {line}", file=sys.stderr)
        return failed.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough. What is left in the buffer would be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def _run(chosen: Namespace) -> int:
    try:
        loaded = load(os.environ, read_options(os.environ))
    except SettingsRefused as refused:
        raise CommandFailed(*refused.faults, status=chosen.misconfigured) from refused
    with _loading_quickly():
        file, _, name = chosen.command.partition(".")
        command: Callable[[Context], int] = getattr(import_module(f"alexa_oauth.cli.{file}"), name)
    return command(Context(loaded.settings, loaded.warnings, chosen))


@contextmanager
def _loading_quickly() -> Iterator[None]:
    """Load without two things that take a fifth of the start and 2 MB.

    The collector would walk again and again through what stays anyway. aiohttp would read every certificate authority of the
    machine, for sessions that bring no TLS context: the only one here brings its own (`outbound.py`), others would trust nobody.
    """
    authorities = os.environ.get(_AUTHORITIES)
    os.environ[_AUTHORITIES] = os.devnull
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        del os.environ[_AUTHORITIES]
        if authorities is not None:
            os.environ[_AUTHORITIES] = authorities
