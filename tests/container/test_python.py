"""The unit tests once more, on the Python and the packages of the image: a version that no developer's machine may have."""

import re
import shutil
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
    pytest_in_the_image = engine.podman_command(
        *("run", "--rm", "--network", "none", "--user", "896:896", *ULIMITS),
        *("--volume", f"{ROOT}:/checkout:ro", "--workdir", "/checkout", "--tmpfs", "/tmp"),  # noqa: S108 - the container's
        *("--env", "HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis", "--env", "PYTHONDONTWRITEBYTECODE=1"),
        *("--entrypoint", "/opt/alexa-oauth/.venv/bin/python", TESTED, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-m", "not proxy"),
        *(f"tests/{name}" for name in UNIT_TESTS),
    )
    ended = run(*pytest_in_the_image, seconds=TEST_SECONDS, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = re.search(r"([0-9]+) passed.* in ([0-9.]+)s", ended.stdout)
    assert passed is not None
    note("unit tests on the image's Python", f"{passed[1]} passed in {float(passed[2]):.0f} s")
