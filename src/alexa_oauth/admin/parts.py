"""What the panel is put together from; the root fills it in, once."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import web

from alexa_oauth.admin.examination import Examination
from alexa_oauth.admin.keeping import Keeping
from alexa_oauth.admin.pages import Entry, PanelPages
from alexa_oauth.admin.sightings import Sightings
from alexa_oauth.admin.visit import Door
from alexa_oauth.diagnosis.findings import Finding
from alexa_oauth.diagnosis.lookout import Lookout
from alexa_oauth.metrics import Metrics
from alexa_oauth.protocol.account_linking import ClientSecret
from alexa_oauth.protocol.allowing import Button
from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.policy import Policy
from alexa_oauth.protocol.ports import Entropy, Store
from alexa_oauth.protocol.reading import ReadableStore

_NOTICES: Final = 64


class BuiltInClient(Protocol):
    """The client that is Alexa, as the panel shows and changes it."""

    @property
    def client_id(self) -> str:
        """Its id."""

    @property
    def sightings(self) -> Sightings:
        """Vendor ids that Amazon sent, and that are not registered."""

    @property
    def follows_vendor_ids(self) -> bool:
        """Whether they decide where it may send people."""

    def configured_secret(self) -> ClientSecret | None:
        """Its secret as the operator wrote it down; `None` if the server makes it."""

    async def add_vendor_id(self, store: Store, vendor_id: str, by: str) -> None:
        """Add one, in the name of the person. `OptionsNotKept` or `StorageUnavailable`: nothing was added."""


class Doctor(Protocol):
    """Who knows why linking fails."""

    async def look(self) -> tuple[Finding, ...]:
        """What shows without leaving the machine."""

    def report(self, findings: Iterable[Finding]) -> str:
        """The findings for a bug tracker."""


@dataclass(frozen=True, slots=True)
class AdminParts:
    """What the root hands in.

    `running` counts seconds, never stepped. `caution` is what administrators read on every page. `has_address`: the internet
    reaches us. `asks_for_code`: approving takes a pairing code. `is_supervised`: Home Assistant opens the panel, and nobody else.
    `is_guessed_at`: so many wrong codes arrive that every further one waits. `counted`: refusals that are not written yet.
    """

    store: ReadableStore
    policy: Policy
    entropy: Entropy
    running: Callable[[], float]
    caution: str | None
    alexa: BuiltInClient
    has_address: bool
    asks_for_code: bool
    button: Button
    is_guessed_at: Callable[[], bool]
    is_supervised: bool
    counted: Callable[[], tuple[Event, ...]]
    keeping: Keeping
    version: str
    metrics: Metrics
    doctor: Doctor
    lookout: Lookout
    examination: Examination
    checks: Callable[[], Mapping[str, str]]
    metrics_token: str | None = field(repr=False)


class Notices:
    """What was done last for each visitor, to be told once, on the page that they see next."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._notices: OrderedDict[str, str] = OrderedDict()

    def leave(self, holder: str, notice: str) -> None:
        """Keep a sentence; only so many, since some are never fetched."""
        self._notices[holder] = notice
        if len(self._notices) > _NOTICES:
            self._notices.popitem(last=False)

    def take(self, holder: str) -> str | None:
        """The sentence, if there is one."""
        return self._notices.pop(holder, None)


@dataclass(frozen=True, slots=True)
class Panel:
    """The panel as the answers need it. `entries` are those of the navigation, in order."""

    door: Door
    pages: PanelPages
    entries: tuple[Entry, ...]
    version: str
    caution: str | None
    lookout: Lookout
    notices: Notices = field(default_factory=Notices)


PARTS: Final = web.AppKey("admin_parts", AdminParts)
PANEL: Final = web.AppKey("panel", Panel)
