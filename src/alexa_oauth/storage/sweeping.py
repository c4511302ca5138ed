"""Pruning: what has no use any more goes, in batches small enough that no request waits long for one."""

from typing import Final

from alexa_oauth.protocol.activity import KEPT_SECONDS
from alexa_oauth.protocol.policy import OVERLAP_REPLAY_SECONDS, STRICT_WINDOW_SECONDS
from alexa_oauth.storage.transaction import SqliteTransaction

BATCH: Final = 500
CODE_KEPT_SECONDS: Final = 3_600
"""How long past its end an unredeemed code still answers "expired" rather than "unknown"."""
HISTORY_SECONDS: Final = 400 * 86_400
STRANGERS_EVENTS: Final = 5_000
_WINDOW_SECONDS: Final = max(OVERLAP_REPLAY_SECONDS, STRICT_WINDOW_SECONDS)

_BY_AGE: Final = (
    """DELETE FROM access_tokens WHERE sequence IN (
        SELECT sequence FROM access_tokens WHERE expires_at <= :now LIMIT :batch)""",
    """DELETE FROM pending_requests WHERE sequence IN (
        SELECT sequence FROM pending_requests WHERE expires_at <= :now LIMIT :batch)""",
    """DELETE FROM codes WHERE sequence IN (
        SELECT sequence FROM codes WHERE used_at IS NULL AND expires_at <= :now - :code_kept LIMIT :batch)""",
    # A used code is recognised for as long as there is something that its replay could end.
    """DELETE FROM codes WHERE sequence IN (
        SELECT sequence FROM codes LEFT JOIN grants USING (grant_id)
        WHERE used_at IS NOT NULL AND (grants.grant_id IS NULL OR ended_at IS NOT NULL OR ends_at <= :now) LIMIT :batch)""",
    """DELETE FROM grants WHERE grant_id IN (
        SELECT grant_id FROM grants WHERE coalesce(ended_at, ends_at) <= :now - :history LIMIT :batch)""",
    "DELETE FROM pairing_codes WHERE expires_at <= :now",
    "DELETE FROM admin_links WHERE expires_at <= :now",
    "DELETE FROM activity WHERE hour <= :now - :activity_kept",
    """DELETE FROM events WHERE sequence IN (
        SELECT sequence FROM events WHERE of_grant AND at <= :now - :history LIMIT :batch)""",
    """DELETE FROM events WHERE sequence IN (
        SELECT sequence FROM events WHERE sequence <= (
            SELECT sequence FROM events WHERE of_grant = 0 ORDER BY sequence DESC LIMIT 1 OFFSET :strangers)
        AND of_grant = 0 LIMIT :batch)""",
)
_SEALED_WINDOWS: Final = """UPDATE grants SET sealed_window = NULL WHERE grant_id IN (
    SELECT grant_id FROM grants
    WHERE sealed_window IS NOT NULL AND rotated_at NOT BETWEEN :now - :window AND :now LIMIT :batch)"""


def sweep_batch(tx: SqliteTransaction) -> bool:
    """Prune one batch of each kind; whether there may be more. In doubt nothing is old."""
    instant = tx.instant
    if instant.doubtful:
        return False
    # A window that was open at a restart begins anew there, so nothing sealed is erased until it has passed.
    windows_passed = instant.now - instant.running_since > _WINDOW_SECONDS
    limits = {
        "now": instant.now,
        "batch": BATCH,
        "window": _WINDOW_SECONDS,
        "code_kept": CODE_KEPT_SECONDS,
        "history": HISTORY_SECONDS,
        "strangers": STRANGERS_EVENTS,
        "activity_kept": KEPT_SECONDS,
    }
    statements = (*_BY_AGE, _SEALED_WINDOWS) if windows_passed else _BY_AGE
    return max([tx.connection.execute(statement, limits).rowcount for statement in statements]) >= BATCH
