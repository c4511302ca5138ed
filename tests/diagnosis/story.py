"""A link attempt as the audit trail tells of it, put together line by line."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from alexa_oauth.diagnosis.attempt import Attempt
from alexa_oauth.diagnosis.attempts import read_attempts
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.reading import History, RecordedEvent
from tests.rig import ALEXA_URI, ALEXA_VENDOR, NOW

PHONE: Final = "Mozilla/5.0 (Linux; Android 12; SM-G991B) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"
IN_APP: Final = "Mozilla/5.0 (Linux; Android 12; SM-G991B; wv) AppleWebKit/537.36 Version/4.0 Chrome/126.0 Mobile Safari/537.36"
LAYLA_URI: Final = f"https://layla.amazon.com/api/skill/link/{ALEXA_VENDOR}"
OTHER_VENDOR_URI: Final = "https://layla.amazon.com/api/skill/link/M3OTHERVENDOR"
HOME, AMAZON, STRANGER = "198.51.100.7", "192.0.2.1", "203.0.113.9"


def alexas_uris(client_id: str | None) -> Collection[str]:
    """Only one region of the client `alexa` is registered."""
    return (ALEXA_URI,) if client_id == "alexa" else ()


@dataclass
class Story:
    """What was recorded of one attempt. `passes` is seconds; each step happens a second after the one before."""

    attempt: str = "a1"
    at: int = NOW
    client_id: str = "alexa"
    events: list[RecordedEvent] = field(default_factory=list)
    strays: list[RecordedEvent] = field(default_factory=list)
    first_used_at: int | None = None

    def tell(self, name: EventName, reason: Reason | None = None, address: str | None = HOME, **detail: str) -> "Story":
        return self._record(name, reason, address, detail)

    def asked(self, user_agent: str = PHONE, **changes: str) -> "Story":
        told = {"redirect_uri": ALEXA_URI, "scope": "music.read", "pkce": "no", "echo_characters": "1043", **changes}
        self._record(EventName.AUTHORIZE_REQUEST, None, HOME, {"user_agent": user_agent, **told})
        return self.tell(EventName.CONSENT_SHOWN)

    def approved(self) -> "Story":
        return self.passes(5).tell(EventName.CONSENT_APPROVED).tell(EventName.CODE_ISSUED)

    def given(self) -> "Story":
        return self.passes(1).tell(EventName.TOKEN_ISSUED, address=None)

    def refused(self, reason: Reason) -> "Story":
        return self.passes(1).tell(EventName.TOKEN_REFUSED, reason, AMAZON)

    def used(self) -> "Story":
        self.passes(1)
        self.first_used_at = self.at
        return self

    def stray(
        self, reason: Reason, client_id: str | None = None, name: EventName = EventName.TOKEN_REFUSED, *, count: int = 1
    ) -> "Story":
        event = Event(name, None, client_id, reason=reason, address=STRANGER, count=count)
        self.strays.append(RecordedEvent(self._next(), self.at, doubtful=False, event=event))
        return self

    def passes(self, seconds: int) -> "Story":
        self.at += seconds
        return self

    @property
    def history(self) -> History:
        return History(self.attempt, tuple(self.events), self.first_used_at)

    def read(self, *others: "Story") -> Attempt:
        """What is told of this attempt now; `others` happened beside it."""
        return read_all(self, *others)[0]

    def _record(self, name: EventName, reason: Reason | None, address: str | None, detail: Mapping[str, str]) -> "Story":
        event = Event(name, self.attempt, self.client_id, self._subject(name), reason=reason, address=address, detail=detail)
        self.events.append(RecordedEvent(self._next(), self.at, doubtful=False, event=event))
        return self

    def _next(self) -> int:
        return self.at * 100 + len(self.events) + len(self.strays)

    @staticmethod
    def _subject(name: EventName) -> str | None:
        return "ha:anna" if name in {EventName.CONSENT_APPROVED, EventName.CODE_ISSUED, EventName.TOKEN_ISSUED} else None


def read_all(*stories: Story) -> Sequence[Attempt]:
    """What is told of these attempts at the end of the last one."""
    strays = [stray for story in stories for stray in story.strays]
    return read_attempts([story.history for story in stories], strays, max(story.at for story in stories), alexas_uris)
