import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest

from alexa_oauth.cli import main
from alexa_oauth.cli.grammar import grammar
from tests.cli.conftest import Home, Run
from tests.running_server import COMMAND, SOURCE


def commands_of(parser: ArgumentParser, begins: str = "") -> Iterator[str]:
    """Every command that can be said."""
    groups = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    for group in groups:
        for name, command in group.choices.items():
            yield from commands_of(command, f"{begins}{name} ")
    if not groups:
        yield begins.strip()


COMMANDS = tuple(commands_of(grammar()))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_is_for_and_gives_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--help"])
    assert end.value.code == 0
    assert f"\nExample:\n  alexa-oauth {command}" in capsys.readouterr().out


def test_the_help_lists_the_commands_and_says_where_settings_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "ALEXA_OAUTH_" in shown
    assert all(f"\n    {command.split()[0]}" in shown for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "client",
        "unlink",
        "lin",
        "revoke",
        "revoke abc --all",
        "backup",
        "backup --copy x",
        "restore",
        "restore x --check --end-all-links",
        "key",
        "key rotate --data --to-file x",
        "audit --limit 0",
        "audit --limit 1e3",
        "audit --event nonsense",
    ],
)
def test_wrong_usage_is_status_2(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments.split())
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("usage: alexa-oauth")
    assert "<" not in told, "what Python calls a thing is no word of the command line's"


@pytest.mark.parametrize(("command", "status"), [("serve", 78), ("health", 1), ("links", 1), ("client show", 1)])
def test_wrong_settings_are_told_all_at_once_and_end_a_server_for_good(
    command: str, status: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALEXA_OAUTH_PORT", "eighty")
    monkeypatch.setenv("ALEXA_OAUTH_CLIENT_SECRET", "too-short")
    ran = run(*command.split())
    assert (ran.status, ran.out) == (status, "")
    port, secret = ran.err.splitlines()
    assert port.startswith('alexa-oauth: port: "eighty" is not a whole number')
    assert secret.startswith("alexa-oauth: client_secret: the value is too short")


@pytest.mark.parametrize(("command", "status"), [("serve", 78), ("client list", 1)])
def test_a_broken_clients_file_is_told_a_line_for_each_fault(command: str, status: int, run: Run, home: Home) -> None:
    (home.folder / "oauth_clients.json").write_text('{"a": 1,\n"b": 2}')
    ran = run(*command.split())
    assert (ran.status, ran.out) == (status, "")
    assert ["oauth_clients.json, line 1: " in ran.err, "oauth_clients.json, line 2: " in ran.err] == [True, True]
    assert len(ran.err.splitlines()) == 2


@pytest.mark.parametrize("arguments", [["--help"], ["health"]])
def test_what_a_container_runs_every_minute_loads_no_web_server_and_no_cryptography(arguments: list[str], tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(SOURCE), "ALEXA_OAUTH_PORT": "1", "ALEXA_OAUTH_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}
    assert "argparse" in imported
    assert imported.isdisjoint({"aiohttp", "aiosqlite", "cryptography", "jinja2", "sqlite3", "structlog", "asyncio"})


def test_a_reader_that_has_seen_enough_gets_no_traceback(home: Home) -> None:
    environment = {"PYTHONPATH": str(SOURCE), "ALEXA_OAUTH_DATA_DIR": str(home.folder)}
    command = subprocess.Popen([*COMMAND, "client", "list"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout
    command.stdout.close()
    assert command.stderr
    with command.stderr as errors:
        assert errors.read() == b""
    assert command.wait() == 1
