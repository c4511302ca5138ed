"""The key ring: names of keys, payloads that stay in their rows, and refresh tokens that can be spelt in one way only."""

import base64
from collections.abc import Callable

import pytest

from alexa_oauth.protocol.errors import RowDamaged
from alexa_oauth.protocol.models import PresentedRefreshToken, RefreshProfile
from alexa_oauth.storage.keys import DataKey, KeyRing, MasterKey, Purpose, fresh_data_keys
from alexa_oauth.storage.store import SqliteStore
from alexa_oauth.storage.transaction import SqliteTransaction
from tests.storage.conftest import CountedEntropy, OpenStore
from tests.storage.records import access_token, code, grant, pending_request

CONTENT = PresentedRefreshToken("00112233445566ff", 7, b"s" * 20)


@pytest.fixture
def old_keys() -> list[DataKey]:
    return fresh_data_keys(CountedEntropy())


@pytest.fixture
def new_keys() -> list[DataKey]:
    entropy = CountedEntropy()
    fresh_data_keys(entropy)
    return fresh_data_keys(entropy)


class TestMasterKey:
    def test_its_name_is_eight_hex_digits_and_tells_keys_apart(self) -> None:
        one, same, other = MasterKey(b"1" * 32), MasterKey(b"1" * 32), MasterKey(b"2" * 32)
        assert one.key_id == same.key_id != other.key_id
        assert len(one.key_id) == len(bytes.fromhex(one.key_id)) * 2 == 8

    def test_it_unwraps_what_it_wrapped_and_nothing_else(self, old_keys: list[DataKey]) -> None:
        master = MasterKey(b"1" * 32)
        for key in old_keys:
            assert master.unwrap(key.key_id, master.wrap(key)) == key
            with pytest.raises(RowDamaged):
                MasterKey(b"2" * 32).unwrap(key.key_id, master.wrap(key))
            with pytest.raises(RowDamaged):
                master.unwrap("another id", master.wrap(key))

    def test_a_key_is_not_shown_by_accident(self, old_keys: list[DataKey]) -> None:
        shown = repr(old_keys)
        assert all(repr(key.secret)[2:-1] not in shown for key in old_keys)


class TestRefreshToken:
    def test_it_is_the_same_string_each_time_and_says_what_it_was_made_of(self, old_keys: list[DataKey]) -> None:
        ring = KeyRing(old_keys)
        token = ring.refresh_token(ring.newest_token_key_id, CONTENT)
        assert token == ring.refresh_token(ring.newest_token_key_id, CONTENT)
        assert ring.read_refresh_token(token) == CONTENT

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda token: token + "\n",
            lambda token: " " + token,
            lambda token: token + "=",
            lambda token: token.upper(),
            lambda token: token.replace("aoa_rt_", "AOA_RT_"),
            lambda token: token.removeprefix("aoa_rt_"),
            lambda token: token.replace("aoa_rt_", "aoa_at_"),
            lambda token: token[:-1],
            lambda token: token + "AAAA",
            lambda token: token[:20] + "!" + token[20:],
            lambda token: token[:20] + "\N{FULLWIDTH DIGIT ONE}" + token[21:],
            lambda token: token[:-1] + chr(ord(token[-1]) ^ 1),
            lambda _token: "",
            lambda _token: "aoa_rt_" + "A" * 64,
            lambda _token: "aoa_rt_" + "\ud800" * 64,
        ],
    )
    def test_any_other_spelling_is_refused(self, old_keys: list[DataKey], spoil: Callable[[str], str]) -> None:
        """Two spellings of one token would slip through whatever remembers tokens by their text."""
        ring = KeyRing(old_keys)
        token = ring.refresh_token(ring.newest_token_key_id, CONTENT)
        assert ring.read_refresh_token(spoil(token)) is None

    def test_every_single_changed_bit_is_noticed(self, old_keys: list[DataKey]) -> None:
        ring = KeyRing(old_keys)
        sealed = base64.urlsafe_b64decode(ring.refresh_token(ring.newest_token_key_id, CONTENT).removeprefix("aoa_rt_"))
        for position in range(len(sealed) * 8):
            changed = bytearray(sealed)
            changed[position // 8] ^= 1 << position % 8
            assert ring.read_refresh_token(f"aoa_rt_{base64.urlsafe_b64encode(changed).decode()}") is None


class TestSeveralKeys:
    def test_the_newest_makes_and_all_read(self, old_keys: list[DataKey], new_keys: list[DataKey]) -> None:
        before, after, new = KeyRing(old_keys), KeyRing([*new_keys, *old_keys]), KeyRing(new_keys)
        sealed = before.payloads.seal("grants", "1", {"subject": "local"})
        assert after.payloads.open("grants", "1", sealed)["subject"] == "local"
        assert new.payloads.open("grants", "1", after.payloads.seal("grants", "1", {"subject": "ha:1"}))["subject"] == "ha:1"
        assert before.digest("codes", "x") in after.digests("codes", "x")
        assert after.digest("codes", "x") == after.digests("codes", "x")[0] == new.digest("codes", "x")
        old_token = before.refresh_token(before.newest_token_key_id, CONTENT)
        assert after.read_refresh_token(old_token) == CONTENT
        assert after.refresh_token(before.newest_token_key_id, CONTENT) == old_token
        assert new.read_refresh_token(old_token) is None

    async def test_a_grant_keeps_the_token_it_has_until_its_next_rotation(
        self, store: SqliteStore, open_store: OpenStore, new_keys: list[DataKey]
    ) -> None:
        """A retry after a rotation of the data keys must get the very string that was lost."""
        await store.write(lambda tx: tx.grants.add(grant()))
        await store.write(lambda tx: tx.authorizations.fulfil(pending_request("1"), code(1), "ha:anna", 1))
        await store.write(lambda tx: tx.grants.issue(grant(), access_token()))
        await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "BCDFGHJK"))
        head = store.read(lambda tx: tx.grants.refresh_token(grant(), 1))
        await add_keys(store, new_keys)
        await store.close()
        store = open_store()
        assert store.keys.ring.newest_token_key_id == new_keys[0].key_id
        assert store.read(lambda tx: tx.grants.refresh_token(grant(), 1)) == head
        assert store.read(lambda tx: tx.grants.find(grant().grant_id)) == grant()
        assert store.read(lambda tx: tx.authorizations.find_code(code(1))) is not None
        assert store.read(lambda tx: tx.grants.find_access_token(access_token().value)) is not None
        assert await store.write(lambda tx: tx.pairing_codes.spend("BCDFGHJK")) == "ha:anna"
        next_head = store.read(lambda tx: tx.grants.refresh_token(grant(), 2))
        await store.write(lambda tx: tx.grants.rotate(grant(), RefreshProfile.OVERLAP, access_token()))
        assert store.read(lambda tx: tx.grants.refresh_token(grant(), 2)) == next_head, "asked before or after: the same"
        assert KeyRing(new_keys).read_refresh_token(next_head) is not None


