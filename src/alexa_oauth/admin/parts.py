"""What the panel is put together from; the root fills it in, once."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from alexa_oauth.admin.examination import Examination
from alexa_oauth.admin.pages import Entry, PanelPages
from alexa_oauth.admin.ports import BuiltInClient, Doctor, DoubtedClock, Keeping
from alexa_oauth.admin.visit import Door
from alexa_oauth.diagnosis.lookout import Lookout
from alexa_oauth.metrics import Metrics
from alexa_oauth.protocol.allowing import Button
from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.policy import Policy
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.protocol.reading import ReadableStore

_NOTICES: Final = 64


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
    clock: DoubtedClock


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
