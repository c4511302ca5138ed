"""Commands work on the data folder of a server, running or not, and say in one line why they cannot."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from alexa_oauth.cli.owner import become_owner
from alexa_oauth.protocol.events import Event, EventName
from tests.cli.conftest import Home, Run
from tests.running_server import COMMAND, SOURCE


def test_no_database_yet(run: Run, tmp_path: Path) -> None:
    ran = run("links")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"alexa-oauth: there is no database in {tmp_path}/data; start the server first\n"
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("home")
def test_the_key_of_another_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTH_ENCRYPTION_KEY", "A" * 43 + "=")
    ran = run("pairing-code")
    assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "wrong encryption key" in ran.err
    assert "A" * 43 not in ran.err


def test_a_damaged_database(run: Run, home: Home) -> None:
    (home.folder / "oauth.db").write_bytes(b"no database" * 100)
    ran = run("audit")
    assert (ran.status, len(ran.err.splitlines())) == (1, 1)
    assert "is damaged and was left as it is" in ran.err


def test_a_damaged_row(run: Run, home: Home) -> None:
    home.add_links("a" * 16, "b" * 16)
    with closing(sqlite3.connect(home.folder / "oauth.db")) as database, database:
        database.execute("UPDATE grants SET payload = (SELECT payload FROM grants WHERE grant_id LIKE 'a%')")
    ran = run("links")
    assert (ran.status, ran.out, ran.err) == (1, "", "alexa-oauth: a payload in grants belongs to another row\n")


def test_a_database_that_somebody_holds(run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alexa_oauth.storage.opening._COMMAND_BUSY_SECONDS", 0)
    with closing(sqlite3.connect(home.folder / "oauth.db")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        ran = run("pairing-code")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"alexa-oauth: the database in {home.folder} cannot be used now (locked); try again\n"


def test_what_is_done_while_the_clock_is_wrong_is_marked_as_such(run: Run, home: Home) -> None:
    home.write(lambda tx: tx.events.record(Event(EventName.CODE_ISSUED)))
    home.clocks.step(-7_200)
    run("client", "new-secret")
    assert [event["doubtful"] for event in json.loads(run("audit", "--json").out)] == [False, True]


def test_somebody_elses_folder(run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("alexa_oauth.storage.folder.read_key", refuse)
    monkeypatch.setattr("os.geteuid", lambda: home.folder.stat().st_uid + 1)
    assert run("links").err.endswith("cannot be used now (permission denied); run this as its owner, or as root\n")


COMMANDS = (
    *("links", "audit", "revoke --all", "backup --copy", "key rotate", "key show-id", "pairing-code", "client show", "doctor"),
    "restore --check backups/copy.db",
)


def test_somebody_who_may_not_even_look_into_the_folder_gets_a_line_and_no_traceback(home: Home) -> None:
    """As a user of the machine who is not the server's; where the test is root, it becomes nobody first."""
    others = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    environment = {"PYTHONPATH": str(SOURCE), "ALEXA_OAUTH_DATA_DIR": str(home.folder), "PATH": os.environ["PATH"]}
    home.folder.chmod(0o700 if others else 0)
    for command in COMMANDS:
        ran = subprocess.run([*others, *COMMAND, *command.split()], env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 1, command
        assert "Traceback" not in ran.stderr, command
        assert ("ermission denied" in ran.stderr + ran.stdout) or command.startswith("restore"), command
    home.folder.chmod(0o700)


class TestRoot:
    """A file that root leaves in the folder is one that the server can never write again."""

    @pytest.fixture
    def steps(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        steps: list[str] = []
        monkeypatch.setattr("os.geteuid", lambda: 0)
        for name in ("setgroups", "setgid", "setuid"):
            monkeypatch.setattr(f"os.{name}", lambda value, name=name: steps.append(f"{name} {value}"))
        return steps

    def test_becomes_the_owner_of_the_folder_and_gives_up_its_groups_first(
        self, steps: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        owned = os.stat_result((0o40700, 1, 1, 1, 1_000, 1_001, 0, 0, 0, 0))
        monkeypatch.setattr(Path, "stat", lambda _path: owned)
        become_owner(tmp_path)
        assert steps == ["setgroups []", "setgid 1001", "setuid 1000"]

    def test_stays_root_in_its_own_folder_and_where_none_is(
        self, steps: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        become_owner(tmp_path / "missing")
        monkeypatch.setattr(Path, "stat", lambda _path: os.stat_result((0o40700, 1, 1, 1, 0, 0, 0, 0, 0, 0)))
        become_owner(tmp_path)
        assert steps == []

    @pytest.mark.usefixtures("steps")
    def test_says_so_where_the_owner_may_not_read_the_program_or_its_python(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Path, "stat", lambda _path, **_: os.stat_result((0o40700, 1, 1, 1, 1_000, 1_001, 0, 0, 0, 0)))
        monkeypatch.setattr("os.access", lambda path, _mode: path != os.__file__)
        ran = run("links")
        assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
        assert ran.err.endswith(f" and may not read {os.__file__}\n")

    def test_touches_nothing_where_it_may_not_become_the_owner(
        self, run: Run, steps: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_user: int) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.setuid", refuse)
        monkeypatch.setattr(Path, "stat", lambda _path, **_: os.stat_result((0o40700, 1, 1, 1, 1_000, 1_001, 0, 0, 0, 0)))
        ran = run("links")
        assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
        assert "cannot go on as user 1000, who owns " in ran.err
        assert steps == ["setgroups []", "setgid 1001"]
