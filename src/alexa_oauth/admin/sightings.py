"""Vendor ids that Amazon's hosts named in requests that were refused for them: what an administrator may want to add.

Anyone on the internet can send one. So they are kept in memory, a few and for minutes, and shown only to the administrator
who began to link just before.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from alexa_oauth.protocol.alexa import vendor_id_of
from alexa_oauth.protocol.events import Event, EventName, Reason

_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class Sighting:
    """A vendor id as it came, last, in an attempt that was refused for it."""

    vendor_id: str
    at: int
    attempt: str
    address: str


class Sightings:
    """The newest few, each once."""

    def __init__(self, client_id: str, now: Callable[[], int]) -> None:
        """`client_id` is the built-in client's; `now` is asked as an event comes."""
        self._client_id = client_id
        self._now = now
        self._sightings: OrderedDict[str, Sighting] = OrderedDict()

    def note(self, event: Event) -> None:
        """Look at a refusal."""
        is_ours = event.name is EventName.AUTHORIZE_REFUSED and event.reason is Reason.REDIRECT_URI_NOT_REGISTERED
        vendor_id = vendor_id_of(event.detail.get("redirect_uri", "")) if is_ours else None
        if vendor_id is None or event.client_id != self._client_id:
            return
        self._sightings.pop(vendor_id, None)
        self._sightings[vendor_id] = Sighting(vendor_id, self._now(), event.attempt or "", event.address or "")
        if len(self._sightings) > _KEPT:
            self._sightings.popitem(last=False)

    def since(self, at: int) -> tuple[Sighting, ...]:
        """Those that came at that instant or later, newest first."""
        return tuple(sighting for sighting in reversed(self._sightings.values()) if sighting.at >= at)

    def forget(self, vendor_id: str) -> None:
        """It was added."""
        self._sightings.pop(vendor_id, None)
