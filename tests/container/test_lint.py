"""What other people's linters say of the add-on's files."""

import sys
from pathlib import Path
from typing import Final

import pytest

from tests.addon.files import ROOT, tracked
from tests.container.engine import run

pytestmark = pytest.mark.container

PROGRAMS: Final = Path(sys.executable).parent
SCRIPTS: Final = [
    path
    for path in tracked()
    if path.is_relative_to("addon/rootfs") or path.is_relative_to("tests/container/standin")
    if (ROOT / path).read_bytes().startswith(b"#!")
]


def test_dockerfile() -> None:
    linted = run(PROGRAMS / "hadolint", "--no-color", ROOT / "Dockerfile", check=False)
    assert linted.stdout + linted.stderr == ""


def test_scripts() -> None:
    """Their first lines name interpreters that the linter has never heard of."""
    assert len(SCRIPTS) > 4
    linted = run("shellcheck", "--shell=bash", *(ROOT / path for path in SCRIPTS), check=False)
    assert linted.stdout + linted.stderr == ""


def test_yaml() -> None:
    written = [ROOT / path for path in tracked() if path.suffix in {".yaml", ".yml"}]
    assert len(written) > 8
    linted = run("yamllint", "--strict", "--config-file", ROOT / ".yamllint", *written, check=False)
    assert linted.stdout + linted.stderr == ""
