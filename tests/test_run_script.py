"""`run.sh` on a checkout of its own: real environments, an empty list of packages, and a package that tells how it was called."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
STAND_IN: Final = "import os, sys; print(sys.argv[1:], os.environ['ALEXA_OAUTH_DATA_DIR'])"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    checkout = tmp_path / "a check out"
    package = checkout / "src/alexa_oauth"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(STAND_IN)
    shutil.copy(ROOT / "run.sh", checkout)
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    (checkout / "requirements.lock").touch()
    return checkout


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([checkout / "run.sh", *arguments], cwd=checkout.parent, capture_output=True, text=True, check=True)


def test_it_sets_up_once_and_again_only_for_a_reason(checkout: Path) -> None:
    interrupted = checkout / ".venv/bin/left-over"
    interrupted.parent.mkdir(parents=True)
    interrupted.touch()
    first = run(checkout)
    assert first.stdout == f"['serve'] {checkout}/data\n"
    assert first.stderr.startswith("Setting up, once: installing what requirements.lock lists into .venv")
    assert not interrupted.exists()

    second = run(checkout, "links", "--json")
    assert second.stdout == f"['links', '--json'] {checkout}/data\n"
    assert second.stderr == ""

    for module in ("os.py", "alexa_oauth.py"):  # who starts it in a folder of downloads must not run what lies there
        (checkout.parent / module).write_text("raise SystemExit('imported from the working directory')")
    assert run(checkout).stdout == first.stdout

    (checkout / "requirements.lock").write_text("# other versions\n")
    assert "Setting up" in run(checkout).stderr
