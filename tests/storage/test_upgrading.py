"""Upgrades: a database of every earlier version opens, is brought up to date in one transaction, and keeps its link."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.storage import database
from tests.storage.conftest import OpenStore, Surroundings
from tests.storage.records import access_token
from tests.storage.test_rotation import refreshed

KEY: Final = "n7D-8C_ECxcw3FOzNWEbJu_RF8RXZZ0hECFy3d_XkW8="
REFRESH_TOKEN: Final = "aoa_rt_CLCtcTj4r-SfJvPNK4rWH5Xx5jJW0kqYICSB26VivZI1BHMRY3jKjuiFWTdNtgh4"
LINK: Final = (Path(__file__).parent / "link_of_version_1.sql").read_text("utf-8")
SCRIPTS: Final = database.migrations()
EARLIER: Final = range(1, len(SCRIPTS))


def lay(folder: Path, version: int) -> Path:
    """A data folder whose database began with the first version, and was last opened by that one."""
    folder.mkdir(mode=0o700)
    (folder / "encryption.key").write_text(f"{KEY}\n")
    file = folder / "oauth.db"
    with closing(sqlite3.connect(file)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.executescript("\n".join([SCRIPTS[0], LINK, *SCRIPTS[1:version], f"PRAGMA user_version = {version};"]))
    return file


def schema(file: Path) -> tuple[int, set[tuple[str, str]]]:
    """The version, and the columns of every table and index."""
    with closing(sqlite3.connect(file)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        columns = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c"
        parts = "SELECT m.name, coalesce(c.name, '') FROM sqlite_master m, pragma_index_xinfo(m.name) c"
        return version, {*connection.execute(columns), *connection.execute(parts)}


async def see_that_the_link_lives(surroundings: Surroundings, open_store: OpenStore) -> None:
    store = open_store()
    assert store.read(lambda tx: tx.grants.find_access_token(access_token().value)) is not None
    assert store.read(lambda tx: tx.clients.show_secret("amazon-alexa")) == "s" * 43
    await refreshed(store, REFRESH_TOKEN, surroundings)
    await store.close()


@pytest.mark.parametrize("version", EARLIER)
async def test_every_earlier_database_opens_and_keeps_its_link(
    version: int, surroundings: Surroundings, open_store: OpenStore, tmp_path: Path
) -> None:
    file = lay(surroundings.folder, version)
    await see_that_the_link_lives(surroundings, open_store)
    assert schema(file) == schema(lay(tmp_path / "today", len(SCRIPTS)))
    await see_that_the_link_lives(surroundings, open_store)


@pytest.mark.parametrize("version", EARLIER)
async def test_killed_at_any_statement_it_is_as_it_was_and_the_next_start_begins_anew(
    version: int, surroundings: Surroundings, open_store: OpenStore, tmp_path: Path
) -> None:
    """What a killed process leaves is what it wrote until then: the files, copied before each statement is run."""
    file = lay(surroundings.folder, version)
    left: list[Path] = []

    def leave(_statement: str) -> None:
        left.append(tmp_path / f"left-{len(left)}")
        shutil.copytree(surroundings.folder, left[-1])

    with closing(database.connect(file, 0)) as connection:
        connection.set_trace_callback(leave)
        database.migrate(connection, SCRIPTS)
    assert len(left) > len(SCRIPTS) - version + 2, "BEGIN, a statement for each script at least, the version and COMMIT"
    shutil.rmtree(surroundings.folder)
    for folder in left:
        assert schema(folder / "oauth.db") == schema(lay(tmp_path / f"{folder.name}-untouched", version))
        folder.rename(surroundings.folder)
        await see_that_the_link_lives(surroundings, open_store)
        shutil.rmtree(surroundings.folder)


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(surroundings: Surroundings, open_store: OpenStore) -> None:
    file = lay(surroundings.folder, len(SCRIPTS))
    with closing(sqlite3.connect(file)) as newer:
        newer.executescript(f"CREATE TABLE novelty (number INTEGER) STRICT; PRAGMA user_version = {len(SCRIPTS) + 1};")
    before = schema(file)
    said = rf"^{file} was written by a newer version of this server \(schema {len(SCRIPTS) + 1}\); install that version again\Z"
    for serving in (True, False):
        with pytest.raises(StartRefused, match=said):
            open_store(serving=serving)
    assert schema(file) == before
