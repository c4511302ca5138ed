"""Refusals of callers who proved nothing, summed in memory: a stranger's failure must cost no write to the disk."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.rate_limit import network_of

KEYS: Final = 2_048
OTHER_ADDRESSES: Final = "other"
TEXT_CHARACTERS: Final = 256


class RefusalLedger:
    """One sum for each event, reason and network, and of the networks that come when `keys` sums are kept, one together."""

    def __init__(self, *, keys: int = KEYS) -> None:
        self._keys = keys
        self._sums: dict[tuple[EventName, Reason | None, str | None], Event] = {}
        self._leaving: tuple[Event, ...] = ()

    def note(self, event: Event) -> None:
        """Add the event to its sum, which keeps the newest event's details."""
        self._add(replace(_shortened(event), address=None if event.address is None else network_of(event.address)))

    def sums(self) -> tuple[Event, ...]:
        """What is not written yet, each sum as one event: those that are being written, too, until they are."""
        return *self._leaving, *self._sums.values()

    def drain(self) -> tuple[Event, ...]:
        """The sums, each as one event, to be written; `written` or `restore` tells what became of that."""
        self._leaving = tuple(self._sums.values())
        self._sums.clear()
        return self._leaving

    def written(self) -> None:
        """The drained sums stand on the disk."""
        self._leaving = ()

    def restore(self, sums: Iterable[Event]) -> None:
        """Take back drained sums that could not be written."""
        self._leaving = ()
        for event in sums:
            self._add(event)

    def _add(self, event: Event) -> None:
        key = (event.name, event.reason, event.address)
        if key not in self._sums and len(self._sums) >= self._keys:
            key = (event.name, event.reason, OTHER_ADDRESSES)
        before = self._sums.get(key)
        count = event.count + (before.count if before is not None else 0)
        self._sums[key] = replace(event, address=key[2], count=count)


def _shortened(event: Event) -> Event:
    """The event without the length that its caller chose, so that the ledger's size does not depend on it."""
    client_id = event.client_id[:TEXT_CHARACTERS] if event.client_id is not None else None
    return replace(event, client_id=client_id, detail={name: value[:TEXT_CHARACTERS] for name, value in event.detail.items()})
