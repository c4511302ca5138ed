"""The unit tests once more, on the Python and the packages of the image: a version that no developer's machine may have."""

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import pytest

from tests.container.addon import ULIMITS
from tests.container.conftest import Note
from tests.container.engine import HERE, ROOT, Engine, run

pytestmark = pytest.mark.container

ROOMS: Final = sorted(path.stem for path in (ROOT / "src" / "alexa_oauth").iterdir())
UNIT_TESTS: Final = [name for room in ROOMS for name in (room, f"test_{room}.py") if (ROOT / "tests" / name).exists()]
"""Those of each room by itself. The others tell stories through the same code, and have been told on this machine's Python."""
TEST_SECONDS: Final = 480
TESTED: Final = "localhost/alexa-oauth-tested"


def test_the_unit_tests_pass_on_the_images_own_python(engine: Engine, note: Note) -> None:
    context = engine.folder / "tested"
    context.mkdir()
    shutil.copy(ROOT / "requirements-dev.lock", context)
    engine.build("--file", str(HERE / "unit_tests.Containerfile"), tag=TESTED, context=context)
    begun = time.monotonic()
    with ThreadPoolExecutor() as at_once:
        halves = list(at_once.map(partial(run_in_the_image, engine), (UNIT_TESTS[::2], UNIT_TESTS[1::2])))
    passed = 0
    for ended in halves:
        assert ended.returncode == 0, ended.stdout + ended.stderr
        passed += int(re.findall(r"([0-9]+) passed", ended.stdout)[-1])
    note("unit tests on the image's Python", f"{passed} passed in {time.monotonic() - begun:.0f} s")


def run_in_the_image(engine: Engine, names: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """These tests in a container of their own, with nothing of this machine's but the checkout."""
    pytest_there = engine.podman_command(
        *("run", "--rm", "--network", "none", "--user", "896:896", *ULIMITS),
        *("--volume", f"{ROOT}:/checkout:ro", "--workdir", "/checkout", "--tmpfs", "/tmp"),  # noqa: S108 - the container's
        # Programs that the tests start find what was compiled already, though the checkout takes no file.
        *("--env", "HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis", "--env", "PYTHONPYCACHEPREFIX=/tmp/compiled"),
        *("--entrypoint", "/opt/alexa-oauth/.venv/bin/python", TESTED, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-m", "not proxy"),
        *(f"tests/{name}" for name in names),
    )
    return run(*pytest_there, seconds=TEST_SECONDS, check=False)
