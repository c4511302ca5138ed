"""What becomes of the instants that were written while the clock could not be believed."""

from typing import Final

from alexa_oauth.storage.connection import Connection

_EARLIER_USES: Final = """UPDATE grants SET last_used_at = min(last_used_at + :shift, :now)
    WHERE :shift > 0 AND ended_at IS NULL AND last_used_at < :now"""
_USES_IN_DOUBT: Final = "UPDATE grants SET last_used_at = max(last_used_at, :now), used_in_doubt = 0 WHERE used_in_doubt"
_GRANTS: Final = """UPDATE grants SET
    created_at = min(created_at, :now), rotated_at = min(rotated_at, :now), head_used_at = min(head_used_at, :now),
    first_used_at = min(first_used_at, :now), last_used_at = min(last_used_at, :now), ended_at = min(ended_at, :now),
    ends_at = ends_at - max(created_at - :now, 0)
    WHERE max(created_at, rotated_at, last_used_at, coalesce(head_used_at, 0), coalesce(first_used_at, 0),
        coalesce(ended_at, 0)) > :now"""
_OTHERS: Final = (
    "UPDATE access_tokens SET expires_at = expires_at - (issued_at - :now), issued_at = :now WHERE issued_at > :now",
    "UPDATE access_tokens SET used_at = :now WHERE used_at > :now",
    "UPDATE codes SET expires_at = expires_at - (issued_at - :now), issued_at = :now WHERE issued_at > :now",
    "UPDATE codes SET used_at = :now WHERE used_at > :now",
    "UPDATE pending_requests SET expires_at = expires_at - (created_at - :now), created_at = :now WHERE created_at > :now",
)
_EVENTS: Final = "UPDATE events SET doubtful = 1 WHERE at > :now AND NOT doubtful"
"""An event from the future proves that a wrong clock was believed; it must not be the newest known instant."""


def settle(connection: Connection, now: int, shift: int) -> None:
    """Uses in doubt count from `now`, earlier ones are moved forward by `shift`; what lies ahead comes back to `now`."""
    for statement in (_EARLIER_USES, _USES_IN_DOUBT, _GRANTS, *_OTHERS, _EVENTS):
        connection.execute(statement, {"now": now, "shift": shift})
