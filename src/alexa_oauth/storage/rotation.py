"""Changing keys: another master key at once, other data keys little by little, and an old one goes when nothing needs it.

New data keys make everything new from their first moment, and the former ones go on reading what they made. Each grant gets a
head of the new key at its next refresh; payloads are sealed anew in batches. A pass over them leaves no trace of how far it
came: it asks each payload which key opens it, so one that is broken off is simply begun again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from alexa_oauth.protocol.errors import RowDamaged
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.keeping import KeyStanding
from alexa_oauth.protocol.models import KeyAge
from alexa_oauth.protocol.policy import OVERLAP_TAIL_SECONDS
from alexa_oauth.storage import database
from alexa_oauth.storage.keys import DataKey, MasterKey, Purpose
from alexa_oauth.storage.transaction import SqliteTransaction

BATCH: Final = 200
COPIES_LIVE_SECONDS: Final = 8 * 86_400
"""For so long a daily copy of the database may still hold links that have ended here, and whose keys it needs."""

SEALED: Final = (
    ("grants", "payload", Purpose.PAYLOAD),
    ("grants", "sealed_window", Purpose.SEALING),
    ("codes", "payload", Purpose.PAYLOAD),
    ("access_tokens", "payload", Purpose.PAYLOAD),
    ("pending_requests", "payload", Purpose.PAYLOAD),
    ("client_secrets", "sealed", Purpose.SEALING),
    ("pairing_codes", "sealed", Purpose.SEALING),
)
"""Every column whose content a data key seals."""

# Pieces of our own text are put together here, never a value.
_FORMER: Final = """retired_at IS NULL AND sequence < (
    SELECT max(sequence) FROM data_keys AS newer WHERE newer.purpose = data_keys.purpose)"""
_LIVING: Final = "ended_at IS NULL AND (ends_at IS NULL OR ends_at > :now)"
_NEEDS: Final = """(token_key_id = data_keys.key_id OR (predecessor_key_id = data_keys.key_id
    AND (head_used_at IS NULL OR head_used_at >= :tail_begins OR :running_since >= :tail_begins)))"""
_STANDINGS: Final = f"""SELECT key_id, created_at, {_FORMER}, retired_at IS NOT NULL,
    (SELECT count(*) FROM grants WHERE {_LIVING} AND {_NEEDS}) FROM data_keys WHERE purpose = 'tokens' ORDER BY sequence DESC"""  # noqa: S608
_RETIRE: Final = f"UPDATE data_keys SET retired_at = :now WHERE {_FORMER}"  # noqa: S608
_REWRAP: Final = "UPDATE data_keys SET wrapped = ?, wrapped_by = ? WHERE key_id = ?"

_USELESS: Final = f"""SELECT key_id, purpose FROM data_keys WHERE retired_at <= :now - :copies_live
    AND NOT EXISTS (SELECT 1 FROM grants WHERE {_LIVING} AND created_at <= retired_at)"""  # noqa: S608
_FORGET_KEY: Final = (
    "UPDATE grants SET token_key_id = :newest WHERE token_key_id = :key_id",
    "UPDATE grants SET predecessor_key_id = NULL WHERE predecessor_key_id = :key_id",
    "DELETE FROM data_keys WHERE key_id = :key_id",
)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a pass over the sealed columns has come."""

    column: int = 0
    after: int = -1


def rewrap(tx: SqliteTransaction, former: MasterKey, fresh: MasterKey) -> None:
    """Wrap the data keys under another master key; they stay what they are, so no token changes."""
    keys = database.unwrap_keys(tx.connection, former)
    for key in keys:
        tx.connection.execute(_REWRAP, (fresh.wrap(key), fresh.key_id, key.key_id))


def add_data_keys(tx: SqliteTransaction, master: MasterKey, keys: Iterable[DataKey]) -> None:
    """Add one data key of each purpose, which make everything new from now on."""
    for key in keys:
        database.add_key(tx.connection, key, master, tx.now)


def standings(tx: SqliteTransaction) -> list[KeyStanding]:
    """The keys of refresh tokens, newest first, and what still needs each."""
    instant = tx.instant
    tail_begins = instant.now - OVERLAP_TAIL_SECONDS
    values = {"now": instant.now, "tail_begins": tail_begins, "running_since": instant.running_since}
    return [
        KeyStanding(key_id, created_at, _age(is_former=is_former, is_retired=is_retired), links)
        for key_id, created_at, is_former, is_retired, links in tx.connection.execute(_STANDINGS, values)
    ]


def reseal_batch(tx: SqliteTransaction, place: Place) -> Place | None:
    """Seal some payloads anew under the newest keys; where to go on, or `None` at the end."""
    table, column, purpose = SEALED[place.column]
    statement = f"SELECT rowid, {column} FROM {table} WHERE rowid > ? AND {column} IS NOT NULL ORDER BY rowid LIMIT ?"  # noqa: S608
    rows = tx.connection.execute(statement, (place.after, BATCH)).fetchall()
    for row, renewed in _renewed(tx, table, purpose, rows):
        tx.connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (renewed, row))  # noqa: S608
    if len(rows) == BATCH:
        return Place(place.column, rows[-1][0])
    return Place(place.column + 1) if place.column + 1 < len(SEALED) else None


def retire(tx: SqliteTransaction) -> list[str]:
    """Retire the former keys if no living grant needs one, every payload being sealed anew; the ids of their token keys."""
    newest, *others = standings(tx)
    former = [standing for standing in others if standing.age is KeyAge.FORMER]
    is_up_to_date = newest.key_id == tx.connection.ring.newest_token_key_id
    if tx.instant.doubtful or not is_up_to_date or not former or any(standing.links for standing in former):
        return []
    tx.connection.execute(_RETIRE, {"now": tx.now})
    retired = [standing.key_id for standing in former]
    for key_id in retired:
        tx.events.record(Event(EventName.KEY_RETIRED, detail={"key": key_id}))
    return retired


def drop_useless(tx: SqliteTransaction) -> list[str]:
    """Delete retired keys under which nothing living was ever begun, so that not even a spent token is theirs; their ids.

    The event names the token key, which stands for those made with it.
    """
    if tx.instant.doubtful:
        return []
    found = tx.connection.execute(_USELESS, {"now": tx.now, "copies_live": COPIES_LIVE_SECONDS}).fetchall()
    newest = tx.connection.ring.newest_token_key_id
    for key_id, purpose in found:
        for statement in _FORGET_KEY:
            tx.connection.execute(statement, {"key_id": key_id, "newest": newest})
        if purpose == Purpose.TOKENS:
            tx.events.record(Event(EventName.KEY_DROPPED, detail={"key": key_id}))
    return [key_id for key_id, _ in found]


def _renewed(tx: SqliteTransaction, table: str, purpose: Purpose, rows: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    cipher = tx.connection.ring.payloads if purpose is Purpose.PAYLOAD else tx.connection.ring.sealing
    for row, payload in rows:
        try:
            renewed = cipher.renewed(table, payload)
        except RowDamaged:
            continue  # it was damaged before, and says so to whoever asks for it
        if renewed is not None:
            yield row, renewed


def _age(*, is_former: bool, is_retired: bool) -> KeyAge:
    if is_retired:
        return KeyAge.RETIRED
    return KeyAge.FORMER if is_former else KeyAge.CURRENT
