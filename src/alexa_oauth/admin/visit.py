"""Who asks for a page of the panel, and how a handler learns it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import web

from alexa_oauth.protocol.models import Resident


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's visitor.

    `base` is where the browser sees the panel: what every link begins with, without a slash at its end. `csrf` is the value
    that this visitor's forms carry. `may_sign_out`: the visit is a session of the panel's own, not of Home Assistant's.
    """

    person: Resident
    base: str
    csrf: str = field(repr=False)
    may_sign_out: bool


VISIT: Final = web.RequestKey("visit", Visit)
FORM: Final = web.RequestKey("form", Mapping[str, str])


def person_of(request: web.Request) -> Resident:
    """Who asks."""
    return request[VISIT].person


def form_of(request: web.Request) -> Mapping[str, str]:
    """The fields of a change, which by now is known to be wanted by the person who asks."""
    return request[FORM]


class Door(Protocol):
    """One way into the panel."""

    @property
    def framed_by(self) -> str:
        """Which pages may frame the panel, as a source expression of CSP."""

    def check(self, request: web.Request) -> None:
        """Turn away, as an `HTTPException`, who may not even knock."""

    async def admit(self, request: web.Request) -> Visit | None:
        """The visitor, or `None` if nobody stands behind the request. `StorageUnavailable`."""
