"""When the clock may be believed. Readings are handed in; nothing here reads a clock.

Two clocks are compared: the wall clock, which can be wrong or stepped, and a running clock, which counts evenly since some
unknown moment. `now` follows the running clock from an anchor, so a step of the wall clock moves no window; a large step is
doubt, and while in doubt nothing may be refused for its age.
"""

from dataclasses import dataclass, replace
from typing import Final

from alexa_oauth.protocol.models import Instant

TOLERANCE_SECONDS: Final = 300
LEAP_SECONDS: Final = 30 * 86_400
STEADY_SECONDS: Final = 86_400
EARLIEST_PLAUSIBLE: Final = 1_790_000_000
"""September 2026, before this program was written: a machine without a battery clock starts in 1970."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment: `wall` in seconds since 1970, `running` in seconds since some unknown moment."""

    wall: float
    running: float

    def drift_from(self, earlier: "Reading") -> float:
        """By how much the wall clock was stepped between the two readings."""
        return (self.wall - earlier.wall) - (self.running - earlier.running)


@dataclass(frozen=True, slots=True)
class Timekeeper:
    """What is believed of the clock. `steady_since` is set while in doubt: since then the wall clock was not stepped."""

    anchor: Reading
    steady_since: Reading | None = None
    from_start: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether nothing may be refused for its age."""
        return self.steady_since is not None

    def instant(self, reading: Reading) -> Instant:
        """The instant of that reading."""
        anchor = int(self.anchor.wall)
        return Instant(anchor + int(reading.running - self.anchor.running), anchor, self.doubtful)

    def compared_with(self, newest: int | None, reading: Reading) -> "Timekeeper":
        """At a start: doubt a clock that lies before the newest known instant, or long after it."""
        believable = reading.wall >= EARLIEST_PLAUSIBLE
        if newest is not None:
            believable = believable and newest - TOLERANCE_SECONDS <= reading.wall <= newest + LEAP_SECONDS
        return self if believable else replace(self, steady_since=reading, from_start=True)

    def observed(self, reading: Reading) -> "Timekeeper":
        """While running: doubt begins with a step, and ends when the step is undone or a day has passed without one."""
        agrees = abs(reading.drift_from(self.anchor)) <= TOLERANCE_SECONDS
        if self.steady_since is None:
            return self if agrees else replace(self, steady_since=reading)
        if agrees and not self.from_start:
            return replace(self, steady_since=None)
        if abs(reading.drift_from(self.steady_since)) > TOLERANCE_SECONDS:
            return replace(self, steady_since=reading)
        if reading.running - self.steady_since.running >= STEADY_SECONDS:
            return self.confirmed(reading)
        return self

    def confirmed(self, reading: Reading) -> "Timekeeper":
        """Someone else's clock agrees with the wall clock: it is believed, and windows begin anew at it."""
        return Timekeeper(reading)

    def agrees_with(self, date: int, reading: Reading) -> bool:
        """Whether another machine's `Date`, in seconds since 1970, confirms the wall clock."""
        return abs(reading.wall - date) <= TOLERANCE_SECONDS
