"""Keys change and no token does: the master key at once, data keys little by little, and nothing is lost on the way."""

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from typing import Final

import pytest

from alexa_oauth.protocol.errors import Refusal
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.introspection import INACTIVE, introspect
from alexa_oauth.protocol.models import KeyAge, RefreshProfile, TokenResponse
from alexa_oauth.protocol.policy import Policy
from alexa_oauth.protocol.refresh import RefreshRequest, refresh
from alexa_oauth.storage import folder, keyholder
from alexa_oauth.storage.database import migrations
from alexa_oauth.storage.keys import DataKey, MasterKey, Purpose
from alexa_oauth.storage.rotation import COPIES_LIVE_SECONDS, SEALED, Place, reseal_batch
from alexa_oauth.storage.store import SqliteStore
from alexa_oauth.storage.transaction import Rule, SqliteTransaction
from tests.storage.conftest import CountedEntropy, OpenStore, Surroundings
from tests.storage.records import ALEXA, DAY, NOW, access_token, code, grant, pending_request

HOUR: Final = 3_600
TOLD: Final = Event(EventName.KEY_ROTATED)
CHANCE: Final = CountedEntropy()
POLICY: Final = Policy("https://auth.test")


class PowerCut(Exception):
    """The process ends here."""


async def linked(store: SqliteStore, number: int = 1, at: int = NOW) -> str:
    """A link of Alexa's; its refresh token."""
    begun = replace(grant(number, "amazon-alexa"), created_at=at, rotated_at=at, last_used_at=at)
    await store.write(lambda tx: tx.grants.add(begun))
    return store.read(lambda tx: tx.grants.refresh_token(begun, 1))


async def refreshed(store: SqliteStore, token: str, surroundings: Surroundings) -> str:
    answer = await store.write(lambda tx: answer_to(tx, token, surroundings))
    assert isinstance(answer, TokenResponse), answer
    return answer.refresh_token


async def refused(store: SqliteStore, token: str, surroundings: Surroundings) -> Reason:
    answer = await store.write(lambda tx: answer_to(tx, token, surroundings))
    assert isinstance(answer, Refusal), answer
    return answer.reason


def answer_to(tx: SqliteTransaction, token: str, surroundings: Surroundings) -> TokenResponse | Refusal:
    return refresh(tx, ALEXA, RefreshRequest(token, None, "192.0.2.1"), POLICY, surroundings.entropy)


def ages(store: SqliteStore) -> list[tuple[KeyAge, int]]:
    return [(standing.age, standing.links) for standing in store.keys.standings()]


def key_files(surroundings: Surroundings) -> set[str]:
    return {file.name for file in surroundings.folder.glob("encryption.key*")}


