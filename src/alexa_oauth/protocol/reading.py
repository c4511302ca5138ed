"""What pages and commands ask of what is written: longer reads than a rule's, on a connection of their own."""

from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from alexa_oauth.protocol.activity import Activity
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import Scope
from alexa_oauth.protocol.ports import Store


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a living grant began, was last used and ends. `ends_at` is a fixed end; disuse is judged by the policy."""

    created_at: int
    last_used_at: int
    ends_at: int | None

    def expires_at(self, unused_seconds: int) -> int | None:
        """When it ends by itself if nobody uses it; `None` is never. Disuse ends nothing where `unused_seconds` is 0."""
        ends = [self.ends_at, self.last_used_at + unused_seconds if unused_seconds else None]
        return min((end for end in ends if end is not None), default=None)


@dataclass(frozen=True, slots=True)
class Link:
    """A living grant as pages show it: whose it is, for what, and its times as `Lifetime` has them."""

    grant_id: str
    subject: str
    client_id: str
    scope: Scope
    created_at: int
    last_used_at: int
    ends_at: int | None

    def expires_at(self, unused_seconds: int) -> int | None:
        """As `Lifetime` says."""
        return Lifetime(self.created_at, self.last_used_at, self.ends_at).expires_at(unused_seconds)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event of the audit trail, `sequence` its place there; `doubtful`: the clock could not be believed at `at`."""

    sequence: int
    at: int
    doubtful: bool
    event: Event

    def fields(self) -> dict[str, object]:
        """What programs are told of it, ready for JSON."""
        event = self.event
        return {
            "at": self.at,
            "event": event.name,
            "reason": event.reason,
            "client_id": event.client_id,
            "subject": event.subject,
            "address": event.address,
            "attempt": event.attempt,
            "link": event.grant_id,
            "count": event.count,
            "detail": dict(event.detail),
            "doubtful": self.doubtful,
        }


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are wanted: those that have everything that is given. `after` and `before` are places in the trail."""

    limit: int
    attempt: str | None = None
    name: EventName | None = None
    grant_id: str | None = None
    client_id: str | None = None
    subject: str | None = None
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What was recorded of one link attempt, oldest first; its refreshes and uses are only told of by `first_used_at`.

    `first_used_at` is when a token of its grant was first used or refreshed, `None` if that did not happen.
    """

    attempt: str
    events: tuple[RecordedEvent, ...]
    first_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which link attempts are wanted: that one, those that this subject approved, those that began before that place."""

    limit: int
    attempt: str | None = None
    subject: str | None = None
    before: int | None = None


class Reader(Protocol):
    """Questions to the database, each of them one snapshot."""

    def links(self, now: int, limit: int = -1, skip: int = 0) -> Awaitable[list[Link]]:
        """The living grants, newest first: all of them, or so many after those that are skipped."""

    def count_links(self, now: int) -> Awaitable[int]:
        """How many living grants there are."""

    def lifetimes(self, now: int) -> Awaitable[list[Lifetime]]:
        """Those of the living grants, in any order."""

    def activity(self, since: int) -> Awaitable[list[Activity]]:
        """The hours in which something was counted, from the one in which `since` lies."""

    def pending_requests(self, now: int) -> Awaitable[int]:
        """How many authorization requests wait for a person."""

    def events(self, query: EventQuery) -> Awaitable[list[RecordedEvent]]:
        """The newest events that the query asks for, newest first."""

    def histories(self, query: HistoryQuery) -> Awaitable[list[History]]:
        """The newest link attempts that the query asks for, newest first."""

    def strays(self, since: int, until: int) -> Awaitable[list[RecordedEvent]]:
        """Refused calls of that time which name no attempt, oldest first."""


class ReadableStore(Store, Protocol):
    """A store whose rows pages can read."""

    def reader(self) -> AbstractAsyncContextManager[Reader]:
        """A connection of its own. `StorageUnavailable` if the database cannot be read now."""
