"""Builders and containers, in a store of their own that goes away with the tests, and with nothing of the machine's own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
AS_ROOT: Final = () if os.geteuid() == 0 else ("sudo", "-n")

BASE: Final = "localhost/base"
IMAGE: Final = "localhost/alexa-oauth"
VERSION: Final = "9.8.7"
"""What a release would call itself; here only the labels show it."""

PACKAGES: Final = ("ca-certificates", "s6", "execline", "bash", "jq", "curl", "tzdata", "xz-utils", "strace")
"""What Home Assistant's base has, in so far as Debian has it, and strace, to see what is opened."""
LEFT_OUT: Final = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")

DEADLINE_SECONDS: Final = 30
BUILD_SECONDS: Final = 240

_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
_STORE: Final = ("--storage-driver", "overlay")
_RUN: Final = ("--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", "runc")


class CommandFailed(Exception):
    """A program failed; the message holds what it printed."""


def run(*command: str | Path, seconds: float = DEADLINE_SECONDS, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; unless `check` is off, a failure is `CommandFailed`."""
    ended = subprocess.run(
        list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
    )
    if check and ended.returncode:
        raise CommandFailed(f"{' '.join(map(str, command))}: status {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended


def as_root(*command: str | Path, seconds: float = DEADLINE_SECONDS) -> str:
    """What the program printed that was run as root."""
    return run(*AS_ROOT, *command, seconds=seconds).stdout


class Engine:
    """buildah and podman on one store. `with Engine() as engine:` takes everything away again at the end."""

    def __init__(self) -> None:
        # An overlay needs a file system that a container's own root is not.
        self.folder = Path(tempfile.mkdtemp(prefix="alexa-oauth-containers-", dir="/var/tmp"))
        self._where = ("--root", str(self.folder / "store"), "--runroot", str(self.folder / "run"), *_STORE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for container in self.podman("ps", "--all", "--quiet").split():
            with contextlib.suppress(CommandFailed):
                self.podman("rm", "--force", "--time", "0", container)
        run(*AS_ROOT, "buildah", *self._where, "rm", "--all", check=False)
        run(*AS_ROOT, "buildah", *self._where, "rmi", "--all", "--force", check=False, seconds=BUILD_SECONDS)
        # Where a file system is still mounted in it, taking it away by force would reach what is mounted there.
        as_root("rm", "-rf", "--one-file-system", self.folder, seconds=BUILD_SECONDS)

    def podman_command(self, *arguments: str) -> list[str]:
        """The whole command line, for what is run in other ways."""
        return [*AS_ROOT, "podman", *self._where, *_RUN, *arguments]

    def podman(self, *arguments: str, seconds: float = DEADLINE_SECONDS) -> str:
        """What podman printed."""
        return run(*self.podman_command(*arguments), seconds=seconds).stdout

    def buildah(self, *arguments: str, seconds: float = BUILD_SECONDS) -> str:
        """What buildah printed."""
        return run(*AS_ROOT, "buildah", *self._where, *arguments, seconds=seconds).stdout

    def make_base(self) -> None:
        """The base image, of Debian's own packages."""
        context = self.folder / "base"
        shutil.copytree(HERE / "standin", context / "standin")
        as_root(
            "mmdebstrap",
            *("--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
            "trixie",
            context / "base.tar",
            seconds=BUILD_SECONDS,
        )
        self.build("--file", str(HERE / "base.Containerfile"), tag=BASE, context=context)

    def make_image(self) -> None:
        """The image, by the Dockerfile as it stands in the checkout; only its base is another."""
        self.build("--from", BASE, "--build-arg", f"BUILD_VERSION={VERSION}", "--build-arg", "BUILD_ARCH=amd64", tag=IMAGE)

    def build(self, *options: str, tag: str, context: Path = ROOT) -> None:
        """Build an image. Where this machine trusts an authority of its own, so do the steps, and no layer keeps it."""
        authorities = os.environ.get("SSL_CERT_FILE", _AUTHORITIES)
        trust = ("--volume", f"{authorities}:{_AUTHORITIES}:ro")
        usual = ("--quiet", "--layers", "--format", "docker", "--isolation", "chroot", "--tag", tag)
        self.buildah("build-using-dockerfile", *usual, *trust, *options, str(context))
