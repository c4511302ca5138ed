"""`backup` and `restore`, as a person and as a script use them."""

import io
import json
import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from alexa_oauth.cli import passphrase
from alexa_oauth.storage.backups import sealed
from tests.cli.conftest import Home, Run
from tests.rig import FakeClocks
from tests.running_server import COMMAND, RunningServer, ServerFailed

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_SCRYPT", {**sealed._SCRYPT, "n": 2**8})


@pytest.fixture
def given(environment: FakeClocks, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: ARG001 - it clears the environment first
    monkeypatch.setenv("ALEXA_OAUTH_BACKUP_PASSPHRASE", PASSPHRASE)
    return PASSPHRASE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home.backup"


@pytest.mark.usefixtures("given")
class TestBackup:
    def test_it_is_a_file_for_the_owners_eyes_and_says_what_it_does_not_protect(self, run: Run, home: Home, file: Path) -> None:
        home.add_links("a" * 16)
        ran = run("backup", str(file))
        assert (ran.status, ran.err) == (0, "")
        assert "Whoever has it and its passphrase can use every link in it" in ran.out
        assert "Without the passphrase nobody can open it, you included." in ran.out
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (home.folder / "encryption.key").read_bytes() not in file.read_bytes()
        told = json.loads(run("audit", "--event", "backup.made", "--json").out)
        assert [event["detail"] for event in told] == [{"kind": "sealed", "by": "local"}]

    @pytest.mark.usefixtures("home")
    @pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link"])
    def test_nothing_is_overwritten_and_no_link_followed(self, run: Run, file: Path, kind: str) -> None:
        target = file.with_name("target")
        if kind == "file":
            file.write_text("kept")
        elif kind == "folder":
            file.mkdir()
        else:
            file.symlink_to(target)
            if kind == "link":
                target.write_text("kept")
        ran = run("backup", str(file))
        assert (ran.status, ran.out) == (1, "")
        assert "is not overwritten" in ran.err
        assert not target.exists() or target.read_text() == "kept"

    @pytest.mark.usefixtures("home")
    def test_a_file_that_appears_while_the_passphrase_is_asked_for_is_kept(
        self, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alexa_oauth.cli.backup._refuse_to_overwrite", lambda _: file.write_text("kept"))
        ran = run("backup", str(file))
        assert (ran.status, ran.out) == (1, "")
        assert "cannot be written (File exists)" in ran.err
        assert file.read_text() == "kept"

    @pytest.mark.usefixtures("home")
    def test_a_place_that_cannot_be_written_is_named(self, run: Run, tmp_path: Path) -> None:
        ran = run("backup", str(tmp_path / "missing" / "file"))
        assert (ran.status, ran.out) == (1, "")
        assert "cannot be written (No such file or directory)" in ran.err

    def test_what_fails_half_way_leaves_no_file(self, run: Run, home: Home, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("alexa_oauth.cli.backup.shown", full)
        ran = run("backup", str(file))
        assert (ran.status, ran.out) == (1, "")
        assert "cannot be written (No space left on device); no backup was made" in ran.err
        assert not file.exists()
        assert [*home.folder.glob("backups/*")] == []

    def test_secrets_that_are_kept_elsewhere_are_named(
        self, run: Run, home: Home, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert home.folder.is_dir()
        monkeypatch.setenv("ALEXA_OAUTH_METRICS_TOKEN", "metrics-token-1234567")
        ran = run("backup", str(file))
        assert "but not these secrets from your settings: metrics_token" in ran.out


class TestPassphrase:
    @pytest.mark.usefixtures("home")
    @pytest.mark.parametrize(
        ("weak", "said"),
        [("bad word", "12 characters at least"), ("a" * 20, "repeats itself"), ("1" * 9 + "23456", "only digits")],
    )
    def test_a_weak_one_is_refused_with_a_sentence(
        self, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, weak: str, said: str
    ) -> None:
        monkeypatch.setenv("ALEXA_OAUTH_BACKUP_PASSPHRASE", weak)
        ran = run("backup", str(file))
        assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
        assert said in ran.err
        assert weak not in ran.err
        assert not file.exists()

    @pytest.mark.usefixtures("home")
    def test_it_may_come_from_a_file(self, run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "word").write_text(f"{PASSPHRASE}\n")
        monkeypatch.setenv("ALEXA_OAUTH_BACKUP_PASSPHRASE_FILE", str(tmp_path / "word"))
        assert run("backup", str(file)).status == 0
        monkeypatch.delenv("ALEXA_OAUTH_BACKUP_PASSPHRASE_FILE")
        monkeypatch.setenv("ALEXA_OAUTH_BACKUP_PASSPHRASE", PASSPHRASE)
        assert run("restore", "--check", str(file)).status == 0

    @pytest.mark.usefixtures("home", "given")
    def test_two_sources_or_one_that_cannot_be_read_are_named(
        self, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALEXA_OAUTH_BACKUP_PASSPHRASE_FILE", "/nonexistent")
        assert "given twice" in run("backup", str(file)).err
        monkeypatch.delenv("ALEXA_OAUTH_BACKUP_PASSPHRASE")
        assert "cannot be read (No such file or directory)" in run("backup", str(file)).err

    @pytest.mark.usefixtures("home")
    def test_without_a_terminal_it_is_said_where_to_put_it(self, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        ran = run("backup", str(file))
        assert (ran.status, ran.out) == (1, "")
        assert "set ALEXA_OAUTH_BACKUP_PASSPHRASE or ALEXA_OAUTH_BACKUP_PASSPHRASE_FILE, or run this on a terminal" in ran.err

    def test_on_a_terminal_it_is_asked_for_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        questions: list[str] = []

        def ask(question: str) -> str:
            questions.append(question)
            return PASSPHRASE if len(questions) != 4 else "something else entirely"

        monkeypatch.setattr("sys.stdin", _Terminal())
        monkeypatch.setattr(passphrase, "getpass", ask)
        assert passphrase.new_passphrase() == PASSPHRASE
        assert len(questions) == 2
        with pytest.raises(Exception, match="the two passphrases differ"):
            passphrase.new_passphrase()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("given")
class TestRestore:
    def test_a_check_says_what_it_would_mean_and_changes_nothing(self, run: Run, home: Home, file: Path) -> None:
        home.add_links("a" * 16)
        run("backup", str(file))
        before = _files(home.folder)
        ran = run("restore", "--check", str(file))
        assert (ran.status, ran.err) == (0, "")
        for sentence in (
            "The backup is whole, and its keys open every link.",
            "must be made again.",
            "fail until their next refresh",
            "Links that ended since then live again; --end-all-links ends all of them",
        ):
            assert sentence in ran.out
        assert json.loads(run("restore", "--check", "--json", str(file)).out)["links"] == 1
        assert _files(home.folder) == before

    def test_without_a_server_the_next_start_takes_it_and_says_how_to_go_back(self, run: Run, home: Home, file: Path) -> None:
        home.add_links("a" * 16)
        run("backup", str(file))
        run("revoke", "--all", "--yes")
        home.add_links("b" * 16)
        ran = run("restore", str(file))
        assert (ran.status, ran.err) == (0, "")
        assert "the next start of the server takes it" in ran.out
        (former,) = {line.split()[-1] for line in ran.out.splitlines() if "alexa-oauth restore " in line}
        assert _links(run) == {"b" * 16}
        home.write(lambda tx: tx.now)
        assert _links(run) == {"a" * 16}
        run("restore", former)
        home.write(lambda tx: tx.now)
        assert _links(run) == {"b" * 16}

    def test_a_program_gets_one_json_text(self, run: Run, home: Home, file: Path) -> None:
        home.add_links("a" * 16)
        run("backup", str(file))
        told = json.loads(run("restore", "--json", str(file)).out)
        assert (told["links"], told["sealed"], told["taken"]) == (1, True, False)
        assert Path(told["former_state"]).parent == home.folder / "backups"
        assert json.loads(run("restore", "--check", "--json", str(file)).out)["former_state"] is None

    def test_all_links_can_end_with_it(self, run: Run, home: Home, file: Path) -> None:
        home.add_links("a" * 16)
        run("backup", str(file))
        assert "All links end" in run("restore", "--end-all-links", str(file)).out
        home.write(lambda tx: tx.now)
        assert _links(run) == set()

    def test_the_master_key_is_not_changed_while_a_backup_waits(self, run: Run, home: Home, file: Path) -> None:
        assert home.folder.is_dir()
        run("backup", str(file))
        run("restore", str(file))
        ran = run("key", "rotate")
        assert (ran.status, ran.out) == (1, "")
        assert "a backup waits to be restored" in ran.err

    def test_settings_that_were_other_ones_are_listed(
        self, run: Run, home: Home, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert home.folder.is_dir()
        monkeypatch.setenv("ALEXA_OAUTH_PUBLIC_URL", "https://music.example.org")
        run("backup", str(file))
        assert "other ones then" not in run("restore", "--check", str(file)).out
        monkeypatch.delenv("ALEXA_OAUTH_PUBLIC_URL")
        assert "public_url  https://music.example.org" in run("restore", "--check", str(file)).out

    @pytest.mark.parametrize("present", [None, "{}\n"])
    def test_the_clients_file_comes_back_and_replaces_none(self, run: Run, home: Home, file: Path, present: str | None) -> None:
        clients = home.folder / "oauth_clients.json"
        then = '{"x": {"client_type": "public", "redirect_uris": ["https://x.test/cb"]}}'
        clients.write_text(then)
        run("backup", str(file))
        if present is None:
            clients.unlink()
        else:
            clients.write_text(present)
        ran = run("restore", str(file))
        assert ran.status == 0
        if present is None:
            assert clients.read_text() == then
        else:
            assert clients.read_text() == present
            assert clients.with_name("oauth_clients.json.restored").read_text() == then
            assert "beside the present one, which stays" in ran.out

    def test_a_lost_key_comes_back_alone_and_no_link_is_lost(self, run: Run, home: Home, file: Path) -> None:
        run("backup", str(file))
        home.add_links("c" * 16)
        (home.folder / "encryption.key").unlink()
        assert "encryption.key is missing" in run("links").err
        ran = run("restore", "--key-only", str(file))
        assert (ran.status, ran.err) == (0, "")
        assert _links(run) == {"c" * 16}
        assert "is not overwritten" in run("restore", "--key-only", str(file)).err

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "no backup of this server"),
            (b"alexa-oauth backup 7\n", "newer version"),
            (b"x" * 99, "no backup of this server"),
        ],
    )
    def test_what_is_not_ours_is_refused(self, run: Run, home: Home, file: Path, content: bytes, said: str) -> None:
        assert home.folder.is_dir()
        file.write_bytes(content)
        ran = run("restore", str(file))
        assert (ran.status, ran.out) == (1, "")
        assert said in ran.err
        assert ran.err.splitlines()[-1].startswith("alexa-oauth: ")
        assert ran.err.endswith("; nothing was restored\n")
        assert ran.err.count("alexa-oauth: ") == 1
        assert "cannot be read (No such file or directory)" in run("restore", str(file) + "x").err

    def test_a_wrong_passphrase_says_no_more_than_a_damaged_file(
        self, run: Run, home: Home, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert home.folder.is_dir()
        run("backup", str(file))
        monkeypatch.setenv("ALEXA_OAUTH_BACKUP_PASSPHRASE", "another passphrase")
        wrong = run("restore", str(file))
        monkeypatch.setenv("ALEXA_OAUTH_BACKUP_PASSPHRASE", PASSPHRASE)
        octets = file.read_bytes()
        file.write_bytes(octets[:60] + bytes([octets[60] ^ 1]) + octets[61:])
        assert run("restore", str(file)) == wrong
        assert "another passphrase" not in wrong.out + wrong.err


def test_a_running_server_takes_it_by_itself(tmp_path: Path) -> None:
    """The whole way through real processes: a backup of one machine is taken by a server on another."""
    environment = {"ALEXA_OAUTH_BACKUP_PASSPHRASE": PASSPHRASE}
    with RunningServer(tmp_path / "old", environment) as old, RunningServer(tmp_path / "new", environment) as new:
        made = old.run("backup", str(tmp_path / "moved"))
        assert made.returncode == 0, made.stderr
        secret = old.run("client", "show").stdout
        process = new.process.pid
        taken = new.run("restore", str(tmp_path / "moved"))
        assert (taken.returncode, taken.stderr) == (0, ""), taken.stdout
        assert "Restored. The former state is " in taken.stdout
        assert new.run("client", "show").stdout == secret
        assert new.run("health").returncode == 0
        assert new.process.pid == process
        assert PASSPHRASE not in new.printed


def test_a_damaged_database_is_cured_by_the_very_command_that_the_start_names(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data") as server:
        secret = server.run("client", "show").stdout
        assert server.run("backup", "--copy").returncode == 0
        server.stop()
        database = tmp_path / "data" / "oauth.db"
        damaged = b"\xa5" * 4_096 + database.read_bytes()[4_096:]
        database.write_bytes(damaged)
        with pytest.raises(ServerFailed, match="status 78") as failed:
            server.start()
        (command,) = re.findall(r"restore the newest good backup with: alexa-oauth (.+)", str(failed.value))
        assert database.read_bytes() == damaged
        cured = server.run(*command.split())
        assert (cured.returncode, cured.stderr) == (0, "")
        server.start()
        assert server.run("client", "show").stdout == secret
        (kept,) = (tmp_path / "data" / "backups").glob("before-*.db")
        assert kept.read_bytes() == damaged


def test_a_backup_goes_through_pipes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """As root does it who may not write where the server's user may, or the other way round."""
    environment = {"ALEXA_OAUTH_BACKUP_PASSPHRASE": PASSPHRASE}
    with RunningServer(tmp_path / "data", environment) as server:
        command = [*COMMAND, "backup", "-"]
        made = subprocess.run(command, env=server.environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        assert made.stdout.startswith(sealed.FIRST_LINE)
        assert b"what was sent to the standard output" in made.stderr
        command = [*COMMAND, "restore", "--check", "-"]
        looked = subprocess.run(command, env=server.environment, input=made.stdout, capture_output=True, check=True)
        assert b"The backup is whole" in looked.stdout
        assert [*(tmp_path / "data" / "restore").glob("*")] == []


def test_on_a_terminal_progress_is_shown_on_standard_error_and_nothing_of_it_elsewhere(tmp_path: Path) -> None:
    environment = {"ALEXA_OAUTH_BACKUP_PASSPHRASE": PASSPHRASE}
    with RunningServer(tmp_path / "data", environment) as server:
        terminal, end = pty.openpty()
        read, write = os.pipe()
        child = os.posix_spawn(
            sys.executable,
            [*COMMAND, "backup", str(tmp_path / "file")],
            server.environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_DUP2, end, 2)],
        )
        os.close(write)
        os.close(end)
        out = b"".join(iter(lambda: os.read(read, 4_096), b""))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert b"Sealing \xe2\x80\xa6 done" in os.read(terminal, 65_536)
        assert b"Sealing" not in out
        os.close(read)
        os.close(terminal)


def _links(run: Run) -> set[str]:
    return {link["id"] for link in json.loads(run("links", "--json").out)}


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name != "server.lock"}