class TestMaster:
    async def test_every_token_works_on_and_the_former_master_opens_nothing(
        self, store: SqliteStore, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        token, former = await linked(store), store.keys.master
        await store.keys.rotate_master(TOLD)
        assert store.keys.master.key_id != former.key_id
        assert key_files(surroundings) == {"encryption.key"}
        assert (surroundings.folder / "encryption.key").stat().st_mode & 0o777 == 0o600
        assert await refreshed(store, token, surroundings) == token
        await store.close()
        with pytest.raises(Exception, match="wrong encryption key"):
            open_store(master_key=former.secret)
        store = open_store()
        assert await refreshed(store, token, surroundings) == token

    async def test_a_running_server_takes_up_what_a_command_changed(
        self, store: SqliteStore, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        token, command = await linked(store), open_store(serving=False)
        await command.keys.rotate_master(TOLD)
        await command.keys.rotate_data(TOLD)
        await store.keys.refresh()
        assert store.keys.master.key_id == command.keys.master.key_id
        assert store.keys.ring.newest_token_key_id == command.keys.ring.newest_token_key_id
        assert await refreshed(store, token, surroundings) != token

    @pytest.mark.parametrize("moment", ["write_key", "rewrap", "adopt_next_key"])
    async def test_a_power_cut_at_any_step_leaves_a_key_that_opens_the_database(
        self,
        store: SqliteStore,
        open_store: OpenStore,
        surroundings: Surroundings,
        monkeypatch: pytest.MonkeyPatch,
        moment: str,
    ) -> None:
        token, former = await linked(store), store.keys.master.key_id

        def cut(*_: object) -> None:
            raise PowerCut

        with monkeypatch.context() as patch:
            patch.setattr(keyholder, moment, cut)
            with suppress(PowerCut):
                await store.keys.rotate_master(TOLD)
        await store.close()
        store = open_store()
        assert (store.keys.master.key_id == former) == (moment != "adopt_next_key")
        assert await refreshed(store, token, surroundings) == token
        await store.keys.rotate_master(TOLD)
        await store.close()
        assert key_files(surroundings) == {"encryption.key"}
        assert await refreshed(open_store(), token, surroundings) == token

    async def test_a_key_from_the_settings_goes_to_a_file_and_never_into_the_folder(
        self, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        store = open_store(master_key=b"k" * 32)
        token, file = await linked(store), surroundings.folder.parent / "master"
        await store.keys.rotate_master_to(file, TOLD)
        await store.close()
        assert key_files(surroundings) == set()
        fresh = folder.read_key(file.parent, file.name)
        assert fresh is not None
        assert await refreshed(open_store(master_key=fresh), token, surroundings) == token


class TestData:
    async def test_a_link_gets_its_new_head_at_its_next_refresh_and_then_the_old_key_goes(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        first, second = await linked(store, 1), await linked(store, 2)
        await store.keys.rotate_data(TOLD)
        assert ages(store) == [(KeyAge.CURRENT, 0), (KeyAge.FORMER, 2)]
        new = await refreshed(store, first, surroundings)
        assert new != first
        assert await refreshed(store, first, surroundings) == new, "a lost answer is repeated"
        await store.keys.renew()
        assert ages(store) == [(KeyAge.CURRENT, 1), (KeyAge.FORMER, 2)], "the predecessor still works"
        assert await refreshed(store, new, surroundings) == new
        other = await refreshed(store, second, surroundings)
        assert await refreshed(store, other, surroundings) == other
        surroundings.advance(HOUR + 1)
        await store.keys.renew()
        assert ages(store) == [(KeyAge.CURRENT, 2), (KeyAge.RETIRED, 0)]
        assert await refreshed(store, new, surroundings) == new

    async def test_a_retired_key_still_tells_a_spent_token_from_a_made_up_one(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        spent = await self._retired(store, surroundings)
        assert await refused(store, spent, surroundings) is Reason.REFRESH_TOKEN_REUSED

    @pytest.mark.parametrize("generation", [2, 3, 9])
    async def test_who_stole_a_key_that_was_retired_can_make_no_head_and_no_healing_token(
        self, store: SqliteStore, surroundings: Surroundings, generation: int
    ) -> None:
        await self._retired(store, surroundings)
        stolen = store.keys.standings()[1].key_id
        found = store.read(lambda tx: tx.grants.find(grant().grant_id))
        assert found is not None
        assert found.generation == 2
        known = store.read(lambda tx: tx.grants.read_refresh_token(tx.grants.refresh_token(found, 2)))
        assert known is not None
        forged = store.keys.ring.refresh_token(stolen, replace(known, generation=generation))
        with pytest.raises(Exception, match="refresh_token_unknown"):
            await refreshed(store, forged, surroundings)
        assert store.read(lambda tx: introspect(tx, forged, POLICY)) == INACTIVE
        assert store.read(lambda tx: tx.grants.find(grant().grant_id)) == found

    async def test_who_stole_a_key_that_was_retired_is_not_handed_the_head_of_a_later_rotation(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        await self._retired(store, surroundings)
        stolen = store.keys.standings()[1].key_id
        known = store.read(lambda tx: tx.grants.find(grant().grant_id))
        assert known is not None
        genuine = store.read(lambda tx: tx.grants.refresh_token(known, 2))
        surroundings.advance(8 * DAY)
        head = await refreshed(store, genuine, surroundings)
        read = store.read(lambda tx: tx.grants.read_refresh_token(genuine))
        assert read is not None
        forged = store.keys.ring.refresh_token(stolen, read)
        assert await refused(store, forged, surroundings) is Reason.REFRESH_TOKEN_REUSED
        assert await refreshed(store, genuine, surroundings) == head, "the true predecessor still works"

    async def test_the_predecessor_of_a_healed_head_keeps_its_key_for_its_hour(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        """A restore between: one of Amazon's servers holds the newer token, another the one of before the new data keys."""
        old = await linked(store)
        await store.keys.rotate_data(TOLD)
        ring, restored = store.keys.ring, store.read(lambda tx: tx.grants.read_refresh_token(old))
        assert restored is not None
        newer = ring.refresh_token(ring.newest_token_key_id, replace(restored, generation=2))
        assert await refreshed(store, newer, surroundings) == newer
        await store.keys.renew()
        assert await refreshed(store, old, surroundings) == newer
        surroundings.advance(HOUR + 1)
        await store.keys.renew()
        assert ages(store) == [(KeyAge.CURRENT, 1), (KeyAge.RETIRED, 0)]

    async def test_a_generation_that_two_keys_made_is_one_head_and_forks_nothing(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        """New data keys, a refresh whose answer was lost, new data keys again, then the backup of before all that."""
        old = await linked(store)
        presented = store.read(lambda tx: tx.grants.read_refresh_token(old))
        assert presented is not None
        await store.keys.rotate_data(TOLD)
        ring = store.keys.ring
        lost = ring.refresh_token(ring.newest_token_key_id, replace(presented, generation=2))
        await store.keys.rotate_data(TOLD)
        head = await refreshed(store, old, surroundings)
        assert head != lost
        assert await refreshed(store, lost, surroundings) == head, "whoever got the answer after all is led to the head"
        surroundings.advance(8 * DAY)
        third = await refreshed(store, lost, surroundings)
        assert await refreshed(store, head, surroundings) == third, "both are the same generation, and its successor is one"
        await refreshed(store, third, surroundings)
        surroundings.advance(HOUR + 1)
        await store.keys.renew()
        for spent in (lost, head):
            assert await refused(store, spent, surroundings) is Reason.REFRESH_TOKEN_REUSED

    async def test_a_predecessors_hour_that_began_before_a_restart_begins_anew_for_its_key_too(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        old = await linked(store)
        await store.keys.rotate_data(TOLD)
        new = await refreshed(store, old, surroundings)
        await refreshed(store, new, surroundings)
        surroundings.advance(HOUR + 1)
        surroundings.trust(surroundings.instant.now)
        await store.keys.renew()
        assert await refreshed(store, old, surroundings) == new

    async def test_a_retired_key_goes_when_no_living_link_was_begun_under_it(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        await self._retired(store, surroundings)
        surroundings.advance(9 * DAY)
        await store.keys.renew()
        assert len(ages(store)) == 2, "a living link needs it, to recognise its spent tokens"
        living = store.read(lambda tx: tx.grants.find(grant().grant_id))
        assert living is not None
        await store.write(lambda tx: tx.grants.end(living))
        later = await linked(store, 7, surroundings.instant.now)
        await store.keys.renew()
        assert ages(store) == [(KeyAge.CURRENT, 1)]
        assert await refreshed(store, later, surroundings) == later
        assert [event.name for event in surroundings.told if event.name.startswith("key.")] == [
            EventName.KEY_ROTATED,
            EventName.KEY_RETIRED,
            EventName.KEY_DROPPED,
        ]

    async def test_a_retired_key_stays_while_a_daily_copy_may_hold_links_that_need_it(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        await self._retired(store, surroundings)
        living = store.read(lambda tx: tx.grants.find(grant().grant_id))
        assert living is not None
        await store.write(lambda tx: tx.grants.end(living))
        surroundings.advance(COPIES_LIVE_SECONDS - 1)
        await store.keys.renew()
        assert len(ages(store)) == 2
        surroundings.advance(1)
        await store.keys.renew()
        assert len(ages(store)) == 1

    async def test_everything_sealed_is_sealed_anew(self, store: SqliteStore) -> None:
        await self._everything(store)
        await store.keys.rotate_data(TOLD)
        assert under_the_newest(store) == {False}
        await store.keys.renew()
        assert under_the_newest(store) == {True}
        assert store.read(lambda tx: tx.grants.find_access_token(access_token().value)) is not None
        assert store.read(lambda tx: tx.authorizations.find_code(code(1))) is not None
        assert store.read(lambda tx: tx.authorizations.find("request-2")) is not None
        assert await store.write(lambda tx: tx.pairing_codes.spend("BCDFGHJK")) == "ha:anna"
        assert store.read(lambda tx: tx.clients.show_secret("amazon-alexa")) == "s" * 43

    async def test_no_sealed_column_is_forgotten(self, store: SqliteStore) -> None:
        """What a new table seals must stand in the list, or a rotation never ends for it."""
        columns = store.read(
            lambda tx: tx.connection.execute(
                """SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c
                WHERE m.type = 'table' AND c.type = 'BLOB' AND c.name NOT IN ('digest', 'state_digest', 'holder', 'wrapped')"""
            ).fetchall()
        )
        assert {(table, column) for table, column, _ in SEALED} == set(columns)

    async def test_a_pass_that_was_broken_off_is_begun_again(
        self, store: SqliteStore, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alexa_oauth.storage.rotation.BATCH", 1)
        for number in range(1, 6):
            await linked(store, number)
        await store.keys.rotate_data(TOLD)
        calls: list[Place] = []

        def cut(tx: SqliteTransaction, place: Place) -> Place | None:
            calls.append(place)
            if len(calls) == 3:
                raise PowerCut
            return reseal_batch(tx, place)

        with monkeypatch.context() as patch:
            patch.setattr(keyholder, "reseal_batch", cut)
            with pytest.raises(PowerCut):
                await store.keys.renew()
        await store.close()
        store = open_store()
        assert under_the_newest(store) == {True, False}
        await store.keys.renew()
        assert under_the_newest(store) == {True}
        assert ages(store) == [(KeyAge.CURRENT, 0), (KeyAge.FORMER, 5)]

    async def test_in_doubt_no_key_goes(self, store: SqliteStore, surroundings: Surroundings) -> None:
        await store.keys.rotate_data(TOLD)
        surroundings.doubt(NOW + 900 * DAY)
        await store.keys.renew()
        assert ages(store) == [(KeyAge.CURRENT, 0), (KeyAge.FORMER, 0)]

    async def test_a_server_that_has_not_read_the_new_keys_retires_nothing(
        self, store: SqliteStore, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would go on to make heads under the key that it has just retired."""
        await open_store(serving=False).keys.rotate_data(TOLD)

        async def blind() -> None:
            return

        monkeypatch.setattr(store.keys, "refresh", blind)
        await store.keys.renew()
        assert ages(store) == [(KeyAge.CURRENT, 0), (KeyAge.FORMER, 0)]

    async def _retired(self, store: SqliteStore, surroundings: Surroundings) -> str:
        """A link whose first refresh token was made under a key that is retired by now; that token."""
        old = await linked(store)
        await store.keys.rotate_data(TOLD)
        new = await refreshed(store, old, surroundings)
        await refreshed(store, new, surroundings)
        surroundings.advance(HOUR + 1)
        await store.keys.renew()
        assert [age for age, _ in ages(store)] == [KeyAge.CURRENT, KeyAge.RETIRED]
        return old

    async def _everything(self, store: SqliteStore) -> None:
        def redeem(tx: SqliteTransaction) -> None:
            found = tx.authorizations.find_code(code(1))
            assert found is not None
            tx.authorizations.mark_used(found, grant().grant_id)

        steps: tuple[Rule[object], ...] = (
            lambda tx: tx.grants.add(grant()),
            lambda tx: tx.grants.rotate(grant(), RefreshProfile.OVERLAP, access_token()),
            lambda tx: tx.grants.issue(grant(), access_token()),
            lambda tx: tx.authorizations.fulfil(pending_request("1"), code(1), "ha:anna", NOW + 600),
            redeem,
            lambda tx: tx.authorizations.add(pending_request("2")),
            lambda tx: tx.pairing_codes.current("ha:anna", "BCDFGHJK"),
            lambda tx: tx.clients.ensure_secret("amazon-alexa", "s" * 43),
        )
        for step in steps:
            await store.write(step)


async def test_a_database_of_before_rotation_is_opened_and_brought_up_to_date(
    surroundings: Surroundings, open_store: OpenStore
) -> None:
    """Version 1 knew one set of data keys and no predecessor's key."""
    data, master = surroundings.folder, MasterKey(b"m" * 32)
    data.mkdir(mode=0o700)
    with closing(sqlite3.connect(data / "oauth.db", isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.executescript(f"BEGIN; {migrations()[0]} PRAGMA user_version = 1; COMMIT")
        for purpose, size in ((Purpose.TOKENS, 64), (Purpose.INDEX, 32), (Purpose.PAYLOAD, 32), (Purpose.SEALING, 32)):
            key = DataKey(CHANCE(8).hex(), purpose, CHANCE(size))
            row = (key.key_id, purpose, master.wrap(key), master.key_id, NOW)
            old.execute("INSERT INTO data_keys (key_id, purpose, wrapped, wrapped_by, created_at) VALUES (?, ?, ?, ?, ?)", row)
    folder.write_key(data / "encryption.key", master.secret)
    assert [standing.age for standing in open_store().keys.standings()] == [KeyAge.CURRENT]


def under_the_newest(store: SqliteStore) -> set[bool]:
    """Of everything sealed: whether the newest keys sealed it."""
    ring = store.keys.ring
    found = set()
    for table, column, purpose in SEALED:
        statement = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 - our own words
        cipher = ring.payloads if purpose is Purpose.PAYLOAD else ring.sealing
        rows = store.read(lambda tx: tx.connection.execute(statement).fetchall())  # noqa: B023 - it is run at once
        found |= {cipher.renewed(table, payload) is None for (payload,) in rows}
    return found
