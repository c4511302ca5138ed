"""Allow linking now: the button of a lamp bridge, for administrators.

Requests that wait already are never let through by the press: a stranger's may be among them, so a person picks one, by the
two words that its page shows. Pressed while none waits, the button is armed for the next request alone, and as soon as a
second one begins the choice is a person's again. A reload of the page is a second request, too: to fail closed here costs a
look at the panel, to guess wrong costs the house.

The state is one value in memory, whatever strangers send, and a restart forgets it. All calls come from the event loop.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from alexa_oauth.protocol.allowing import Allowance

ALLOWED_SECONDS: Final = 600


class Button:
    """At most one request passes by the click alone: the one that was picked, or the only one since the press."""

    def __init__(self, running: Callable[[], float]) -> None:
        """`running` is a clock that is never stepped, in seconds."""
        self._running = running
        self._given: Allowance | None = None
        self._given_at = 0.0

    @property
    def allowance(self) -> Allowance | None:
        """What the button lets through now; `None` while it is at rest."""
        left = self._given_at + ALLOWED_SECONDS - self._running()
        return replace(self._given, seconds_left=left) if self._given is not None and left > 0 else None

    def press(self, by: str, *, waiting: int) -> bool:
        """Arm it, unless requests wait; whether it was armed."""
        if waiting:
            return False
        self._give(Allowance(by, ALLOWED_SECONDS))
        return True

    def pick(self, request_id: str, by: str) -> None:
        """Let this request through and no other."""
        self._give(Allowance(by, ALLOWED_SECONDS, request_id, picked=True))

    def release(self) -> None:
        """Let nothing through any more."""
        self._given = None

    def arrived(self, request_id: str) -> None:
        """A request began: the first one after the press may pass, a second one stops both."""
        given = self.allowance
        if given is None or given.picked:
            return
        if given.request_id is None:
            self._given = replace(given, request_id=request_id)
        else:
            self._given = replace(given, contested=True)

    def answered(self, request_id: str) -> None:
        """A request was approved, denied or closed: if it was the one that might pass, the press has had its use."""
        if self._given is not None and self._given.request_id == request_id:
            self._given = None

    def allowed_by(self, request_id: str) -> str | None:
        """The subject in whose name this request passes by the click alone, or `None`."""
        given = self.allowance
        return given.by if given is not None and given.request_id == request_id and not given.contested else None

    def _give(self, allowance: Allowance) -> None:
        self._given = allowance
        self._given_at = self._running()
