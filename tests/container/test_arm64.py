"""A Raspberry Pi, as far as an emulator is one: Debian's arm64 Python and the wheels for it, from the same lock file.

Nothing of arm64 runs while it is put together, so that takes seconds; that every package has a wheel is proved on the way.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.container.addon import health_status
from tests.container.conftest import Note
from tests.container.engine import AS_ROOT, BUILD_SECONDS, ROOT, Engine, as_root, run
from tests.running_server import free_ports

pytestmark = pytest.mark.container

PACKAGES: Final = ("base-files", "base-passwd", "coreutils", "dash", "libc-bin", "python3", "ca-certificates")
GLIBC: Final = ("2_41", "2_36", "2_34", "2_31", "2_28", "2_17")
EMULATOR: Final = "qemu-aarch64-static"
PROCESSOR: Final = "cortex-a72"
"""A Pi 4's; the emulator's own choice takes seven times as long."""
STARTS_WITHIN_SECONDS: Final = 60


@pytest.fixture
def pi(engine: Engine) -> Iterator[Path]:
    """The root of a machine that is only extracted, never installed."""
    root = engine.folder / "arm64"
    chosen = ("--quiet", "--arch=arm64", "--variant=extract", f"--include={','.join(PACKAGES)}")
    as_root("mmdebstrap", *chosen, "trixie", root, seconds=BUILD_SECONDS)
    yield root
    as_root("rm", "-rf", "--one-file-system", root)


def install(root: Path, staging: Path) -> None:
    """The packages of the lock file and the server, as the Dockerfile puts them there."""
    platforms = [f"manylinux_{version}_aarch64" for version in GLIBC] + ["manylinux2014_aarch64"]
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", staging),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.13", "--abi", "cp313", "--abi", "abi3"),
        *("--abi", "none", *(word for name in platforms for word in ("--platform", name))),
        *("--require-hashes", "--requirement", ROOT / "requirements.lock"),
        seconds=BUILD_SECONDS,
    )
    shutil.copytree(ROOT / "src" / "alexa_oauth", staging / "alexa_oauth", ignore=shutil.ignore_patterns("__pycache__"))
    emulator = shutil.which(EMULATOR)
    assert emulator is not None
    as_root("cp", "--recursive", staging, root / "app")
    as_root("install", emulator, root / "usr" / "bin" / EMULATOR)


def test_it_starts_answers_and_ends_on_arm64(pi: Path, tmp_path: Path, note: Note) -> None:
    begun = time.monotonic()
    install(pi, tmp_path / "app")
    port, admin_port = free_ports()
    variables = {
        "QEMU_CPU": PROCESSOR,
        "PYTHONPATH": "/app",
        "ALEXA_OAUTH_DATA_DIR": "/data",
        "ALEXA_OAUTH_PORT": str(port),
        "ALEXA_OAUTH_ADMIN_PORT": str(admin_port),
    }
    python = (*AS_ROOT, "env", *(f"{name}={value}" for name, value in variables.items()), "chroot", str(pi))
    python += (f"/usr/bin/{EMULATOR}", "/usr/bin/python3", "-P")
    said = run(*python, "-c", "import platform; print(platform.machine(), platform.python_version())").stdout
    assert re.fullmatch(r"aarch64 3\.13\.[0-9]+\n", said)
    started = time.monotonic()
    with subprocess.Popen([*python, "-m", "alexa_oauth", "serve"], stdout=subprocess.DEVNULL) as server:
        while health_status(port) != 200:
            assert server.poll() is None
            assert time.monotonic() - started < STARTS_WITHIN_SECONDS
            time.sleep(0.1)
        healthy = time.monotonic()
        as_root("kill", str(server.pid))
        assert server.wait(STARTS_WITHIN_SECONDS) == 0
    note(
        "emulated arm64: packages, start, end",
        ", ".join(f"{seconds:.0f} s" for seconds in (started - begun, healthy - started, time.monotonic() - healthy)),
    )
