"""What is counted while the server runs: plain numbers in memory, of which a request changes two or three.

Every name under which something is counted comes from a closed list: a route, a status, an error, an event, a reason. Nothing
that a caller sends can become one.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from alexa_oauth.protocol.activity import BOUNDS, class_name, tally_of
from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.metadata import TOKEN_PATH

NO_ERROR: Final = ""


class Histogram:
    """How many durations fell into each class, and their sum."""

    __slots__ = ("classes", "seconds")

    def __init__(self) -> None:
        self.classes = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        """One more."""
        self.classes[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class Endpoint:
    """The answers of one endpoint, by status and error, and how long they took."""

    __slots__ = ("answers", "times")

    def __init__(self) -> None:
        self.answers: dict[tuple[int, str], int] = {}
        self.times = Histogram()

    def answered(self, status: int, error: str, seconds: float) -> None:
        """It gave that answer; `error` is `NO_ERROR` where there is none."""
        kind = (status, error)
        self.answers[kind] = self.answers.get(kind, 0) + 1
        self.times.note(seconds)


def _no_clock() -> float:
    return 0.0


class Metrics:
    """The counts since the start, and those of them that are still to be written to the hour's row."""

    def __init__(self, clock: Callable[[], float] = _no_clock) -> None:
        """`clock` counts seconds finely; commands beside a server measure nothing."""
        self.clock: Final = clock
        self.endpoints: Final[dict[str, Endpoint]] = {}
        self.events: Final[Counter[tuple[str, str]]] = Counter()
        self.transaction_times: Final = Histogram()
        self.commit_times: Final = Histogram()
        self._unwritten: Counter[str] = Counter()
        self._written_times = [0] * (len(BOUNDS) + 1)

    def of(self, path: str) -> Endpoint:
        """The counts of the endpoint on that path of the table."""
        return self.endpoints.setdefault(path, Endpoint())

    def happened(self, events: Iterable[Event]) -> None:
        """These events were committed, or reported."""
        for event in events:
            self.events[event.name, event.reason or ""] += event.count
            tally = tally_of(event)
            if tally is not None:
                self._unwritten[tally] += event.count

    def committed(self, transaction_seconds: float, commit_seconds: float) -> None:
        """A batch ran for so long, and then was so long on its way to the disk."""
        self.transaction_times.note(transaction_seconds)
        self.commit_times.note(commit_seconds)

    def drain(self) -> Mapping[str, int]:
        """What was counted since the last time, to be added to the row of the present hour."""
        unwritten, self._unwritten = self._unwritten, Counter()
        classes = [*self.of(TOKEN_PATH).times.classes]
        fresh = {class_name(number): count - self._written_times[number] for number, count in enumerate(classes)}
        self._written_times = classes
        return unwritten + Counter(fresh)

    def restore(self, unwritten: Mapping[str, int]) -> None:
        """Take back what could not be written."""
        self._unwritten.update(unwritten)
