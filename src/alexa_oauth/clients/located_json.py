"""JSON that somebody wrote by hand: each member of an object knows its line, and one that was written twice is seen."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object, with the line of its key; `members` are those of its value, if that is an object."""

    key: str
    value: object
    line: int
    members: tuple["Member", ...] = ()

    def line_of(self, key: str | None) -> int:
        """The line of the member of that key, or of this one."""
        return next((member.line for member in self.members if member.key == key), self.line)


class NotAnObject(Exception):
    """The text is no JSON object; it says where and why."""


def read_object(octets: bytes, levels: int) -> tuple[Member, ...]:
    """The members of a JSON object in UTF-8, in the order in which they stand, so many levels deep. `NotAnObject`."""
    try:
        text = octets.decode("utf-8-sig")
        value = json.loads(text)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise NotAnObject(f"line {line}: is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotAnObject(f"line {error.lineno}, column {error.colno}: is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise NotAnObject("line 1: holds a number that is too long, or is nested too deeply") from error
    if not isinstance(value, dict):
        raise NotAnObject("line 1: is not an object")
    return tuple(_members(text, _skip_space(text, 0), levels))


def repeated(members: tuple[Member, ...]) -> Iterator[Member]:
    """The members whose key stood before them already: JSON would take the last, a reader might believe the first."""
    seen: set[str] = set()
    for member in members:
        if member.key in seen:
            yield member
        seen.add(member.key)


def _members(text: str, at: int, levels: int) -> Iterator[Member]:
    """The members of the object that begins at `at`, in text that is known to be JSON."""
    at = _skip_space(text, at + 1)
    while text[at] == '"':
        key, colon = _DECODER.raw_decode(text, at)
        begin = _skip_space(text, _skip_space(text, colon) + 1)
        value, end = _DECODER.raw_decode(text, begin)
        within = tuple(_members(text, begin, levels - 1)) if levels > 1 and isinstance(value, dict) else ()
        yield Member(key, value, text.count("\n", 0, at) + 1, within)
        end = _skip_space(text, end)
        at = _skip_space(text, end + 1) if text[end] == "," else end


def _skip_space(text: str, at: int) -> int:
    return next(index for index in range(at, len(text)) if text[index] not in " \t\r\n")
