"""The add-on in a container, as Home Assistant's Supervisor runs it: its options, its token, its network, its limits."""

import http.client
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from tests.container.engine import IMAGE, ROOT, CommandFailed, Engine, as_root, run
from tests.running_server import POLL_SECONDS, free_ports

SUPERVISOR_TOKEN: Final = "5a" * 56
LIMITS: Final = ("--memory", "256m", "--cpus", "0.5", "--pids-limit", "64", "--no-healthcheck")
TWO_PROCESSORS: Final = ("--cpus", "2")
"""For tests that ask for much and measure nothing of a small machine; what comes later counts."""
ULIMITS: Final = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096")
"""Engines raise these by default, which a machine without that right refuses."""

CAPABILITIES: Final = tuple(re.findall(r"^ +capability ([a-z_]+),$", (ROOT / "apparmor.txt").read_text("utf-8"), re.MULTILINE))
"""What the profile leaves of root's rights. Without AppArmor the engine takes the rest away."""

STARTS_WITHIN_SECONDS: Final = 20


class AddOn:
    """One container at a time, on one data folder, at the same two free ports of this machine.

    `with AddOn(engine) as add_on:` starts it, and takes container and folder away at the end.
    """

    def __init__(self, engine: Engine, options: Mapping[str, object] | str = "{}", run_options: Sequence[str] = ()) -> None:
        self.engine = engine
        self.port, self.admin_port = free_ports()
        self.data = engine.folder / f"data-{self.port}"
        self.options = options if isinstance(options, str) else json.dumps(options)
        self.environment = {
            "SUPERVISOR_TOKEN": SUPERVISOR_TOKEN,
            "TZ": "Europe/Berlin",
            "ALEXA_OAUTH_PORT": str(self.port),
            "ALEXA_OAUTH_ADMIN_PORT": str(self.admin_port),
        }
        self.run_options = run_options
        self.network = "host"
        self.volume = f"type=bind,source={self.data},destination=/data"
        self.container = ""
        as_root("mkdir", self.data)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()
        as_root("rm", "-rf", self.data)

    @property
    def url(self) -> str:
        """The origin of the public endpoints."""
        return f"http://127.0.0.1:{self.port}"

    def create(self) -> None:
        """Run a new container; the options are written down before, as root's."""
        self.write("options.json", self.options)
        variables = [word for name, value in self.environment.items() for word in ("--env", f"{name}={value}")]
        rights = [word for name in CAPABILITIES for word in ("--cap-add", name)]
        self.container = self.engine.podman(
            *("run", "--detach", "--network", self.network, "--mount", self.volume, *LIMITS, *ULIMITS),
            *("--cap-drop", "all", *rights, *variables, *self.run_options, IMAGE),
        ).strip()

    def start(self) -> float:
        """Run a new container, and wait until `/health` is 200; the seconds that this took."""
        begun = time.monotonic()
        self.create()
        self.wait_until_healthy()
        return time.monotonic() - begun

    def stop(self) -> tuple[int, float]:
        """End it as the Supervisor does; the exit status and the seconds that this took."""
        begun = time.monotonic()
        self.engine.podman("stop", "--time", "10", self.container)
        seconds = time.monotonic() - begun
        return int(self.inspect("{{.State.ExitCode}}")), seconds

    def remove(self) -> None:
        """Take the container away, as an update does; the data stay."""
        if self.container:
            self.engine.podman("rm", "--force", "--time", "0", self.container)
            self.container = ""

    def wait_until_healthy(self, seconds: float = STARTS_WITHIN_SECONDS) -> None:
        """Return when `/health` is 200."""
        self.wait_until(lambda: health_status(self.port) == http.client.OK, seconds)

    def wait_until_it_ends(self, seconds: float) -> int:
        """The exit status, once the container has ended by itself."""
        self.wait_until(lambda: self.inspect("{{.State.Status}}") == "exited", seconds)
        return int(self.inspect("{{.State.ExitCode}}"))

    def inspect(self, template: str) -> str:
        """What the engine knows of the container."""
        return self.engine.podman("inspect", self.container, "--format", template).strip()

    def log(self) -> str:
        """What the container printed on both streams."""
        logged = run(*self.engine.podman_command("logs", self.container))
        return logged.stdout + logged.stderr

    def execute(self, *command: str, check: bool = True) -> str:
        """What a command printed that was run inside as root, as the Supervisor and `docker exec` do."""
        ended = run(*self.engine.podman_command("exec", self.container, *command), check=check)
        return ended.stdout if check else ended.stdout + ended.stderr

    def server_pid(self) -> int:
        """The server's process, as the container numbers it."""
        return int(self.execute("s6-svstat", "-o", "pid", "/run/service/alexa-oauth"))

    def kill_server(self) -> None:
        """End the server as a crash does; what supervises it lives on."""
        self.execute("sh", "-c", f"kill -9 {self.server_pid()}")

    def read(self, name: str) -> str:
        """A file of the data folder."""
        return as_root("cat", self.data / name)

    def write(self, name: str, text: str) -> None:
        """A file of the data folder, as the Supervisor would lay it there: root's alone."""
        local = self.engine.folder / "written"
        local.write_text(text, "utf-8")
        as_root("install", "--mode", "0600", local, self.data / name)

    def files(self) -> dict[str, tuple[str, int]]:
        """Owner and mode of everything in the data folder, the folder itself included."""
        listed = as_root("find", self.data, "-printf", "%U %m %P\n").splitlines()
        rows = [line.split(" ", 2) for line in listed]
        return {name: (owner, int(mode, 8)) for owner, mode, name in rows}

    def wait_until(self, happened: Callable[[], bool], seconds: float) -> None:
        """Return when it happened; after so many seconds `CommandFailed`, with the log."""
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline:
                raise CommandFailed(f"It did not happen within {seconds} s. The container printed:\n{self.log()}")
            time.sleep(POLL_SECONDS * 5)


def health_status(port: int) -> int | None:
    """The status of `/health`, if anything answers there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def copy_tree(source: Path, target: Path) -> None:
    """A whole folder with its owners, as an archive keeps them."""
    as_root("cp", "--archive", source, target)
