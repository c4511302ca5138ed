"""How far long work is: one line on standard error that is written over, for a person at a terminal alone."""

import sys
from collections.abc import Iterable, Iterator


def announce(doing: str) -> None:
    """Say what is being done and may take a while, to a person at a terminal alone."""
    if sys.stderr.isatty():
        print(f"{doing} …", file=sys.stderr, flush=True)


def shown(pieces: Iterable[bytes], total: int, doing: str) -> Iterator[bytes]:
    """The pieces as they come, of about `total` bytes; meanwhile the line says what is being done, and how much of it is."""
    if not sys.stderr.isatty():
        yield from pieces
        return
    done = 0
    for piece in pieces:
        done += len(piece)
        print(f"\r{doing} … {min(99, 100 * done // max(total, 1))} %", end="", file=sys.stderr, flush=True)
        yield piece
    print(f"\r{doing} … done", file=sys.stderr)
