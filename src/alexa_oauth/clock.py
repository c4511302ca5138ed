"""The clock of one server: readings in, instants out, with what is believed of them."""

from collections.abc import Callable

from alexa_oauth.protocol.clock import Reading, Settlement, Timekeeper
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import Instant
from alexa_oauth.protocol.ports import Store


class Clock:
    """Implements `admin.ports.DoubtedClock`."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        """Begin to count at the present reading."""
        self._read = read
        self._timekeeper = Timekeeper(read())

    @property
    def doubtful(self) -> bool:
        """Whether nothing may be refused for its age now."""
        return self._timekeeper.doubtful

    @property
    def doubted_time(self) -> int | None:
        """As the port says."""
        return int(self._read().wall) if self.doubtful else None

    def running(self) -> float:
        """Seconds since some unknown moment, never stepped."""
        return self._read().running

    def instant(self) -> Instant:
        """The present instant."""
        reading = self._read()
        self._timekeeper = self._timekeeper.observed(reading)
        return self._timekeeper.instant(reading)

    def compare_with(self, newest: int | None) -> None:
        """Judge the clock by the newest instant that the database knows."""
        self._timekeeper = self._timekeeper.compared_with(newest, self._read())

    async def settle(self, store: Store, date: int | None = None) -> bool:
        """End the doubt if that is possible now; whether it did. `date` is what another machine's `Date` says."""
        return await self._adopt(store, self._timekeeper.settlement(self._read(), date), Event(EventName.CLOCK_CONFIRMED))

    async def confirm(self, store: Store, by: str) -> bool:
        """As the port says."""
        reading = self._read()
        settlement = self._timekeeper.settlement(reading, int(reading.wall))
        return await self._adopt(store, settlement, Event(EventName.CLOCK_CONFIRMED).by(by))

    async def _adopt(self, store: Store, settlement: Settlement | None, told: Event) -> bool:
        """The rows are put right, and only then is the clock believed: in between, the old doubt protects them."""
        if settlement is None:
            return False
        now, shift = settlement.now, settlement.shift
        await store.write(lambda tx: tx.grants.settle_instants(now, shift))
        self._timekeeper = settlement.timekeeper
        await store.write(lambda tx: tx.events.record(told))
        return True
