"""`key rotate` and `key show-id`, where the master key is a file and where it comes from a setting."""

import base64
import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Home, Run

SETTING = base64.urlsafe_b64encode(b"m" * 32).decode()


def test_the_master_key_changes_at_once_and_links_stay(run: Run, home: Home) -> None:
    home.add_links("a" * 16)
    before, shown = json.loads(run("key", "show-id", "--json").out), json.loads(run("links", "--json").out)
    ran = run("key", "rotate")
    assert (ran.status, ran.err) == (0, "")
    assert "every token stays good" in ran.out
    after = json.loads(run("key", "show-id", "--json").out)
    assert before["master"] != after["master"]
    assert before["data_keys"] == after["data_keys"]
    assert after["master_from"] == str(home.folder / "encryption.key")
    assert json.loads(run("links", "--json").out) == shown


def test_new_data_keys_say_how_many_links_need_the_old_ones(run: Run, home: Home) -> None:
    home.add_links("a" * 16, "b" * 16)
    ran = run("key", "rotate", "--data")
    assert (ran.status, ran.err) == (0, "")
    assert "2 links need the old one still." in ran.out
    keys = json.loads(run("key", "show-id", "--json").out)["data_keys"]
    assert [(key["state"], key["links"]) for key in keys] == [("current", 0), ("former", 2)]
    assert "read only, until no link needs it" in run("key", "show-id").out


def test_the_audit_trail_has_every_rotation_and_who_did_it(run: Run, home: Home) -> None:
    assert home.folder.is_dir()
    run("key", "rotate")
    run("key", "rotate", "--data")
    told = [event["detail"] for event in json.loads(run("audit", "--event", "key.rotated", "--json").out)]
    assert told == [{"kind": "master", "by": "local"}, {"kind": "data", "by": "local"}]


def test_no_key_is_shown(run: Run, home: Home) -> None:
    key = (home.folder / "encryption.key").read_text()
    said = "".join(ran.out + ran.err for ran in (run("key", "show-id"), run("key", "rotate"), run("key", "show-id", "--json")))
    assert key not in said
    assert (home.folder / "encryption.key").read_text() not in said


class TestKeyFromASetting:
    @pytest.fixture(autouse=True)
    def setting(self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        """The key that the folder has is given by the settings from now on."""
        assert run("links").status == 0
        key = home.folder / "encryption.key"
        monkeypatch.setenv("OAUTH_ENCRYPTION_KEY", key.read_text())
        key.unlink()

    def test_it_is_not_changed_behind_the_settings_back(self, run: Run) -> None:
        ran = run("key", "rotate")
        assert (ran.status, ran.out) == (1, "")
        assert "only you can change it there" in ran.err
        assert "--to-file FILE" in ran.err
        assert run("links").status == 0

    def test_a_new_one_goes_to_a_file_that_the_settings_then_name(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran = run("key", "rotate", "--to-file", str(tmp_path / "master"))
        assert (ran.status, ran.err) == (0, "")
        assert str(tmp_path / "master") in ran.out
        assert stat.S_IMODE((tmp_path / "master").stat().st_mode) == 0o600
        assert "wrong encryption key" in run("links").err
        monkeypatch.delenv("OAUTH_ENCRYPTION_KEY")
        monkeypatch.setenv("ALEXA_OAUTH_ENCRYPTION_KEY_FILE", str(tmp_path / "master"))
        assert run("links").status == 0

    @pytest.mark.parametrize("kind", ["file", "dangling link"])
    def test_nothing_is_overwritten(self, run: Run, tmp_path: Path, kind: str) -> None:
        file = tmp_path / "there"
        if kind == "file":
            file.write_text("kept")
        else:
            file.symlink_to(tmp_path / "elsewhere")
        ran = run("key", "rotate", "--to-file", str(file))
        assert (ran.status, ran.out) == (1, "")
        assert "is there already" in ran.err
        assert not (tmp_path / "elsewhere").exists()
        assert run("links").status == 0

    def test_a_file_that_cannot_be_written_changes_nothing(self, run: Run, tmp_path: Path) -> None:
        ran = run("key", "rotate", "--to-file", str(tmp_path / "missing" / "master"))
        assert (ran.status, ran.out) == (1, "")
        assert "cannot be written (No such file or directory)" in ran.err
        assert run("links").status == 0


def test_a_file_is_refused_where_the_folder_keeps_the_key(run: Run, home: Home, tmp_path: Path) -> None:
    assert home.folder.is_dir()
    ran = run("key", "rotate", "--to-file", str(tmp_path / "master"))
    assert (ran.status, ran.out) == (1, "")
    assert "which `key rotate` replaces" in ran.err
    assert not (tmp_path / "master").exists()
