"""How results are shown to a person and to a program."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime


def print_json(result: object) -> None:
    """One JSON text, for programs."""
    print(json.dumps(result, indent=2))


def print_table(rows: Iterable[Sequence[str]]) -> None:
    """Rows with their columns aligned, the heading first."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_fields(fields: Iterable[tuple[str, str | Sequence[str]]]) -> None:
    """Names with their values beside them; a value of several parts takes a line for each."""
    rows: list[tuple[str, str]] = []
    for name, value in fields:
        first, *others = [value] if isinstance(value, str) else value or ["-"]
        rows += [(name, first), *(("", other) for other in others)]
    print_table(rows)


def printable(text: str) -> str:
    """The text with everything escaped that ends a line or commands a terminal: strangers wrote some of what is shown."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii") for mark in text)


def local_time(at: int) -> str:
    """An instant in the machine's own time zone, as ISO 8601 writes it."""
    try:
        return datetime.fromtimestamp(at, UTC).astimezone().replace(tzinfo=None).isoformat(" ")
    except (ValueError, OverflowError, OSError):
        return str(at)
