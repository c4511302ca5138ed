"""The numbers that the rules apply."""

from dataclasses import dataclass
from typing import Final

SCOPES: Final = ("music.read", "music.control")
"""The scopes that exist; the consent page has words for each."""

PENDING_SECONDS: Final = 600
PENDING_LIMIT: Final = 12_000
"""Pending requests at once, over all callers: the memory and disk that strangers can occupy."""

WAITING_PER_ADDRESS: Final = 3
"""Pending requests of one address that are listed for people; of the others their number is told."""

PAIRING_CODE_SECONDS: Final = 600

CODES_PER_SUBJECT: Final = 20
"""Unredeemed codes of one subject for one client; the oldest goes first."""

WRONG_VERIFIER_LIMIT: Final = 3
CODE_REPLAY_SECONDS: Final = 60
CODE_REPLAY_GRACE_SECONDS: Final = 10

HEAD_ROTATES_AFTER_SECONDS: Final = 7 * 86_400
OVERLAP_REPLAY_SECONDS: Final = 60
OVERLAP_TAIL_SECONDS: Final = 3_600
STRICT_WINDOW_SECONDS: Final = 30
ACCESS_TOKENS_PER_GRANT: Final = 32
SELF_TEST_GRANT_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator may choose. Durations in seconds; `refresh_token_seconds` 0 means that disuse never ends a grant."""

    issuer: str
    code_seconds: int = 300
    access_token_seconds: int = 1_800
    refresh_token_seconds: int = 90 * 86_400
