"""The copy that archives of the data folder take along: made beside a busy server, adopted where the database is missing."""

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest import mock

import pytest

from alexa_oauth.protocol.errors import StartRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import RefreshProfile
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.storage import database
from alexa_oauth.storage.backups import copying
from alexa_oauth.storage.store import SqliteStore
from tests.storage.conftest import OpenStore, Surroundings
from tests.storage.records import access_token, grant

GENERATIONS = """SELECT generation - 1 - (SELECT count(*) FROM events WHERE events.grant_id = grants.grant_id)
    FROM grants WHERE grant_id = ?"""


def rotate(tx: Transaction) -> None:
    """Two rows that go together: a generation, and the event that tells of it."""
    found = tx.grants.find(grant().grant_id)
    assert found is not None
    tx.grants.rotate(found, RefreshProfile.STRICT_WINDOW, access_token(found.generation))
    tx.events.record(Event(EventName.TOKEN_REFRESHED, grant_id=found.grant_id))


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program keeps everybody out, readers too."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield


class TestCopy:
    async def test_it_shows_one_instant_however_much_is_written(self, store: SqliteStore) -> None:
        await store.write(lambda tx: tx.grants.add(grant()))
        stop = asyncio.Event()

        async def write() -> int:
            written = 0
            while not stop.is_set():
                await store.write(rotate)
                written += 1
            return written

        writers = [asyncio.create_task(write()) for _ in range(8)]
        for _ in range(20):
            copy = await store.copy()
            with closing(sqlite3.connect(copy)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert connection.execute(GENERATIONS, (grant().grant_id,)).fetchone() == (0,)
        stop.set()
        assert sum(await asyncio.gather(*writers)) > 20

    async def test_it_has_what_was_committed_before_it_began(self, store: SqliteStore) -> None:
        """All of it still stands in the write-ahead log."""
        for made in map(grant, range(50)):
            await store.write(lambda tx: tx.grants.add(made))  # noqa: B023 - it is run at once
        with closing(sqlite3.connect(await store.copy())) as connection:
            assert connection.execute("SELECT count(*) FROM grants").fetchone() == (50,)

    async def test_it_is_for_the_owners_eyes_and_leaves_nothing_else(
        self, store: SqliteStore, surroundings: Surroundings
    ) -> None:
        copy = await store.copy()
        assert copy == surroundings.folder / "backups" / "copy.db"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
        assert [*files(copy.parent)] == ["copy.db"]

    async def test_two_at_once_are_both_whole(self, store: SqliteStore) -> None:
        await store.write(lambda tx: tx.grants.add(grant()))
        copies = await asyncio.gather(*(store.copy() for _ in range(8)))
        with closing(sqlite3.connect(copies[0])) as connection:
            assert connection.execute("SELECT count(*) FROM grants").fetchone() == (1,)

    async def test_one_that_fails_half_way_leaves_the_former_one(self, store: SqliteStore) -> None:
        copy = await store.copy()
        await store.write(lambda tx: tx.grants.add(grant()))
        before = files(copy.parent)
        with mock.patch.object(database, "check", side_effect=OSError(28, "no room")), pytest.raises(StorageUnavailable):
            await store.copy()
        assert files(copy.parent) == before
        await store.copy()
        assert files(copy.parent) != before

    async def test_a_damaged_database_does_not_take_the_place_of_its_good_copy(
        self, open_store: OpenStore, surroundings: Surroundings
    ) -> None:
        store = open_store()
        copy = await store.copy()
        await store.close()
        before = copy.read_bytes()
        file = surroundings.folder / "oauth.db"
        file.write_bytes(file.read_bytes()[:-4_096] + b"\xa5" * 4_096)
        with pytest.raises(StartRefused, match=r"oauth\.db is damaged .* restore .*copy\.db"):
            copying.make_copy(surroundings.folder)
        assert copy.read_bytes() == before

    async def test_a_database_that_another_program_holds_is_not_waited_for_without_end(
        self, open_store: OpenStore, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await open_store().close()
        monkeypatch.setattr(copying, "_BUSY_SECONDS", 0.02)
        with held(surroundings.folder / "oauth.db"), pytest.raises(StorageUnavailable, match="locked"):
            copying.make_copy(surroundings.folder)


class TestAdoption:
    @pytest.fixture
    async def restored(self, open_store: OpenStore, surroundings: Surroundings, tmp_path: Path) -> Path:
        """What an archive brings back that left the live database out: the copy and the key."""
        store = open_store()
        await store.write(lambda tx: tx.grants.add(grant()))
        await store.copy()
        await store.write(lambda tx: tx.grants.end(grant()))
        left_out = shutil.ignore_patterns("oauth.db*", "server.lock")
        surroundings.folder = Path(shutil.copytree(surroundings.folder, tmp_path / "restored", ignore=left_out))
        return surroundings.folder

    async def test_a_missing_database_is_what_its_copy_was(self, restored: Path, open_store: OpenStore) -> None:
        copy = (restored / "backups" / "copy.db").read_bytes()
        store = open_store()
        assert (store.adopted, store.first_start) == (True, False)
        assert store.read(lambda tx: tx.grants.find(grant().grant_id)) == grant()
        await store.write(rotate)
        await store.close()
        assert files(restored)["backups/copy.db"] == copy
        assert {stat.S_IMODE(path.stat().st_mode) for path in restored.rglob("*")} == {0o600, 0o700}

    async def test_the_next_start_is_an_ordinary_one(self, restored: Path, open_store: OpenStore) -> None:
        store = open_store()
        await store.write(rotate)
        await store.close()
        store = open_store()
        assert (store.adopted, store.folder) == (False, restored)
        assert store.read(lambda tx: tx.grants.find(grant().grant_id)) != grant()

    async def test_an_existing_database_is_never_replaced(self, store: SqliteStore, open_store: OpenStore) -> None:
        await store.copy()
        await store.write(lambda tx: tx.grants.add(grant()))
        await store.close()
        store = open_store()
        assert not store.adopted
        assert store.read(lambda tx: tx.grants.find(grant().grant_id)) == grant()

    @pytest.mark.parametrize(
        ("key", "said"),
        [(None, "encryption.key is missing"), ("A" * 43 + "=", "wrong encryption key"), ("", "does not hold a key")],
    )
    async def test_without_its_key_nothing_is_written(
        self, restored: Path, open_store: OpenStore, key: str | None, said: str
    ) -> None:
        (restored / "encryption.key").unlink()
        if key is not None:
            (restored / "encryption.key").write_text(key)
        before = files(restored)
        with pytest.raises(StartRefused, match=said):
            open_store()
        assert files(restored) == {**before, "server.lock": b""}

    @pytest.mark.parametrize("content", [b"", b"no database" * 1_000])
    async def test_a_damaged_copy_is_named_and_no_empty_database_made(
        self, restored: Path, open_store: OpenStore, content: bytes
    ) -> None:
        (restored / "backups" / "copy.db").write_bytes(content)
        with pytest.raises(StartRefused, match=r"backups/copy\.db is damaged and was left as it is"):
            open_store()
        assert "oauth.db" not in files(restored)

    async def test_what_failed_half_way_is_done_at_the_next_start(
        self, restored: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", mock.Mock(side_effect=OSError(28, "no room")))
            with pytest.raises(StorageUnavailable, match="disk full"):
                open_store()
        assert [name for name in files(restored) if "oauth.db" in name] == []
        assert open_store().adopted

    async def test_a_command_leaves_it_to_the_server(self, restored: Path, open_store: OpenStore) -> None:
        before = files(restored)
        with pytest.raises(StartRefused, match=r"there is no database in .*; start the server first"):
            open_store(serving=False)
        assert files(restored) == before
