"""Backups, sealed and as copies, and what becomes of links and keys when one is restored."""

import io
import os
import sqlite3
import stat
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from alexa_oauth.protocol import people
from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.keeping import BackupContents, BackupRefused
from alexa_oauth.protocol.models import Resident
from alexa_oauth.protocol.reading import EventQuery
from alexa_oauth.storage import database, keyholder
from alexa_oauth.storage.backups import copying, sealed, swapping
from alexa_oauth.storage.backups import export as export_module
from alexa_oauth.storage.backups.candidate import candidate
from alexa_oauth.storage.backups.daily import make_daily_copy
from alexa_oauth.storage.backups.export import Manifest, Sealing, export
from alexa_oauth.storage.backups.restoring import Wish, stage
from alexa_oauth.storage.folder import read_key
from alexa_oauth.storage.store import SqliteStore
from tests.storage.conftest import OpenStore, Surroundings
from tests.storage.records import DAY, NOW, access_token, code, grant, pending_request
from tests.storage.test_rotation import linked, refreshed

PASSPHRASE: Final = "correct horse battery staple"
TOLD: Final = Event(EventName.KEY_ROTATED)
WRONG: Final = r"^the backup cannot be opened: the passphrase is wrong, or the file is damaged\Z"


def sealed_backup(
    store: SqliteStore, surroundings: Surroundings, passphrase: str = PASSPHRASE, master: bytes | None = None
) -> bytes:
    manifest = Manifest(
        made_at=surroundings.instant.now,
        version="1.0.0",
        master=master or store.keys.master.secret,
        clients_file=b'{"x": {}}',
        settings={"public_url": "https://music.example.org"},
    )
    return b"".join(export(store.folder, manifest, Sealing(passphrase, surroundings.entropy(16))))


def restore(
    octets: bytes,
    surroundings: Surroundings,
    *,
    passphrase: str | None = PASSPHRASE,
    ends_all: bool = False,
    key: bytes | None = None,
) -> tuple[BackupContents, Path]:
    """Check and stage; what it holds, and where the present state will be."""
    opening = surroundings.opening(serving=False, master_key=key)
    with candidate(io.BytesIO(octets), passphrase, surroundings.folder, opening) as found:
        return found.contents, stage(found, surroundings.folder, opening, Wish("local", ends_all=ends_all))


def living(store: SqliteStore) -> set[str]:
    rows = store.read(lambda tx: tx.connection.execute("SELECT grant_id FROM grants WHERE ended_at IS NULL").fetchall())
    return {grant_id for (grant_id,) in rows}


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def elsewhere(surroundings: Surroundings, tmp_path: Path) -> Surroundings:
    """Another machine."""
    return replace(surroundings, folder=tmp_path / "elsewhere")


