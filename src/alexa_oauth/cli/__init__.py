"""The commands. Each works beside a running server, on the same data folder.

One file a subject; a command is a function from a `Context` to an exit status. Only the command that runs is imported, since
`health` and `--help` must not wait for a web server and its cryptography to load.
"""

import gc
import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module

from alexa_oauth.cli.context import FAILED, CommandFailed, Context
from alexa_oauth.cli.grammar import grammar
from alexa_oauth.cli.options import read_options
from alexa_oauth.settings.loading import SettingsRefused, load

INTERRUPTED = 130
"""What a shell reports of a program that ^C ended."""


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
    file, _, name = chosen.command.partition(".")
    gc.disable()  # what is loaded stays, and the collector would walk through it again and again: an eighth of the start
    command: Callable[[Context], int] = getattr(import_module(f"alexa_oauth.cli.{file}"), name)
    gc.enable()
    return command(Context(loaded.settings, loaded.warnings, chosen))
