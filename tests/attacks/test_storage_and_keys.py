"""Attacks on the data folder, by those who got hold of it, and what a wrong key, a wrong clock or a power cut does to it.

The rooms of the store are tried in `tests/storage`; here it is the whole server that must come through.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from alexa_oauth.admin.parts import PARTS
from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.protocol.events import Event, EventName
from tests.attacks.canaries import Chance, everything, found_in, watched
from tests.attacks.disk import DATABASE, before_each_statement, folder_of, octets_in, power_cut, statements_written
from tests.attacks.links import DAY, refreshed, rotated
from tests.attacks.verdict import rows
from tests.rig import NOW, FakeClocks, Rig, running
from tests.running_server import RunningServer, ServerFailed

UNAVAILABLE = (503, "temporarily_unavailable")
PASSPHRASE = "correct horse battery staple"
WRONG_KEY = Fernet.generate_key().decode()


def contents_of(folder: Path) -> dict[str, bytes]:
    """What is on disk, but for the lock, which holds nothing."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.name != "server.lock"}


async def test_p01_p02_no_secret_is_in_any_file_neither_while_it_lives_nor_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Chance()
    async with watched(tmp_path / "data", chance) as rig:
        await everything(rig, monkeypatch)
        assert found_in(octets_in(tmp_path), rig, chance) == set()
        rig.clocks.advance(500 * DAY)
        await rig.upkeep.sweep()
        assert (rows(rig)["access_tokens"], rows(rig)["pending_requests"]) == (0, 0)
        assert (tmp_path / "data" / f"{DATABASE}-wal").stat().st_size == 0
        assert found_in(octets_in(tmp_path), rig, chance) == set()
    assert found_in(octets_in(tmp_path), rig, chance) == set()
    assert len(octets_in(tmp_path)) > 50_000


@pytest.mark.parametrize("found", ["nothing", "a folder that is open to all"])
async def test_p03_only_the_owner_may_look_into_the_folder(tmp_path: Path, found: str) -> None:
    folder = tmp_path / "data"
    if found != "nothing":
        async with running(folder, {}):
            pass
        for file in (folder, *folder.iterdir()):
            file.chmod(0o777)
    former = os.umask(0)
    try:
        async with running(folder, {}) as rig:
            await rig.link()
            made = {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir() if file.name != "oauth_clients.json"}
    finally:
        os.umask(former)
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    assert {name for name, mode in made.items() if int(mode, 8) & 0o077} == set()
    assert {DATABASE, f"{DATABASE}-wal", "encryption.key"} <= made.keys()


async def test_p06_the_first_start_makes_key_and_database_and_the_second_keeps_them(tmp_path: Path) -> None:
    async with running(tmp_path / "data", {}) as rig:
        assert rig.store.first_start
        tokens, key = await rig.link(), (tmp_path / "data" / "encryption.key").read_bytes()
    async with running(tmp_path / "data", {}, rig.clocks) as later:
        assert not later.store.first_start
        assert (tmp_path / "data" / "encryption.key").read_bytes() == key
        assert await later.is_live(tokens["access_token"])


async def test_p08_an_old_data_key_goes_when_no_living_link_needs_it_and_not_before(rig: Rig) -> None:
    """Else a rotation would cost every link that did not refresh in time."""
    links = [await rig.link("alexa"), await rig.link("C1")]
    await rig.store.keys.rotate_data(Event(EventName.KEY_ROTATED))
    rig.clocks.advance(DAY)
    await rig.upkeep.renew_keys()
    assert [(key.age, key.links) for key in rig.store.keys.standings()] == [("current", 0), ("former", 2)]
    for _ in range(2):
        links = [await refreshed(rig, tokens, client_id) for tokens, client_id in zip(links, ("alexa", "C1"), strict=True)]
        rig.clocks.advance(3_601)
        await rig.upkeep.renew_keys()
    assert [(key.age, key.links) for key in rig.store.keys.standings()] == [("current", 2), ("retired", 0)]
    for tokens, client_id in zip(links, ("alexa", "C1"), strict=True):
        await refreshed(rig, tokens, client_id)