class TestSealed:
    async def test_it_holds_the_links_the_key_and_the_configuration(self, store: SqliteStore, surroundings: Surroundings) -> None:
        await linked(store)
        contents, _ = restore(sealed_backup(store, surroundings), surroundings)
        assert contents == BackupContents(NOW, 1, True, "1.0.0", {"public_url": "https://music.example.org"}, True)  # noqa: FBT003

    async def test_it_is_all_that_another_machine_needs(
        self, store: SqliteStore, surroundings: Surroundings, elsewhere: Surroundings
    ) -> None:
        token = await linked(store)
        await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "s" * 43))
        octets = sealed_backup(store, surroundings)
        await store.close()
        elsewhere.folder.mkdir(mode=0o700)
        restore(octets, elsewhere)
        moved = SqliteStore.open(elsewhere.folder, elsewhere.opening())
        assert await refreshed(moved, token, elsewhere) == token
        assert moved.keys.master.key_id == store.keys.master.key_id
        assert moved.read(lambda tx: tx.clients.show_secret("amazon-alexa")) == "s" * 43
        await moved.close()
        assert files(elsewhere.folder) == {"oauth.db", "encryption.key", "server.lock"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in elsewhere.folder.rglob("*")} == {0o600, 0o700}

    async def test_a_machine_that_has_a_key_of_its_own_keeps_it(
        self, store: SqliteStore, surroundings: Surroundings, elsewhere: Surroundings
    ) -> None:
        token = await linked(store)
        octets = sealed_backup(store, surroundings)
        other = SqliteStore.open(elsewhere.folder, elsewhere.opening())
        there = await linked(other, 5)
        await other.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "w" * 43))
        await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "s" * 43))
        octets = sealed_backup(store, surroundings)
        own = other.keys.master.key_id
        await other.close()
        restore(octets, elsewhere)
        other = SqliteStore.open(elsewhere.folder, elsewhere.opening())
        assert other.keys.master.key_id == own
        assert await refreshed(other, token, elsewhere)
        assert other.read(lambda tx: tx.grants.read_refresh_token(there)) is not None, "no key was dropped"
        assert other.read(lambda tx: tx.clients.show_secret("amazon-alexa")) == "s" * 43, "what the console has"
        await other.close()

    async def test_a_key_from_the_settings_is_respected(
        self, store: SqliteStore, surroundings: Surroundings, elsewhere: Surroundings
    ) -> None:
        token = await linked(store)
        octets = sealed_backup(store, surroundings)
        elsewhere.folder.mkdir(mode=0o700)
        restore(octets, elsewhere, key=b"k" * 32)
        assert read_key(elsewhere.folder) is None
        moved = SqliteStore.open(elsewhere.folder, elsewhere.opening(master_key=b"k" * 32))
        assert await refreshed(moved, token, elsewhere) == token
        await moved.close()

    async def test_none_is_made_with_a_key_that_changed_meanwhile(self, store: SqliteStore, surroundings: Surroundings) -> None:
        former = store.keys.master.secret
        await store.keys.rotate_master(TOLD)
        with pytest.raises(StartRefused, match="wrong encryption key"):
            sealed_backup(store, surroundings, master=former)
        assert not any((surroundings.folder / "backups").glob("*.db"))

    async def test_nothing_of_it_can_be_read_without_the_passphrase_and_no_file_is_left(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        token, before = await linked(store), files(surroundings.folder)
        octets = sealed_backup(store, surroundings)
        key = (surroundings.folder / "encryption.key").read_bytes()
        assert not [word for word in (key, token.encode(), b"oauth", b"grants", b"SQLite", b"example.org") if word in octets[30:]]
        assert files(surroundings.folder) == before
        assert octets.isascii()

    @pytest.mark.parametrize("passphrase", ["wrong horse battery staple", "", PASSPHRASE + " ", "\N{SNOWMAN}" * 12])
    async def test_a_wrong_passphrase_is_answered_as_a_damaged_beginning_is(
        self, store: SqliteStore, surroundings: Surroundings, passphrase: str
    ) -> None:
        octets = sealed_backup(store, surroundings)
        salt_changed = octets[:25] + bytes([octets[25] ^ 1]) + octets[26:]
        for wrong, word in ((octets, passphrase), (salt_changed, PASSPHRASE)):
            with pytest.raises(BackupRefused, match=WRONG):
                restore(wrong, surroundings, passphrase=word)
        assert "restore" not in {Path(name).parts[0] for name in files(surroundings.folder)}

    async def test_every_place_where_it_is_cut_off_or_changed_is_noticed(
        self, store: SqliteStore, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alexa_oauth.storage.backups.export.CHUNK_BYTES", 16_384)
        octets = sealed_backup(store, surroundings)
        lines = octets.splitlines(keepends=True)
        assert len(lines) > 6
        spoilt = [octets[:length] for length in range(0, len(octets), len(octets) // 40)]
        spoilt += [b"".join(lines[:number] + lines[number + 1 :]) for number in range(len(lines))]
        spoilt += [b"".join([*lines[:3], lines[4], lines[3], *lines[5:]]), octets + b"x", octets + lines[-1]]
        spoilt += [octets[:place] + bytes([octets[place] ^ 4]) + octets[place + 1 :] for place in range(30, len(octets), 4_001)]
        for wrong in spoilt:
            with pytest.raises(BackupRefused):
                restore(wrong, surroundings)
        assert restore(octets, surroundings)

    @pytest.mark.parametrize(
        ("parts", "said"),
        [
            ("1324.", "not in their order"),
            ("124.", "not in their order"),
            ("11234.", "not in their order"),
            ("1234", "damaged or was cut off"),
            ("1234..", "behind its end"),
        ],
    )
    def test_no_part_can_be_moved_left_out_repeated_or_added(self, parts: str, said: str) -> None:
        head, salt, *sealed_parts = b"".join(sealed.seal([b"1", b"2", b"3", b"4"], PASSPHRASE, b"s" * 16)).splitlines(
            keepends=True
        )
        by_name = dict(zip("1234.", sealed_parts, strict=True))
        wrong = io.BytesIO(b"".join([head, salt, *(by_name[part] for part in parts)]))
        with pytest.raises(BackupRefused, match=said):
            list(sealed.unseal(wrong, PASSPHRASE))

    async def test_one_that_promises_another_size_is_refused(
        self, store: SqliteStore, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = export_module._written
        monkeypatch.setattr(export_module, "_written", lambda manifest, size: written(manifest, size + 1))
        with pytest.raises(BackupRefused, match="does not hold the database that it promises"):
            restore(sealed_backup(store, surroundings), surroundings)

    @pytest.mark.parametrize(
        ("octets", "said"),
        [
            (b"", "this is no backup of this server"),
            (b"PK\3\4" + bytes(1_000), "this is no backup of this server"),
            (b"alexa-oauth backup 2\nabc\n", "newer version"),
            (b"alexa-oauth backup 1\n", "cannot be opened"),
            (b"SQLite format 3\0" + bytes(8_192), "damaged"),
        ],
    )
    def test_what_is_not_ours_is_refused(self, surroundings: Surroundings, octets: bytes, said: str) -> None:
        surroundings.folder.mkdir(mode=0o700)
        with pytest.raises(BackupRefused, match=said):
            restore(octets, surroundings)
        assert files(surroundings.folder) == set()

    @pytest.mark.parametrize(
        ("passphrase", "said"),
        [("short", "too short"), ("aaaaaaaaaaaaaaaaaa", "repeats"), ("123456789012345", "digits"), (PASSPHRASE, None)],
    )
    def test_a_weak_passphrase_is_told_in_a_sentence(self, passphrase: str, said: str | None) -> None:
        told = sealed.weakness(passphrase)
        assert (told is None) if said is None else (told is not None and said in told)


class TestRestored:
    async def test_links_of_the_backup_live_again_and_later_ones_are_gone(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        token, ended = await linked(store, 1), await linked(store, 2)
        octets = sealed_backup(store, surroundings)
        second = store.read(lambda tx: tx.grants.find(grant(2).grant_id))
        assert second is not None
        await store.write(lambda tx: tx.grants.end(second))
        await linked(store, 3)
        _, kept = restore(octets, surroundings)
        await store.close()
        store = open_store()
        assert (store.replaced, living(store)) == (kept, {grant(1).grant_id, grant(2).grant_id})
        assert await refreshed(store, token, surroundings) == token
        assert await refreshed(store, ended, surroundings) == ended
        await store.close()
        restore(kept.read_bytes(), surroundings, passphrase=None)
        store = open_store()
        assert living(store) == {grant(1).grant_id, grant(3).grant_id}, "the way back"

    async def test_the_event_says_who_did_it_and_as_of_when(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        octets = sealed_backup(store, surroundings)
        surroundings.advance(DAY)
        restore(octets, surroundings)
        await store.close()
        async with open_store().reader() as reader:
            (recorded,) = await reader.events(EventQuery(5, name=EventName.BACKUP_RESTORED))
        assert (recorded.at, recorded.event.detail["by"]) == (NOW + DAY, "local")
        assert recorded.event.detail["as_of"] == "2027-01-15T08:00:00+00:00"

    async def test_a_token_newer_than_the_backup_heals_its_link(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        token = await linked(store)
        octets = sealed_backup(store, surroundings)
        await store.keys.rotate_data(TOLD)
        newer = await refreshed(store, token, surroundings)
        assert newer != token
        restore(octets, surroundings)
        await store.close()
        assert await refreshed(open_store(), newer, surroundings) == newer

    async def test_what_works_once_does_not_come_back(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        await store.write(lambda tx: tx.authorizations.fulfil(pending_request("1"), code(1), "ha:anna", NOW + 600))
        await store.write(lambda tx: tx.authorizations.add(pending_request("2")))
        await store.write(lambda tx: tx.pairing_codes.current("local", "BCDFGHJK"))
        await store.write(lambda tx: tx.admin_links.add("link", NOW + 600))
        restore(sealed_backup(store, surroundings), surroundings)
        await store.close()
        store = open_store()
        assert store.read(lambda tx: tx.authorizations.find_code(code(1))) is None
        assert store.read(lambda tx: tx.authorizations.find("request-2")) is None
        assert store.read(lambda tx: tx.pairing_codes.find("BCDFGHJK")) is None
        assert not await store.write(lambda tx: tx.admin_links.spend("link"))

    async def test_all_links_end_if_that_is_wished(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        await linked(store, 1)
        await store.write(lambda tx: tx.grants.issue(grant(1), access_token()))
        restore(sealed_backup(store, surroundings), surroundings, ends_all=True)
        await store.close()
        store = open_store()
        assert living(store) == set()
        assert store.read(lambda tx: tx.grants.find_access_token(access_token().value)) is None
        async with store.reader() as reader:
            newest = (await reader.events(EventQuery(1)))[0].event.name
        assert newest is EventName.LINKS_REVIEWED, "nobody need look through links of which none is left"

    async def test_a_secret_that_was_changed_since_stays_as_the_console_has_it(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "a" * 43))
        octets = sealed_backup(store, surroundings)
        await store.write(lambda tx: tx.clients.replace_secret("amazon-alexa", "b" * 43, at_once=True))
        restore(octets, surroundings)
        await store.close()
        assert open_store().read(lambda tx: tx.clients.show_secret("amazon-alexa")) == "b" * 43

    async def test_who_administers_stays_so(self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore) -> None:
        """Whoever was removed since the backup must not come back by it, and whoever restores it must not be shut out."""
        anna, berta = Resident("ha:anna", "Anna", is_administrator=True), Resident("ha:berta", "Berta", is_administrator=True)
        await store.write(lambda tx: people.welcome(tx, anna.subject, anna.name))
        octets = sealed_backup(store, surroundings)
        await store.write(lambda tx: people.welcome(tx, berta.subject, berta.name))
        await store.write(lambda tx: people.appoint(tx, berta.subject, anna))
        assert await store.write(lambda tx: people.dismiss(tx, anna.subject, berta))
        restore(octets, surroundings)
        await store.close()
        assert open_store().read(people.administrators) == (berta,)

    async def test_a_daily_copy_of_before_both_rotations_can_be_restored(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        token = await linked(store)
        copy = make_daily_copy(surroundings.folder, NOW)
        assert copy is not None
        octets = copy.read_bytes()
        await store.keys.rotate_data(TOLD)
        await store.keys.rotate_master(TOLD)
        newer = await refreshed(store, token, surroundings)
        contents, _ = restore(octets, surroundings, passphrase=None)
        assert (contents.links, contents.is_sealed) == (1, False)
        await store.close()
        assert await refreshed(open_store(), newer, surroundings) == newer

    @pytest.mark.parametrize("moment", ["after the rotation", "before the copies were reached"])
    async def test_a_copy_of_before_the_rotation_takes_the_place_of_a_database_that_is_damaged_after_it(
        self,
        store: SqliteStore,
        surroundings: Surroundings,
        open_store: OpenStore,
        monkeypatch: pytest.MonkeyPatch,
        moment: str,
    ) -> None:
        """Nothing but the copy holds the links then, and the start names it as the cure."""
        token, former = await linked(store), store.keys.master
        copy = make_daily_copy(surroundings.folder, NOW)
        assert copy is not None
        os.utime(copy, (NOW, NOW))
        with monkeypatch.context() as power_cut:
            if moment == "before the copies were reached":
                power_cut.setattr(keyholder, "rewrap_copies", lambda _: None)
            await store.keys.rotate_master(TOLD)
        await store.close()
        await open_store().close()
        assert (copy.stat().st_mtime, copy.stat().st_mode & 0o777) == (NOW, 0o600)
        assert [file.name for file in copy.parent.iterdir()] == [copy.name]
        with closing(sqlite3.connect(copy)) as connection, pytest.raises(StartRefused, match="wrong encryption key"):
            database.master_of(connection, [former])
        (surroundings.folder / "oauth.db").write_bytes(b"damaged" * 1_000)
        with pytest.raises(StartRefused, match=f"restore {copy}"):
            open_store()
        assert [file.name for file in copy.parent.iterdir()] == [copy.name]
        restore(copy.read_bytes(), surroundings, passphrase=None)
        assert await refreshed(open_store(), token, surroundings) == token

    async def test_a_copy_whose_keys_are_not_all_here_stays_as_it_is(
        self, store: SqliteStore, elsewhere: Surroundings, surroundings: Surroundings
    ) -> None:
        other = SqliteStore.open(elsewhere.folder, elsewhere.opening())
        foreign = (await other.copy()).read_bytes()
        await other.close()
        copy, damaged = await store.copy(), surroundings.folder / "backups" / "2027-01-01.db"
        copy.write_bytes(foreign)
        damaged.write_bytes(b"damaged")
        await store.keys.rotate_master(TOLD)
        assert (copy.read_bytes(), damaged.read_bytes()) == (foreign, b"damaged")

    async def test_a_key_that_the_backup_needs_is_not_retired_any_more(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        token = await linked(store)
        octets = sealed_backup(store, surroundings)
        await store.keys.rotate_data(TOLD)
        newer = await refreshed(store, await refreshed(store, token, surroundings), surroundings)
        surroundings.advance(4_000)
        await store.keys.renew()
        assert [standing.age for standing in store.keys.standings()] == ["current", "retired"]
        restore(octets, surroundings)
        await store.close()
        store = open_store()
        assert [standing.age for standing in store.keys.standings()] == ["current", "former"]
        assert await refreshed(store, token, surroundings) == newer

    @pytest.mark.parametrize(
        "fault", ["of another installation", "newer", "with a trigger", "tampered link", "a page overwritten"]
    )
    async def test_what_is_not_good_is_refused_and_nothing_waits(
        self, store: SqliteStore, surroundings: Surroundings, elsewhere: Surroundings, fault: str
    ) -> None:
        await linked(store)
        copy = await store.copy()
        if fault == "of another installation":
            other = SqliteStore.open(elsewhere.folder, elsewhere.opening())
            copy = await other.copy()
            await other.close()
        statements = {
            "newer": "PRAGMA user_version = 99",
            "with a trigger": "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM grants; END",
            "tampered link": "UPDATE grants SET payload = x'00'",
        }
        if fault in statements:
            with closing(sqlite3.connect(copy, isolation_level=None)) as changed:
                changed.execute(statements[fault])
        octets = copy.read_bytes()
        if fault == "a page overwritten":
            octets = octets[:-4_096] + b"\xa5" * 4_096
        before = files(surroundings.folder)
        said = {"of another installation": "which is not here", "newer": "newer version", "with a trigger": "no backup of this"}
        with pytest.raises(BackupRefused, match=said.get(fault, "damaged")):
            restore(octets, surroundings, passphrase=None)
        assert files(surroundings.folder) == before


class TestInPlaceOfDamage:
    @pytest.fixture
    async def octets(self, store: SqliteStore, surroundings: Surroundings) -> bytes:
        await linked(store)
        octets = sealed_backup(store, surroundings)
        await linked(store, 2)
        await store.close()
        return octets

    @pytest.mark.parametrize("damage", ["first page", "last page", "missing", "log alone"])
    async def test_the_damaged_files_are_kept_and_the_backup_takes_their_place(
        self, octets: bytes, surroundings: Surroundings, open_store: OpenStore, damage: str
    ) -> None:
        file = surroundings.folder / "oauth.db"
        whole, page = file.read_bytes(), b"\xa5" * 4_096
        content = page + whole[4_096:] if damage == "first page" else whole[:-4_096] + page
        if damage.endswith("page"):
            file.write_bytes(content)
        else:
            file.unlink()
        if damage == "log alone":
            file.with_name("oauth.db-wal").write_bytes(b"log")
        _, kept = restore(octets, surroundings)
        store = open_store()
        assert living(store) == {grant(1).grant_id}
        if damage.endswith("page"):
            assert kept.read_bytes() == content
        if damage == "log alone":
            assert kept.with_name(f"{kept.name}-wal").read_bytes() == b"log"

    async def test_a_lost_key_is_brought_back_and_the_backup_with_it(
        self, octets: bytes, surroundings: Surroundings, open_store: OpenStore
    ) -> None:
        (surroundings.folder / "encryption.key").unlink()
        restore(octets, surroundings)
        assert living(open_store()) == {grant(1).grant_id}


class PowerCut(BaseException):
    """The process ends here."""


class TestPowerCut:
    @pytest.fixture
    async def waiting(self, store: SqliteStore, surroundings: Surroundings) -> str:
        """A backup with the first link waits; the database has the second one alone. Its refresh token."""
        token = await linked(store, 1)
        octets = sealed_backup(store, surroundings)
        found = store.read(lambda tx: tx.grants.find(grant(1).grant_id))
        assert found is not None
        await store.write(lambda tx: tx.grants.end(found))
        await linked(store, 2)
        restore(octets, surroundings)
        await store.close()
        return token

    @pytest.mark.parametrize("moment", ["copy_whole", "_merge", "copy_into", "discard", "_is_in_place"])
    async def test_wherever_it_is_cut_off_the_next_start_does_it(
        self, waiting: str, surroundings: Surroundings, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, moment: str
    ) -> None:
        def cut(*_: object) -> None:
            raise PowerCut

        with monkeypatch.context() as patch:
            patch.setattr(copying if moment.startswith("copy") else swapping, moment, cut)
            with suppress(PowerCut):
                open_store()
        store = open_store()
        assert living(store) == {grant(1).grant_id}
        assert await refreshed(store, waiting, surroundings) == waiting
        (kept,) = (surroundings.folder / "backups").glob("before-*.db")
        with closing(sqlite3.connect(kept)) as former:
            assert former.execute("SELECT grant_id FROM grants WHERE ended_at IS NULL").fetchall() == [(grant(2).grant_id,)]

    async def test_what_a_command_did_between_the_swap_and_the_next_start_is_not_undone(
        self, waiting: str, surroundings: Surroundings, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cut(_: Path) -> None:
            raise PowerCut

        with monkeypatch.context() as patch:
            patch.setattr(swapping, "discard", cut)
            with suppress(PowerCut):
                open_store()
        assert waiting
        command = open_store(serving=False)
        await linked(command, 9)
        await command.close()
        assert living(open_store()) == {grant(1).grant_id, grant(9).grant_id}
        assert not (surroundings.folder / "restore").exists()

    async def test_a_start_with_the_wrong_key_touches_nothing(self, waiting: str, open_store: OpenStore) -> None:
        assert waiting
        with pytest.raises(StartRefused):
            open_store(master_key=b"w" * 32)
        assert living(open_store()) == {grant(1).grant_id}


class TestDaily:
    async def test_one_a_day_and_seven_of_them(self, store: SqliteStore, surroundings: Surroundings) -> None:
        for day in range(10):
            for hour in (0, 5):
                made = make_daily_copy(surroundings.folder, NOW + day * DAY + hour * 3_600)
                assert (made is None) == (hour > 0)
        await store.copy()
        names = sorted(name for name in files(surroundings.folder / "backups"))
        assert names == [*(f"2027-01-{day}.db" for day in range(18, 25)), "copy.db"]

    def test_a_copy_of_a_day_that_never_came_goes_first(self, store: SqliteStore, surroundings: Surroundings) -> None:
        assert store.folder == surroundings.folder
        make_daily_copy(surroundings.folder, NOW + 900 * DAY)
        for day in range(7):
            make_daily_copy(surroundings.folder, NOW + day * DAY)
        assert len(files(surroundings.folder / "backups")) == 7
        assert not [name for name in files(surroundings.folder / "backups") if name > "2028"]


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a passphrase costs is looked at once, not paid each time."""
    assert sealed._SCRYPT["n"] >= 2**15
    monkeypatch.setattr(sealed, "_SCRYPT", {**sealed._SCRYPT, "n": 2**8})
