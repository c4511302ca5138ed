"""Pruning: what goes when, and what never does."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import RefreshProfile
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.storage import sweeping
from alexa_oauth.storage.store import SqliteStore
from tests.storage.conftest import OpenStore, Surroundings
from tests.storage.records import DAY, NOW, access_token, code, grant, pending_request


def count(store: SqliteStore, table: str, where: str = "1") -> int:
    number: int = store.read(lambda tx: tx.connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])  # noqa: S608 - tables are ours
    return number


def redeem(number: int, grant_id: str) -> Callable[[Transaction], None]:
    def rule(tx: Transaction) -> None:
        tx.authorizations.fulfil(pending_request(str(number)), code(number), "ha:anna", tx.now + 300)
        issued = tx.authorizations.find_code(code(number))
        assert issued is not None
        tx.authorizations.mark_used(issued, grant_id)

    return rule


async def test_a_living_grant_is_never_pruned_and_knows_its_used_code_for_ever(
    store: SqliteStore, surroundings: Surroundings
) -> None:
    """Pruning must not blind the detection of a replay of a link that still lives."""
    await store.write(lambda tx: tx.grants.add(grant()))
    await store.write(redeem(1, grant().grant_id))
    surroundings.advance(4_000 * DAY)
    await store.sweep()
    assert store.read(lambda tx: tx.grants.find(grant().grant_id)) == grant()
    assert store.read(lambda tx: tx.authorizations.find_code(code(1))) is not None


async def test_access_tokens_go_with_their_grant(store: SqliteStore) -> None:
    await store.write(lambda tx: tx.grants.add(grant()))
    await store.write(lambda tx: tx.grants.issue(grant(), access_token()))
    assert count(store, "access_tokens") == 1
    await store.write(lambda tx: tx.grants.end(grant()))
    assert count(store, "access_tokens") == 0


async def test_an_ended_grant_goes_after_four_hundred_days_and_its_code_at_once(
    store: SqliteStore, surroundings: Surroundings
) -> None:
    await store.write(lambda tx: tx.grants.add(grant(1)))
    await store.write(lambda tx: tx.grants.add(replace(grant(2), ends_at=NOW + 600)))
    await store.write(redeem(1, grant(1).grant_id))
    await store.write(lambda tx: tx.grants.end(grant(1)))
    await store.sweep()
    assert (count(store, "grants"), count(store, "codes")) == (2, 0)
    surroundings.advance(400 * DAY - 1)
    await store.sweep()
    assert count(store, "grants") == 2
    surroundings.advance(601)
    await store.sweep()
    assert count(store, "grants") == 0


async def test_short_lives_go_when_they_are_over(store: SqliteStore, surroundings: Surroundings) -> None:
    def live(tx: Transaction) -> None:
        tx.grants.add(grant())
        tx.grants.issue(grant(), access_token(1, NOW + 1_800))
        tx.grants.issue(grant(), access_token(2, NOW + 1_801))
        tx.authorizations.add(pending_request("1"))
        tx.authorizations.fulfil(pending_request("2"), code(2), "ha:anna", NOW + 300)
        tx.pairing_codes.current("ha:anna", "BCDFGHJK")
        tx.admin_links.add("link", NOW + 600)

    def lives() -> list[int]:
        return [count(store, table) for table in ("access_tokens", "pending_requests", "codes", "pairing_codes", "admin_links")]

    await store.write(live)
    surroundings.advance(599)
    await store.sweep()
    assert lives() == [2, 1, 1, 1, 1]
    surroundings.advance(1)
    await store.sweep()
    assert lives() == [2, 0, 1, 0, 0]
    surroundings.advance(1_200)
    await store.sweep()
    assert lives() == [1, 0, 1, 0, 0]
    surroundings.advance(300 + 3_600 - 1_800)
    await store.sweep()
    assert lives() == [0, 0, 0, 0, 0]
    assert count(store, "pending_addresses") == 0


async def test_a_sealed_answer_is_erased_when_its_window_has_passed(store: SqliteStore, surroundings: Surroundings) -> None:
    await store.write(lambda tx: tx.grants.add(grant()))
    await store.write(lambda tx: tx.grants.rotate(grant(), RefreshProfile.OVERLAP, access_token()))
    surroundings.advance(60)
    await store.sweep()
    assert count(store, "grants", "sealed_window IS NOT NULL") == 1
    surroundings.advance(1)
    await store.sweep()
    assert count(store, "grants", "sealed_window IS NOT NULL") == 0


async def test_the_end_of_a_grant_erases_it_at_once(store: SqliteStore) -> None:
    await store.write(lambda tx: tx.grants.add(grant()))
    await store.write(lambda tx: tx.grants.rotate(grant(), RefreshProfile.OVERLAP, access_token()))
    await store.write(lambda tx: tx.grants.end(grant()))
    assert count(store, "grants", "sealed_window IS NOT NULL") == 0


async def test_a_window_that_was_open_at_a_restart_begins_anew_there(store: SqliteStore, surroundings: Surroundings) -> None:
    """The restart may be the very reason why the answer was lost."""
    await store.write(lambda tx: tx.grants.add(grant()))
    await store.write(lambda tx: tx.grants.rotate(grant(), RefreshProfile.OVERLAP, access_token()))
    surroundings.trust(NOW + DAY)
    surroundings.advance(60)
    await store.sweep()
    assert count(store, "grants", "sealed_window IS NOT NULL") == 1
    surroundings.advance(1)
    await store.sweep()
    assert count(store, "grants", "sealed_window IS NOT NULL") == 0


async def test_in_doubt_nothing_is_old(store: SqliteStore, surroundings: Surroundings) -> None:
    await store.write(lambda tx: tx.grants.add(grant()))
    await store.write(lambda tx: tx.grants.issue(grant(), access_token()))
    surroundings.doubt(NOW + 4_000 * DAY)
    await store.sweep()
    assert count(store, "access_tokens") == 1


async def test_events_of_grants_are_kept_for_four_hundred_days_and_those_of_strangers_in_number(
    store: SqliteStore, surroundings: Surroundings
) -> None:
    def tell(tx: Transaction) -> None:
        for number in range(5_010):
            tx.events.record_told(Event(EventName.TOKEN_REFUSED, address=str(number)))
        for _ in range(30):
            tx.events.record(Event(EventName.TOKEN_REFRESHED))

    await store.write(tell)
    await store.sweep()
    assert (count(store, "events", "of_grant"), count(store, "events", "NOT of_grant")) == (30, 5_000)
    assert count(store, "events", "address IN ('0', '9')") == 0, "the oldest went"
    surroundings.advance(400 * DAY)
    await store.sweep()
    assert (count(store, "events", "of_grant"), count(store, "events", "NOT of_grant")) == (0, 5_000)


async def test_no_batch_is_longer_than_agreed(
    store: SqliteStore, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that comes in the middle waits for one batch, not for the whole of a year's pruning."""
    monkeypatch.setattr(sweeping, "BATCH", 10)

    def fill(tx: Transaction) -> None:
        for number in range(35):
            tx.authorizations.add(pending_request(str(number)))

    await store.write(fill)
    surroundings.advance(600)
    assert await store.write(sweeping.sweep_batch) is True
    assert count(store, "pending_requests") == 25
    await store.sweep()
    assert count(store, "pending_requests") == 0


async def test_the_write_ahead_log_is_emptied(open_store: OpenStore, surroundings: Surroundings) -> None:
    store = open_store()
    await store.write(lambda tx: tx.grants.add(grant()))
    assert (surroundings.folder / "oauth.db-wal").stat().st_size > 0
    await store.sweep()
    assert (surroundings.folder / "oauth.db-wal").stat().st_size == 0
    await store.write(lambda tx: tx.grants.end(grant()))
