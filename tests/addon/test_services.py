"""The service tree: what the real supervisor compiles when the container starts, and what no container test here can see."""

import os
import re
from pathlib import Path
from typing import Final

import pytest

from tests.addon.files import ROOT, read_text, tracked

ROOTFS: Final = ROOT / "addon" / "rootfs"
TREE: Final = ROOTFS / "etc" / "s6-overlay" / "s6-rc.d"
SERVICES: Final = sorted(path.name for path in TREE.iterdir() if path.name != "user")
FINISH: Final = (TREE / "alexa-oauth" / "finish").read_text("utf-8")

SHEBANGS: Final = {"#!/command/with-contenv sh", "#!/command/with-contenv bash", "#!/bin/bash"}
KNOWN: Final = {
    "oneshot": {"type", "up", "dependencies.d"},
    "longrun": {"type", "run", "finish", "dependencies.d"},
}
"""`notification-fd` is left out: a service that dies before it says that it is ready holds up the start of the container for
ever, and with it every way to end it."""


def kind(service: str) -> str:
    return (TREE / service / "type").read_text("utf-8").removesuffix("\n")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_of_a_known_type_and_has_what_that_needs(service: str) -> None:
    assert names(TREE / service) <= KNOWN[kind(service)]
    assert {"type", "up" if kind(service) == "oneshot" else "run"} <= names(TREE / service)


@pytest.mark.parametrize("service", SERVICES)
def test_it_waits_for_what_is_defined_and_goes_in_no_circle(service: str) -> None:
    waited_for, reached = [service], set[str]()
    while waited_for:
        current = waited_for.pop()
        dependencies = names(TREE / current / "dependencies.d") - {"base"}
        assert dependencies <= set(SERVICES)
        reached |= dependencies
        waited_for += dependencies
    assert service not in reached


def test_all_of_them_are_switched_on_where_this_base_looks() -> None:
    assert names(TREE / "user") == {"contents.d"}
    assert names(TREE / "user" / "contents.d") == set(SERVICES)
    assert not (ROOTFS / "etc/s6-overlay/user-bundles.d").exists(), "a newer base reads only one of the two places"


def test_the_server_waits_for_its_folder_and_its_options() -> None:
    assert names(TREE / "alexa-oauth" / "dependencies.d") == {"prepare"}


@pytest.mark.parametrize("service", [service for service in SERVICES if kind(service) == "oneshot"])
def test_up_is_one_command_which_exists(service: str) -> None:
    """It is no script, but one line that s6 splits into words."""
    line = re.fullmatch(r"(/[a-z0-9/-]+)\n", (TREE / service / "up").read_text("utf-8"))
    assert line is not None
    assert os.access(ROOTFS / line[1].removeprefix("/"), os.X_OK)


def test_every_script_can_be_executed_and_begins_as_the_supervisor_expects() -> None:
    scripts = [path for path in ROOTFS.rglob("*") if path.is_file() and path.read_bytes().startswith(b"#!")]
    assert {path.name for path in scripts} == {"prepare", "run", "finish"}
    for script in scripts:
        assert os.access(script, os.X_OK), script
        assert script.read_text("utf-8").partition("\n")[0] in SHEBANGS


def test_no_line_ends_as_on_windows() -> None:
    written = [path for path in tracked() if path.is_relative_to("addon/rootfs") or path.name in {"run.sh", "Dockerfile"}]
    assert len(written) > len(SERVICES)
    assert [path for path in written if b"\r" in (ROOT / path).read_bytes()] == []


def test_whoever_gives_up_says_so_for_good() -> None:
    """A service that never came up would be started again in spite of the halt; 125 is for s6 the end of it."""
    assert re.search(r"^ +/run/s6/basedir/bin/halt\n(?: +#.*\n)* +exit 125$", FINISH, re.MULTILINE)


def test_the_launcher_is_the_one_of_every_checkout() -> None:
    assert (TREE / "alexa-oauth" / "run").read_text("utf-8").splitlines()[-1] == "exec /run.sh serve"
    assert os.access(ROOT / "run.sh", os.X_OK)
    assert "ln -s /opt/alexa-oauth/run.sh /run.sh" in read_text("Dockerfile")
