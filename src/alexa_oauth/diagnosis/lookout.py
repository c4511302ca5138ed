"""The lookout of a running server: what is unusual now, kept in mind between two looks, so that any page can tell it."""

from typing import Final

from alexa_oauth.diagnosis.notices import Notice, notices
from alexa_oauth.protocol.activity import HOUR, by_hour
from alexa_oauth.protocol.reading import ReadableStore

_HOURS: Final = 24


class Lookout:
    """What the last look found; `hindrance` is why Home Assistant, which is to be told of it, was not."""

    def __init__(self, store: ReadableStore, unused_seconds: int) -> None:
        """Not looked yet. `unused_seconds` of disuse end a link, 0 is never."""
        self._store = store
        self._unused_seconds = unused_seconds
        self.notices: tuple[Notice, ...] = ()
        self.hindrance: str | None = None

    async def look(self) -> tuple[Notice, ...]:
        """Judge the last day and the living links anew. `StorageUnavailable`: what was known stays."""
        now = self._store.read(lambda tx: tx.now)
        async with self._store.reader() as reader:
            hours = by_hour(await reader.activity(now - _HOURS * HOUR), now, _HOURS)
            lifetimes = await reader.lifetimes(now)
        self.notices = notices(hours, lifetimes, self._unused_seconds, now)
        return self.notices