async def add_keys(store: SqliteStore, keys: list[DataKey]) -> None:
    """What a rotation of the data keys will do, with the master key that this store made."""
    master = MasterKey(base64.urlsafe_b64decode((store.folder / "encryption.key").read_bytes()))
    statement = "INSERT INTO data_keys (key_id, purpose, wrapped, wrapped_by, created_at) VALUES (?, ?, ?, ?, 0)"

    def add(tx: SqliteTransaction) -> None:
        for key in keys:
            tx.connection.execute(statement, (key.key_id, key.purpose, master.wrap(key), master.key_id))

    await store.write(add)


class TestPayloadsStayInTheirRows:
    """Somebody who can write the database, but has no key, swaps sealed values between rows."""

    @pytest.mark.parametrize(
        "theft",
        [
            "UPDATE grants SET payload = (SELECT payload FROM grants WHERE grant_id LIKE '%2')",
            "UPDATE grants SET payload = (SELECT payload FROM access_tokens LIMIT 1)",
            "UPDATE grants SET payload = (SELECT sealed_window FROM grants WHERE grant_id LIKE '%1')",
            "UPDATE grants SET payload = x'00'",
        ],
    )
    async def test_a_grant_never_lends_its_subject_to_another(self, store: SqliteStore, theft: str) -> None:
        for number in (1, 2):
            await store.write(lambda tx, number=number: tx.grants.add(grant(number)))  # type: ignore[misc]
        await store.write(lambda tx: tx.grants.rotate(grant(1), RefreshProfile.OVERLAP, access_token()))
        await store.write(lambda tx: tx.grants.issue(grant(1), access_token()))
        assert store.read(lambda tx: tx.grants.find(grant(1).grant_id)) is not None
        await store.write(lambda tx: tx.connection.execute(f"{theft} WHERE grant_id LIKE '%1'").rowcount)
        with pytest.raises(RowDamaged):
            store.read(lambda tx: tx.grants.find(grant(1).grant_id))

    async def test_an_access_token_never_gets_the_scope_of_another(self, store: SqliteStore) -> None:
        await store.write(lambda tx: tx.grants.add(grant()))
        for number in (1, 2):
            await store.write(lambda tx, number=number: tx.grants.issue(grant(), access_token(number)))  # type: ignore[misc]
        swap = "UPDATE access_tokens SET payload = (SELECT payload FROM access_tokens WHERE sequence = 2)"
        await store.write(lambda tx: tx.connection.execute(swap).rowcount)
        with pytest.raises(RowDamaged):
            store.read(lambda tx: tx.grants.find_access_token(access_token(1).value))

    @pytest.mark.parametrize(("table", "row"), [("grants", "1"), ("grants", "2"), ("codes", "1")])
    def test_a_payload_is_of_one_table_one_row_and_one_purpose(self, old_keys: list[DataKey], table: str, row: str) -> None:
        same_secret = [
            DataKey(key.key_id, key.purpose, b"k" * 32) if key.purpose in {Purpose.PAYLOAD, Purpose.SEALING} else key
            for key in old_keys
        ]
        ring = KeyRing(same_secret)
        sealed = ring.payloads.seal("grants", "1", {})
        assert ring.payloads.open("grants", "1", sealed)["row"] == "1"
        cipher = ring.sealing if (table, row) == ("grants", "1") else ring.payloads
        with pytest.raises(RowDamaged, match="another row"):
            cipher.open(table, row, sealed)
