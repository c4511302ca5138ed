"""`config.yaml`: the rights it asks for, and what the Supervisor and the store's linter make of it."""

import re
from pathlib import Path, PurePath
from typing import Any, Final

import pytest

from alexa_oauth import __version__
from alexa_oauth.protocol.keeping import CopyKind
from alexa_oauth.settings.table import BUILT_SIGN_INS, Settings
from alexa_oauth.storage.backups.copying import copy_of
from alexa_oauth.storage.backups.daily import copies
from alexa_oauth.storage.folder import DATABASE, KEY
from tests.addon.files import CONFIGURATION, DOCS, ROOT, TRANSLATIONS, read_text, read_yaml, tracked
from tests.addon.supervisor import DEFAULTS, KEYS, rating

OURS: Final = {
    *("name", "version", "slug", "description", "arch", "init", "ports", "map", "options", "schema"),
    "auth_api",  # whether a name and a password fit, for the one way to sign in that asks for them
    *("ingress", "ingress_stream", "panel_icon", "panel_title", "panel_admin", "backup_pre", "backup_exclude"),
}
"""A right that the add-on does not have yet would be a new key, and has to be defended here."""


def test_it_asks_for_nothing_beyond_its_listeners_its_backup_and_the_certificates() -> None:
    assert set(CONFIGURATION) - {"image"} == OURS, "`image` alone is added, when a version is released"
    assert OURS <= KEYS
    assert CONFIGURATION["map"] == [{"type": "ssl"}], "read-only, unless it says otherwise"


def test_the_right_to_check_passwords_comes_with_the_way_to_sign_in_that_needs_it() -> None:
    assert CONFIGURATION["auth_api"] is True
    assert "password" in BUILT_SIGN_INS


def test_no_key_stands_at_its_default() -> None:
    at_default = [key for key, value in CONFIGURATION.items() if key in DEFAULTS and value == DEFAULTS[key]]
    assert at_default == []
    assert CONFIGURATION["panel_title"] != CONFIGURATION["name"]


def test_the_store_rates_it_with_the_most_there_is() -> None:
    assert rating(CONFIGURATION, profile=(ROOT / "apparmor.txt").is_file()) == 8
    assert "Rating 8 of 8" in DOCS


@pytest.mark.parametrize(
    ("configuration", "profile", "expected"),
    [
        ({}, False, 5),
        ({"ingress": True}, False, 7),
        ({"ingress": True, "apparmor": False}, True, 6),
        ({"auth_api": True}, True, 7),
        ({"ingress": True, "auth_api": True}, True, 8),
        ({"ingress": True, "host_network": True, "privileged": ["SYS_ADMIN"]}, True, 6),
        ({"hassio_role": "admin", "host_pid": True, "host_uts": True, "privileged": ["SYS_ADMIN"]}, False, 1),
        ({"ingress": True, "docker_api": True}, True, 1),
    ],
)
def test_the_rating_is_counted_as_the_supervisor_counts(configuration: dict[str, Any], profile: bool, expected: int) -> None:  # noqa: FBT001
    assert rating(configuration, profile=profile) == expected


def test_machines_ports_and_processes() -> None:
    assert CONFIGURATION["arch"] == ["aarch64", "amd64"]
    assert CONFIGURATION["init"] is False, "s6-overlay must be process 1"
    assert CONFIGURATION["ports"] == {f"{Settings.__dataclass_fields__['port'].default}/tcp": 8096}
    assert Settings.__dataclass_fields__["admin_port"].default == DEFAULTS["ingress_port"]
    assert re.fullmatch(r"[-_.A-Za-z0-9]+", CONFIGURATION["slug"])
    for translation in TRANSLATIONS.values():
        assert set(translation["network"]) == set(CONFIGURATION["ports"])


def is_archived(path: PurePath) -> bool:
    """Whether the Supervisor's backup has it, which compares the whole path, from its end."""
    return not any(path.match(pattern) for pattern in CONFIGURATION["backup_exclude"])


def test_the_backup_holds_the_copy_and_not_the_database_that_changes_meanwhile() -> None:
    assert CONFIGURATION["backup_pre"] == "alexa-oauth backup --copy"
    folder = PurePath("/data/apps/data/1a2b3c4d_alexa_oauth")
    assert [is_archived(folder / f"{DATABASE}{suffix}") for suffix in ("", "-wal", "-shm")] == [False] * 3
    assert is_archived(folder / KEY)


def test_the_backup_holds_one_copy_and_not_those_of_earlier_days(tmp_path: Path) -> None:
    """Ten databases more in each of Home Assistant's backups, which keep earlier days themselves."""
    copy_of(tmp_path).parent.mkdir()
    for name in (copy_of(tmp_path).name, "2026-11-25.db", "before-20261125T101112Z-0a1b.db"):
        (copy_of(tmp_path).parent / name).touch()
    found = {copy.kind: copy_of(tmp_path).with_name(copy.name) for copy in copies(tmp_path)}
    assert {kind for kind, path in found.items() if is_archived(path)} == {CopyKind.ARCHIVE}
    assert set(found) == set(CopyKind)


def test_the_version_is_the_same_everywhere() -> None:
    newest = re.search(r"^## ([0-9]+\.[0-9]+\.[0-9]+)\b", read_text("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert CONFIGURATION["version"] == __version__ == newest[1]


def test_the_checkout_is_a_store_with_this_one_add_on() -> None:
    """The Supervisor searches the whole tree, whatever the folder: a second file would be a broken add-on, or another base."""
    names = [path for path in tracked() if path.stem in {"config", "build", "repository"} and path.suffix != ".py"]
    assert [str(path) for path in names] == ["config.yaml", "repository.yaml"]
    assert read_yaml("repository.yaml")["name"] == CONFIGURATION["name"]


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_pictures_have_the_sizes_of_the_store_and_no_background(name: str, size: tuple[int, int]) -> None:
    content = (ROOT / name).read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, colour_type = int.from_bytes(content[16:20]), int.from_bytes(content[20:24]), content[25]
    assert ((width, height), colour_type) == (size, 6), "6 is colour with transparency"
