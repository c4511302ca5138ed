"""What the Supervisor writes down for an add-on are settings like those of the environment, which come first."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

OBJECT = 'allowed: an object of settings, such as {"public_url": "https://music.example.org"}'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALEXA_OAUTH_OPTIONS_FILE", str(tmp_path / "options.json"))
    return tmp_path / "options.json"


def test_the_environment_beats_the_options(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(json.dumps({"port": 1, "client_id": "from-the-options", "vendor_ids": [], "public_url": None}))
    monkeypatch.setenv("ALEXA_OAUTH_PORT", "2")
    assert "nothing answers at http://127.0.0.1:2/health" in run("health").err
    assert "from-the-options" in run("client", "list").out


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{\n"port": 8096,,\n}', f"is not JSON (line 2); {OBJECT}"),
        ("", f"is not JSON (line 1); {OBJECT}"),
        ('["port"]', f"holds no object; {OBJECT}"),
        (b'{"port": "\xff"}', f"is not UTF-8 text; {OBJECT}"),
        (None, "cannot be read (No such file or directory); allowed: a readable file"),
    ],
)
def test_a_file_without_options_is_one_clear_line_and_ends_a_server_for_good(
    run: Run, file: Path, content: str | bytes | None, fault: str
) -> None:
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    for command, status in (("serve", 78), ("links", 1)):
        ran = run(command)
        assert (ran.status, ran.out, ran.err) == (status, "", f"alexa-oauth: ALEXA_OAUTH_OPTIONS_FILE: {file} {fault}\n")


def test_wrong_options_are_told_all_at_once_without_secrets(run: Run, file: Path) -> None:
    file.write_text(json.dumps({"code_seconds": 5, "client_secret": "too-short", "log_level": "loud", "prot": 1}))
    lines = run("serve").err.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["client_secret", "code_seconds", "log_level"]
    assert not any("too-short" in line for line in lines)
