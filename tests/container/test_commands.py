"""Home Assistant and `docker exec` run commands as root: none may leave a file behind that the server cannot write."""

import asyncio
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from typing import Final

import pytest

from alexa_oauth.cli.grammar import grammar
from tests.container.addon import TWO_PROCESSORS, AddOn
from tests.container.conftest import MakeAddOn
from tests.container.skill import NOBODY_AT_HOME, OPTIONS, PASSPHRASE, Skill
from tests.durability.wire import Wire

pytestmark = pytest.mark.container

COMMANDS: Final = (
    *("health", "health --live", "alexa-config", "pairing-code", "links", "audit", "client list", "client show"),
    *("client new-secret", "admin list", "admin reset", "key show-id", "key rotate", "key rotate --data"),
    *("backup --copy", "revoke --all --yes"),
)
FINDS_FAULT: Final = ("doctor",)
"""Here nobody answers at the public address."""
REFUSED: Final = {
    "admin-link": "alexa-oauth: Home Assistant alone opens the panel: look for Alexa Link in its sidebar\n",
    "serve": "alexa-oauth: another server already runs on /data\n",
}
TRIED_BY_THEMSELVES: Final = ("backup", "restore")
SEALED: Final = "/data/before.backup"
RESTORED_SECONDS: Final = 20
LAUNCHERS: Final = ("alexa-oauth", "env PYTHONPATH=/opt/alexa-oauth/src /opt/alexa-oauth/.venv/bin/python -m alexa_oauth")
"""The launcher gives root's rights up before Python begins; without it, the command does."""


@pytest.fixture
def add_on(make_add_on: MakeAddOn) -> AddOn:
    """An add-on whose links need the click alone; without the launcher nobody tells a command where the options are."""
    add_on = make_add_on({**OPTIONS, "sign_in": "approve_only", "anyone_may_approve": True})
    add_on.run_options = (*TWO_PROCESSORS, *NOBODY_AT_HOME)
    add_on.environment["ALEXA_OAUTH_BACKUP_PASSPHRASE"] = PASSPHRASE
    add_on.environment["ALEXA_OAUTH_OPTIONS_FILE"] = "/run/alexa-oauth/options.json"
    add_on.start()
    return add_on


def every_command(parser: ArgumentParser, name: str = "") -> Iterator[str]:
    """The names of all commands, such as `client show`."""
    groups = [action.choices for action in parser._actions if isinstance(action, _SubParsersAction)]
    if not groups:
        yield name
    for group in groups:
        for word, command in group.items():
            yield from every_command(command, f"{name} {word}".strip())


def owners(add_on: AddOn) -> set[str]:
    """Whose the data are, but for the options."""
    files = add_on.files()
    assert files.pop("options.json") == ("0", 0o600)
    return {owner for owner, _ in files.values()}


def test_no_command_is_forgotten() -> None:
    tried = [f"{line} " for line in (*COMMANDS, *FINDS_FAULT, *REFUSED, *TRIED_BY_THEMSELVES)]
    assert [name for name in every_command(grammar()) if not any(line.startswith(f"{name} ") for line in tried)] == []


@pytest.mark.parametrize("launcher", LAUNCHERS, ids=["launched", "bare"])
async def test_after_every_command_that_root_runs_the_server_goes_on(add_on: AddOn, launcher: str) -> None:
    async with Wire.to(add_on.url) as wire:
        skill = Skill(add_on, wire)
        for command in (*FINDS_FAULT, *COMMANDS):
            tokens = await skill.link("")
            add_on.execute(*launcher.split(), *command.split(), check=command not in FINDS_FAULT)
            assert owners(add_on) == {"896"}, command
            if command != "revoke --all --yes":
                await skill.refresh(tokens)
        assert (await skill.try_to_refresh(tokens)).json["error"] == "invalid_grant"
        await skill.refresh(await skill.link(""))


async def test_what_root_sealed_root_brings_back(add_on: AddOn) -> None:
    async with Wire.to(add_on.url) as wire:
        skill = Skill(add_on, wire)
        known = await skill.link("")
        add_on.execute("alexa-oauth", "backup", SEALED)
        later = await skill.link("")
        add_on.execute("alexa-oauth", "restore", "--yes", SEALED)
        await asyncio.to_thread(add_on.wait_until, lambda: "backup.restored" in add_on.log(), RESTORED_SECONDS)
        await skill.refresh(known)
        assert (await skill.try_to_refresh(later)).json["error"] == "invalid_grant"
    assert owners(add_on) == {"896"}


@pytest.mark.parametrize(("command", "said"), REFUSED.items())
def test_what_has_no_place_here_says_so(add_on: AddOn, command: str, said: str) -> None:
    assert add_on.execute("alexa-oauth", command, check=False).endswith(said)
    add_on.wait_until_healthy()
