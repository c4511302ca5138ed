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
class Settlement:
    """How doubt can end: what is believed from `now` on, and by how much earlier uses of grants must be moved forward.

    The rows are put right first, and only then is the new timekeeper adopted: in between, the old doubt protects them.
    """

    timekeeper: "Timekeeper"
    now: int
    shift: int = 0


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

    def now(self, reading: Reading) -> int:
        """Seconds since 1970, as the running clock counts on from the anchor."""
        return int(self.anchor.wall + reading.running - self.anchor.running)

    def instant(self, reading: Reading) -> Instant:
        """The instant of that reading."""
        return Instant(self.now(reading), int(self.anchor.wall), self.doubtful)

    def compared_with(self, newest: int | None, reading: Reading) -> "Timekeeper":
        """At a start: doubt a clock that lies before the newest known instant, or long after it."""
        believable = reading.wall >= EARLIEST_PLAUSIBLE
        if newest is not None:
            believable = believable and newest - TOLERANCE_SECONDS <= reading.wall <= newest + LEAP_SECONDS
        return self if believable else replace(self, steady_since=reading, from_start=True)

    def observed(self, reading: Reading) -> "Timekeeper":
        """While running: a step of the wall clock begins doubt, and a further one makes the steady time begin anew."""
        if abs(reading.drift_from(self.steady_since or self.anchor)) <= TOLERANCE_SECONDS:
            return self
        return replace(self, steady_since=reading)

    def settlement(self, reading: Reading, date: int | None = None) -> Settlement | None:
        """How doubt ends, if it can: the step was undone, another machine's `Date` agrees, or a steady day has passed.

        No link may die of a step, so that uses before it are moved by it; after a start, when nobody knows how long the
        machine was off and nobody confirms the clock, every living link counts as used now.
        """
        if self.steady_since is None:
            return None
        if not self.from_start and abs(reading.drift_from(self.anchor)) <= TOLERANCE_SECONDS:
            return Settlement(replace(self, steady_since=None), self.now(reading))
        confirmed = date is not None and abs(reading.wall - date) <= TOLERANCE_SECONDS
        if not confirmed and reading.running - self.steady_since.running < STEADY_SECONDS:
            return None
        now = int(reading.wall)
        shift = now if self.from_start and not confirmed else max(0, now - self.now(reading))
        return Settlement(Timekeeper(reading), now, shift)
