"""The AppArmor profile as the Supervisor reads it, and what it must never permit."""

import re
from typing import Final

from tests.addon.files import CONFIGURATION, read_text

PROFILE: Final = read_text("apparmor.txt")
SUPERVISION, _, SERVER = PROFILE.partition("  profile server ")
RULES: Final = re.compile(r"^ +(?!#)(.+),$", re.MULTILINE)


def test_there_is_one_profile_and_its_child_is_indented() -> None:
    """The Supervisor replaces the name after the one `profile` at the beginning of a line."""
    assert re.findall(r"^profile (\S+)", PROFILE, re.MULTILINE) == [CONFIGURATION["slug"]]
    assert re.findall(r"^ +profile (\S+)", PROFILE, re.MULTILINE) == ["server"]


def test_the_server_has_no_capability_and_executes_nothing() -> None:
    rules = RULES.findall(SERVER)
    assert len(rules) > 10
    assert not [rule for rule in rules if rule.startswith("capability")]
    assert not [rule for rule in rules if "/" in rule and "x" in rule.rsplit(" ", 1)[1]]


def test_the_server_writes_its_own_files_and_nothing_else() -> None:
    written = [rule for rule in RULES.findall(SERVER) if "/" in rule and set("wal") & set(rule.rsplit(" ", 1)[1])]
    assert written == ["/dev/{console,tty,pts/*} rw", "owner /data/** rwk"]


def test_python_is_always_the_server() -> None:
    assert "  /usr/bin/python3.13 cx -> server,\n" in SUPERVISION


def test_nothing_is_permitted_wholesale() -> None:
    rules = {rule.strip() for rule in RULES.findall(PROFILE)}
    assert not rules & {"file", "capability", "network", "mount", "umount", "ptrace", "dbus", "pivot_root", "userns"}
    assert not [rule for rule in rules if re.match(r"(mount|ptrace|change_profile|network (packet|raw))\b", rule)]
    assert not [rule for rule in rules if re.match(r"/(\*\*|\{,\*\*\}) (?!r$)", rule)]
