"""Opening a data folder: what is made, what is refused for good, what is tried again, and what is never touched."""

import asyncio
import errno
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from alexa_oauth.protocol.errors import StartRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.storage import database, folder, opening
from alexa_oauth.storage.keys import MasterKey
from alexa_oauth.storage.patient import PatientStore
from alexa_oauth.storage.store import SqliteStore
from tests.storage.conftest import OpenStore, Surroundings
from tests.storage.records import DAY, NOW, access_token, grant


@pytest.fixture
async def left_behind(open_store: OpenStore, surroundings: Surroundings) -> Path:
    """The folder of a server that has ended, with one grant in it."""
    store = open_store()
    await store.write(lambda tx: tx.grants.add(grant()))
    await store.close()
    return surroundings.folder


def contents(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def modes(path: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in path.iterdir() if file.is_file()}


class TestFirstStart:
    async def test_it_makes_a_key_and_a_database_for_its_own_eyes(
        self, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        store = open_store()
        await store.write(lambda tx: tx.grants.add(grant()))
        assert store.first_start
        assert store.newest_instant is None
        assert store.checks() == {"database": "ok", "encryption_key": "ok"}
        assert len((surroundings.folder / "encryption.key").read_bytes()) == 44
        assert stat.S_IMODE(surroundings.folder.stat().st_mode) == 0o700
        assert {"oauth.db-wal", "oauth.db-shm"} <= set(contents(surroundings.folder))
        assert modes(surroundings.folder) == {0o600}

    async def test_an_open_folder_is_closed_to_others(self, left_behind: Path, open_store: OpenStore) -> None:
        left_behind.chmod(0o755)
        for file in left_behind.iterdir():
            file.chmod(0o644)
        (left_behind / "server.lock").unlink()
        open_store()
        assert stat.S_IMODE(left_behind.stat().st_mode) == 0o700
        assert modes(left_behind) == {0o600}

    async def test_the_settings_may_hold_the_key_and_no_file_is_made(
        self, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        store = open_store(master_key=b"k" * 32)
        assert store.keys.master.key_id == MasterKey(b"k" * 32).key_id
        assert "encryption.key" not in contents(surroundings.folder)

    async def test_every_pragma_that_durability_stands_on_is_set(self, store: SqliteStore) -> None:
        asked = ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        said = [store._writer._sqlite.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
        assert said == ["wal", 2, 1, 1]

    async def test_a_key_left_over_from_a_failed_first_start_is_used(
        self, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        surroundings.folder.mkdir()
        folder.make_key(surroundings.folder, surroundings.entropy)
        kept = (surroundings.folder / "encryption.key").read_bytes()
        store = open_store()
        assert store.first_start
        assert (surroundings.folder / "encryption.key").read_bytes() == kept

    @pytest.mark.parametrize("step", ["make_key", "migrate", "flush"])
    async def test_a_first_start_that_dies_half_way_is_simply_repeated(
        self, open_store: OpenStore, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        """Half-made things must not look like a database whose key was lost."""

        def no_room(*_: object) -> None:
            raise OSError(errno.ENOSPC, "no room")

        with monkeypatch.context() as patch:
            patch.setattr(folder if step == "make_key" else database, step, no_room)
            with pytest.raises(StorageUnavailable, match="disk full"):
                open_store()
        store = open_store()
        await store.write(lambda tx: tx.grants.add(grant()))
        assert not [name for name in contents(surroundings.folder) if ".new" in name]

    async def test_a_key_file_that_could_not_be_written_whole_is_never_read(
        self, open_store: OpenStore, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_room(_: int) -> None:
            raise OSError(errno.ENOSPC, "no room")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_room)
            with pytest.raises(StorageUnavailable, match="disk full"):
                open_store()
        assert "encryption.key" not in contents(surroundings.folder)
        open_store()


class TestNextStart:
    async def test_everything_is_there_again(self, left_behind: Path, open_store: OpenStore) -> None:
        store = open_store()
        assert not store.first_start
        assert store.folder == left_behind
        assert store.read(lambda tx: tx.grants.find(grant().grant_id)) == grant()

    async def test_what_was_answered_before_a_power_cut_is_there(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore, tmp_path: Path
    ) -> None:
        """The files as they lie on the disk at that moment, with nothing closed in order."""
        await store.write(lambda tx: tx.grants.add(grant()))
        shutil.copytree(surroundings.folder, tmp_path / "found")
        surroundings.folder = tmp_path / "found"
        assert open_store().read(lambda tx: tx.grants.find(grant().grant_id)) == grant()

    async def test_the_newest_instant_is_the_newest_that_nobody_doubts(
        self, store: SqliteStore, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        await store.write(lambda tx: tx.grants.add(grant()))
        surroundings.advance(50)
        await store.write(lambda tx: tx.events.record(Event(EventName.TOKEN_ISSUED)))
        surroundings.doubt(NOW + 900 * DAY)
        begun = replace(grant(2), last_used_at=NOW + 900 * DAY)
        await store.write(lambda tx: tx.grants.add(begun))
        await store.write(lambda tx: tx.grants.use_head(grant()))
        await store.write(lambda tx: tx.events.record(Event(EventName.TOKEN_REFRESHED)))
        await store.close()
        assert open_store().newest_instant == NOW + 50

    async def test_an_instant_from_a_time_that_never_was_is_not_the_newest_after_settling(
        self, store: SqliteStore, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        """A first start with a clock years ahead was believed; it must not cast doubt on every later start."""
        surroundings.trust(NOW + 900 * DAY)
        await store.write(lambda tx: tx.events.record(Event(EventName.TOKEN_ISSUED)))
        surroundings.trust(NOW)
        await store.write(lambda tx: tx.grants.settle_instants(tx.now, 0))
        await store.close()
        assert open_store().newest_instant is None


class TestRefusedForGood:
    async def test_a_wrong_key_is_named_beside_the_wanted_one_and_nothing_is_written(
        self, left_behind: Path, open_store: OpenStore
    ) -> None:
        wanted = MasterKey(folder.read_key(left_behind) or b"").key_id
        before = contents(left_behind)
        with pytest.raises(StartRefused) as refused:
            open_store(master_key=b"w" * 32)
        assert str(refused.value) == f"wrong encryption key: the database wants key {wanted}, this is key 094323e2"
        assert contents(left_behind) == before

    async def test_a_wrong_key_after_a_crash_leaves_the_write_ahead_log_alone(
        self, store: SqliteStore, surroundings: Surroundings, open_store: OpenStore, tmp_path: Path
    ) -> None:
        await store.write(lambda tx: tx.grants.add(grant()))
        shutil.copytree(surroundings.folder, tmp_path / "found")
        surroundings.folder = tmp_path / "found"
        before = contents(surroundings.folder)
        with pytest.raises(StartRefused, match="wrong encryption key"):
            open_store(master_key=b"w" * 32)
        after = contents(surroundings.folder)
        assert before.keys() == after.keys()
        assert {name for name in before if before[name] != after[name]} <= {"oauth.db-shm"}, "memory, not content"

    @pytest.mark.parametrize("serving", [True, False])
    async def test_no_key_is_made_beside_a_database(self, left_behind: Path, open_store: OpenStore, *, serving: bool) -> None:
        with pytest.raises(StartRefused, match=r"database wants key \w{8}") as refused:
            open_store(master_key=b"w" * 32, serving=serving)
        wanted = str(refused.value).partition("wants key ")[2][:8]
        (left_behind / "encryption.key").unlink()
        before = contents(left_behind)
        with pytest.raises(StartRefused, match=rf"encryption\.key is missing, and the database wants key {wanted}"):
            open_store(serving=serving)
        assert contents(left_behind) == before

    @pytest.mark.parametrize("text", ["", "too short", "A" * 44, "A" * 43 + "=\x00", "\xff" * 44])
    async def test_a_key_file_that_holds_no_key_is_named_without_its_content(
        self, left_behind: Path, open_store: OpenStore, text: str
    ) -> None:
        (left_behind / "encryption.key").write_text(text, "latin-1")
        with pytest.raises(StartRefused, match="does not hold a key") as refused:
            open_store()
        assert not text or text not in str(refused.value)

    @pytest.mark.parametrize("where", ["first page", "a later page", "all of it", "emptied"])
    async def test_a_damaged_database_is_kept_and_the_newest_backup_named(
        self, left_behind: Path, open_store: OpenStore, where: str
    ) -> None:
        file = left_behind / "oauth.db"
        whole = file.read_bytes()
        damaged = bytearray(whole)
        spans = {"first page": slice(0, 16), "a later page": slice(-4_096, None), "all of it": slice(None)}
        if where == "emptied":
            damaged = bytearray()
        else:
            damaged[spans[where]] = b"\xa5" * len(damaged[spans[where]])
        file.write_bytes(damaged)
        with pytest.raises(StartRefused, match="damaged and was left as it is; there is no good backup"):
            open_store()
        (left_behind / "backups").mkdir()
        for age, name in enumerate(["damaged.db", "newer.db", "older.db"]):
            (left_behind / "backups" / name).write_bytes(damaged if name == "damaged.db" else whole)
            os.utime(left_behind / "backups" / name, (NOW - age, NOW - age))
        with pytest.raises(StartRefused, match=r"alexa-oauth restore .*/backups/newer\.db"):
            open_store()
        assert file.read_bytes() == damaged

    async def test_a_data_key_that_was_tampered_with_is_damage(self, left_behind: Path, open_store: OpenStore) -> None:
        with closing(sqlite3.connect(left_behind / "oauth.db", isolation_level=None)) as other:
            other.execute("UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys LIMIT 1)")
        with pytest.raises(StartRefused, match="damaged"):
            open_store()

    async def test_a_database_of_a_newer_version_is_left_alone(self, left_behind: Path, open_store: OpenStore) -> None:
        with closing(sqlite3.connect(left_behind / "oauth.db", isolation_level=None)) as other:
            other.execute("PRAGMA user_version = 99")
        before = contents(left_behind)
        with pytest.raises(StartRefused, match=r"newer version of this server \(schema 99\)"):
            open_store()
        assert contents(left_behind) == before

    async def test_a_second_server_on_the_same_data_is_refused_and_the_first_goes_on(
        self, store: SqliteStore, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        with pytest.raises(StartRefused, match=f"another server already runs on {surroundings.folder}"):
            open_store()
        await store.write(lambda tx: tx.grants.add(grant()))
        await store.close()
        await open_store().close()

    @pytest.mark.parametrize("serving", [True, False])
    async def test_a_log_without_its_database_is_not_written_into_another(
        self, store: SqliteStore, surroundings: Surroundings, tmp_path: Path, open_store: OpenStore, *, serving: bool
    ) -> None:
        await store.write(lambda tx: tx.grants.add(grant()))
        await store.copy()
        surroundings.folder = shutil.copytree(surroundings.folder, tmp_path / "found", ignore=shutil.ignore_patterns("oauth.db"))
        before = contents(surroundings.folder)
        with pytest.raises(StartRefused, match=r"oauth\.db is missing, but its latest changes are in .*oauth\.db-wal; put "):
            open_store(serving=serving)
        assert contents(surroundings.folder) == before

    async def test_a_data_folder_that_is_a_file_is_named(self, open_store: OpenStore, surroundings: Surroundings) -> None:
        surroundings.folder.touch()
        with pytest.raises(StartRefused, match="is not a folder"):
            open_store()


class TestTriedAgain:
    @pytest.mark.parametrize(("number", "reason"), [(errno.EROFS, "read-only file system"), (errno.ENOSPC, "disk full")])
    async def test_a_disk_that_takes_no_writes_refuses_for_now(
        self, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
    ) -> None:
        def refuse(*_: object) -> int:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refuse)
            with pytest.raises(StorageUnavailable, match=reason):
                open_store()
        open_store()

    async def test_a_folder_without_permission_refuses_for_now_and_stays_empty(self, surroundings: Surroundings) -> None:
        with unwritable_folder() as path, pytest.raises(StorageUnavailable, match="permission denied"):
            SqliteStore.open(path, surroundings.opening())

    async def test_a_full_disk_is_noticed_at_the_start(
        self, left_behind: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(database, "migrate", full)
            with pytest.raises(StorageUnavailable, match="disk full"):
                open_store()
        assert open_store().folder == left_behind

    async def test_a_database_locked_by_another_program_refuses_for_now(
        self, left_behind: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(opening, "_SERVER_BUSY_SECONDS", 0.02)
        with closing(sqlite3.connect(left_behind / "oauth.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable, match="locked"):
                open_store()
        open_store()


@contextmanager
def unwritable_folder() -> Iterator[Path]:
    """A folder that even root cannot write: root becomes nobody while it is looked at."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65_534)
    try:
        yield path
        assert list(path.iterdir()) == []
    finally:
        if is_root:
            os.seteuid(0)
        path.chmod(0o755)
        path.rmdir()


class TestBesideARunningServer:
    async def test_a_command_reads_and_writes_what_the_server_sees(self, store: SqliteStore, open_store: OpenStore) -> None:
        command = open_store(serving=False)
        await store.write(lambda tx: tx.grants.add(grant()))
        await command.write(lambda tx: tx.grants.issue(grant(), access_token()))
        assert store.read(lambda tx: tx.grants.find_access_token(access_token().value)) is not None
        assert not command.first_start
        assert command._writer._busy_milliseconds == 5_000

    async def test_a_command_works_without_a_server_and_makes_no_lock(self, left_behind: Path, open_store: OpenStore) -> None:
        (left_behind / "server.lock").unlink()
        command = open_store(serving=False)
        assert command.read(lambda tx: tx.grants.find(grant().grant_id)) == grant()
        assert "server.lock" not in contents(left_behind)

    async def test_a_command_makes_nothing_where_no_server_ever_ran(
        self, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        with pytest.raises(StartRefused, match="start the server first"):
            open_store(serving=False)
        assert not surroundings.folder.exists()

    async def test_a_command_leaves_an_older_database_to_the_server(
        self, left_behind: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scripts = [*database.migrations(), "CREATE TABLE novelty (sequence INTEGER PRIMARY KEY) STRICT;"]
        monkeypatch.setattr(database, "migrations", lambda: scripts)
        before = contents(left_behind)
        with pytest.raises(StartRefused, match="start the server once"):
            open_store(serving=False)
        assert contents(left_behind) == before


class TestMigrations:
    async def test_a_new_script_is_run_once_and_keeps_the_rows(
        self, left_behind: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scripts = [*database.migrations(), "CREATE TABLE novelty (sequence INTEGER PRIMARY KEY) STRICT;"]
        monkeypatch.setattr(database, "migrations", lambda: scripts)
        for _ in range(2):
            store = open_store()
            assert store.read(lambda tx: tx.grants.find(grant().grant_id)) == grant()
            await store.close()
        assert version(left_behind) == (len(scripts), True)

    async def test_a_script_that_fails_leaves_the_database_as_it_was(
        self, left_behind: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = database.migrations()
        scripts = [*good, "CREATE TABLE novelty (sequence INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1);"]
        with monkeypatch.context() as patch:
            patch.setattr(database, "migrations", lambda: scripts)
            with pytest.raises(StorageUnavailable):
                open_store()
        assert version(left_behind) == (len(good), False)
        open_store()


def version(path: Path) -> tuple[int, bool]:
    """The number of scripts that the database has seen, and whether the new one left its table."""
    with closing(sqlite3.connect(path / "oauth.db")) as connection:
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        (novelties,) = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'novelty'").fetchone()
        return number, novelties == 1


async def test_while_it_is_closed_to_be_opened_anew_nobody_else_opens_it(surroundings: Surroundings) -> None:
    """The upkeep tries to open a database that is not open every few seconds, and the lock would still be held."""
    store = PatientStore(lambda: SqliteStore.open(surroundings.folder, surroundings.opening()))
    assert store.try_to_open()
    reopening = asyncio.create_task(store.reopen())
    await asyncio.wait([reopening], timeout=0)
    assert not store.try_to_open()
    assert store.checks()["database"] == "restoring a backup"
    with pytest.raises(StorageUnavailable, match="restoring a backup"):
        await store.write(lambda _: None)
    await reopening
    assert store.checks()["database"] == "ok"
    await store.close()


def test_what_waits_for_a_disk_and_then_meets_a_refusal_tells_of_the_disk_no_more() -> None:
    """Where a server is a guest in another application, that one goes on, and with it `/health`."""
    outcomes = iter([StorageUnavailable("disk full"), StartRefused("/data/oauth.db is damaged")])

    def open_store() -> SqliteStore:
        raise next(outcomes)

    store = PatientStore(open_store)
    assert not store.try_to_open()
    assert store.checks()["database"] == "disk full"
    with pytest.raises(StartRefused):
        store.try_to_open()
    assert store.checks()["database"] == "cannot be opened; the log says why"