@pytest.mark.parametrize(("table", "key"), [("access_tokens", "sequence"), ("grants", "rowid")])
async def test_p10_a_payload_that_was_moved_to_another_row_is_never_served(rig: Rig, table: str, key: str) -> None:
    """Else who may write to the file could lend the scope or the subject of one link to another."""
    weak = (await rig.redeem(await rig.code(scope="music.read"))).json
    strong = await rig.link()
    with closing(sqlite3.connect(folder_of(rig) / DATABASE)) as thief, thief:
        ((first, payload), (second, other)) = thief.execute(f"SELECT {key}, payload FROM {table}").fetchall()  # noqa: S608
        for row, moved in ((first, other), (second, payload)):
            thief.execute(f"UPDATE {table} SET payload = ? WHERE {key} = ?", (moved, row))  # noqa: S608
    for tokens in (weak, strong):
        token = tokens["access_token"] if table == "access_tokens" else tokens["refresh_token"]
        assert (await rig.introspect(token)).refusal == (500, "server_error")
    answer = await (rig.verify(weak["access_token"]) if table == "access_tokens" else rig.refresh(weak["refresh_token"]))
    assert answer.refusal == (500, "server_error")


async def test_p14_a_backup_shows_nothing_without_its_passphrase_nor_does_a_copy_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Chance()
    async with watched(tmp_path / "data", chance) as rig:
        await everything(rig, monkeypatch)
        pieces = rig.server.admin[PARTS].keeping.seal(PASSPHRASE, "local")
        sealed = b"".join([piece async for piece in pieces])
        await rig.upkeep.copy_daily()
        copies = octets_in(tmp_path / "data" / "backups")
        first_line, _salt, *rest = sealed.splitlines()
        assert found_in(b"".join([first_line, *rest, copies]), rig, chance) == set()
        assert PASSPHRASE.encode() not in octets_in(tmp_path)
    assert len(copies) > 50_000
    assert b"grants" in copies
    assert b"grants" not in sealed


async def test_p15_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with running(tmp_path / "data", {}):
        pass
    with closing(sqlite3.connect(tmp_path / "data" / DATABASE)) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = contents_of(tmp_path / "data")
    with pytest.raises(StartRefused, match="newer version of this server"):
        async with running(tmp_path / "data", {}):
            pass
    assert contents_of(tmp_path / "data") == before


@pytest.mark.parametrize("client_id", ["C1", "C3", "alexa"])
async def test_p17_a_power_cut_at_any_statement_leaves_one_head_that_works(rig: Rig, tmp_path: Path, client_id: str) -> None:
    """The real process is killed a hundred times elsewhere; here it dies before each single statement of a rotation."""
    old, *_ = await rotated(rig, client_id, times=0)
    rig.clocks.advance(8 * DAY)
    moments: list[str] = []

    def cut(statement: str) -> None:
        moments.append(statement)
        power_cut(rig, tmp_path / f"{len(moments)}")

    with before_each_statement(rig, cut):
        new = await refreshed(rig, old, client_id)
    moments.append("after the commit")
    power_cut(rig, tmp_path / f"{len(moments)}")
    assert len(moments) > 6
    heads = []
    for number in range(1, len(moments) + 1):
        async with running(tmp_path / f"{number}", {}, rig.clocks) as later:
            heads.append([await later.is_live(tokens["refresh_token"]) for tokens in (old, new)])
            assert later.store.read(lambda tx: tx.connection.execute("PRAGMA integrity_check").fetchall()) == [("ok",)]
            await refreshed(later, new if heads[-1][1] else old, client_id)
    assert heads == [[True, False]] * (len(moments) - 1) + [[False, True]]


async def test_p16_links_that_ended_since_a_backup_live_again_and_that_is_said(tmp_path: Path) -> None:
    """An old backup must not bring a link back behind its owner's back: it is said, and one word ends all of them."""
    with RunningServer(tmp_path / "data", {"ALEXA_OAUTH_BACKUP_PASSPHRASE": PASSPHRASE}) as server:
        assert server.run("backup", str(tmp_path / "file")).returncode == 0
        said = server.run("restore", str(tmp_path / "file")).stdout
        assert "Links that ended since then live again; --end-all-links ends all of them" in said
        assert "backup.restored" in server.run("audit").stdout


