"""How the panel writes instants, durations and sizes: in the household's own time zone, and as people say them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_SIZES: Final = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NEVER: Final = "never"


def instant(at: int | None) -> str:
    """Seconds since 1970 as a `time` element, such as 25 Nov 2026, 19:04; `None` is never."""
    return _NEVER if at is None else _time(at, f"{_day(at)}, {_local(at):%H:%M}")


def exact_instant(at: int) -> Markup:
    """The same with its seconds."""
    return _time(at, f"{_day(at)}, {_local(at):%H:%M:%S}")


def day(at: int | None) -> str:
    """Its day alone."""
    return _NEVER if at is None else _time(at, _day(at))


def hour_of_day(at: int) -> str:
    """Its hour and minute as bare text."""
    return f"{_local(at):%H:%M}"


def clock_time(at: int) -> Markup:
    """Its hour and minute, for what is over within the day."""
    return _time(at, f"{_local(at):%H:%M}")


def second_time(at: int) -> Markup:
    """Its hour, minute and second, for what follows one another closely."""
    return _time(at, f"{_local(at):%H:%M:%S}")


def ago(at: int, now: int) -> Markup:
    """How long ago it was, in one unit, such as 3 minutes ago."""
    passed = now - at
    return _time(at, f"{duration(passed)} ago" if passed >= 1 else "just now")


def duration(seconds: float) -> str:
    """A duration in its largest whole unit, such as 90 minutes → 1 hour."""
    length, unit = next(((length, unit) for length, unit in _UNITS if seconds >= length), _UNITS[-1])
    return count(int(seconds // length), unit)


def size(octets: int) -> str:
    """A number of bytes, such as 1.4 MB."""
    for unit, name in _SIZES:
        if octets >= unit:
            return f"{octets / unit:.1f} {name}"
    return count(octets, "byte")


def count(number: int, singular: str) -> str:
    """A number of things, such as 1 link or 3 links."""
    return f"{number:,} {singular}{'' if number == 1 else 's'}"


FILTERS: Final[dict[str, Callable[..., str]]] = {
    "instant": instant,
    "exact_instant": exact_instant,
    "day": day,
    "clock_time": clock_time,
    "second_time": second_time,
    "ago": ago,
    "duration": duration,
    "size": size,
    "count_of": count,
}
"""What templates call them."""


def _local(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone()


def _day(at: int) -> str:
    local = _local(at)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def _time(at: int, shown: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(_local(at).isoformat(), shown)
