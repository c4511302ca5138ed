"""What is known of one cause."""

from dataclasses import dataclass
from enum import StrEnum


class Seen(StrEnum):
    """Where a cause shows."""

    EVENTS = "events"
    """In what this server recorded of a link attempt."""
    INSIDE = "inside"
    """In its settings, on its disk, in its clock."""
    OUTSIDE = "outside"
    """By calling the public address as Amazon does."""
    ASKING = "asking"
    """Nowhere here: only the person can look."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for which a link does not come about, or ends.

    `title` is a few words, `sentence` says what is wrong, `fix` what to do about it: plain text for a person who never heard
    of OAuth. `seen` names every place in which it can show.
    """

    cause_id: str
    title: str
    sentence: str
    fix: str
    seen: tuple[Seen, ...]