async def test_p18_a_second_server_on_the_same_folder_does_not_start(rig: Rig) -> None:
    with pytest.raises(StartRefused, match="another server already runs"):
        async with running(folder_of(rig), {}):
            pass
    await rig.link()


async def test_p20_old_rows_go_in_small_batches(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request waits for a long transaction that tidies up."""
    monkeypatch.setattr("alexa_oauth.storage.sweeping.BATCH", 10)
    for _ in range(25):
        await rig.browser().authorize()
    rig.clocks.advance(601)
    with statements_written(rig) as statements:
        await rig.upkeep.sweep()
    assert rows(rig)["pending_requests"] == 0
    assert statements.count("COMMIT") == 3


async def test_p21_a_machine_that_wakes_in_1970_expires_nothing_and_says_so(tmp_path: Path) -> None:
    async with running(tmp_path / "data", {}) as rig:
        links = [await rig.link(client_id) for client_id in ("C1", "alexa")]
        code = await rig.code()
        kept = rows(rig)
    async with running(tmp_path / "data", {}, clocks := FakeClocks(60)) as woken:
        health = await woken.send("GET", "/health")
        assert (health.status, health.json["checks"]["clock"]) == (503, "doubtful")
        await woken.upkeep.sweep()
        assert rows(woken) == kept
        assert (await woken.verify(links[0]["access_token"])).status == 200
        links = [await refreshed(woken, tokens, client_id) for tokens, client_id in zip(links, ("C1", "alexa"), strict=True)]
        assert (await woken.redeem(code)).status == 200
        clocks.step(NOW + DAY - 60)
        assert await woken.server.clock.settle(woken.store, NOW + DAY)
        assert (await woken.send("GET", "/health")).status == 200
        for tokens, client_id in zip(links, ("C1", "alexa"), strict=True):
            await refreshed(woken, tokens, client_id)


async def test_p21_a_machine_that_wakes_ten_years_later_expires_nothing_before_that_is_certain(tmp_path: Path) -> None:
    """No answer says that anything is over: Alexa would drop the link for good."""
    async with running(tmp_path / "data", {}) as rig:
        tokens, code = await rig.link("alexa"), await rig.code()
        kept = rows(rig)
    async with running(tmp_path / "data", {}, clocks := FakeClocks(NOW + 3_650 * DAY)) as woken:
        await woken.upkeep.sweep()
        assert rows(woken) == kept
        assert (await woken.refresh(tokens["refresh_token"], "alexa")).refusal == UNAVAILABLE
        assert (await woken.redeem(code)).refusal == UNAVAILABLE
        assert (await woken.verify(tokens["access_token"])).status == 503
        clocks.step(60 - 3_650 * DAY)
        assert await woken.server.clock.settle(woken.store, NOW + 60)
        assert (await woken.verify(tokens["access_token"])).status == 200
        assert (await woken.redeem(code)).status == 200
        await refreshed(woken, tokens, "alexa")


def test_p04_p05_p22_a_real_server_keeps_its_key_to_itself_and_ends_without_it(tmp_path: Path) -> None:
    """Status 78 says that no restart cures it: a key is never made silently beside a database, and nothing is written."""
    data = tmp_path / "data"
    with RunningServer(data) as server:
        key = (data / "encryption.key").read_text()
        process = Path(f"/proc/{server.process.pid}")
        assert key not in (process / "environ").read_text() + (process / "cmdline").read_text() + server.printed
        server.stop()
        before = contents_of(data)
        server.environment["OAUTH_ENCRYPTION_KEY"] = WRONG_KEY
        with pytest.raises(
            ServerFailed, match=r"status 78[^$]*wrong encryption key: the database wants key \w{8}, this is key \w{8}"
        ):
            server.start()
        assert contents_of(data) == before
        assert WRONG_KEY not in server.printed
        del server.environment["OAUTH_ENCRYPTION_KEY"]
        (data / "encryption.key").unlink()
        with pytest.raises(ServerFailed, match=r"status 78[^$]*encryption.key is missing"):
            server.start()
        assert contents_of(data) == {name: content for name, content in before.items() if name != "encryption.key"}
        (data / "encryption.key").write_text(key)
        server.start()
