"""The real server as a process of its own, for tests that need sockets, signals and a disk."""

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

SOURCE: Final = Path(__file__).parents[1] / "src"
COMMAND: Final = (sys.executable, "-P", "-m", "alexa_oauth")
DEADLINE_SECONDS: Final = 20
POLL_SECONDS: Final = 0.01


class ServerFailed(Exception):
    """The process ended by itself, or did not answer or end in time; the message holds what it printed."""


class RunningServer:
    """One server on one data folder, on the same two free ports through all its restarts.

    `with RunningServer(tmp_path) as server:` starts it and, at the end, stops it. `environment` is laid over the bare
    settings, so `{"ALEXA_OAUTH_SIGN_IN": "approve_only"}` chooses a way to sign in. `command` is what starts are made with; one
    that wraps `COMMAND` takes something from the process. Every method blocks: in a coroutine, call it through
    `asyncio.to_thread`.
    """

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self.port, self.admin_port = free_ports()
        self.data_dir = data_dir
        self.command: tuple[str, ...] = COMMAND
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ALEXA_OAUTH_", "OAUTH_"))},
            "PYTHONPATH": str(SOURCE),
            "ALEXA_OAUTH_DATA_DIR": str(data_dir),
            "ALEXA_OAUTH_PORT": str(self.port),
            "ALEXA_OAUTH_ADMIN_PORT": str(self.admin_port),
            **(environment or {}),
        }
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self.stop()
        self._printed.close()

    @property
    def url(self) -> str:
        """The origin of the public endpoints."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        """The origin of the admin listener."""
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        if self._process is None:
            raise ServerFailed("The server is not running")
        return self._process

    @property
    def printed(self) -> str:
        """Standard output and standard error of all starts so far: where no secret may stand but those shown on purpose."""
        descriptor = self._printed.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()

    def start(self) -> None:
        """Start the process and return when `/health` answers, whatever it says."""
        self._process = subprocess.Popen(
            [*self.command, "serve"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._printed,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self._answers():
            if self._process.poll() is not None:
                status, self._process = self._process.returncode, None
                raise ServerFailed(f"The server ended with status {status}:\n{self.printed}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"The server did not answer within {DEADLINE_SECONDS} s:\n{self.printed}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> int:
        """End it as a supervisor does, with SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise ServerFailed(f"The server did not end within {DEADLINE_SECONDS} s of SIGTERM:\n{self.printed}") from error
        self._process = None
        return status

    def kill(self) -> None:
        """End it as a power cut does, with SIGKILL."""
        self.process.kill()
        self.process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line on the same data folder; its exit status is not judged."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def pairing_code(self) -> str:
        """The code that a person at the terminal would read."""
        shown = self.run("pairing-code", "--json")
        if shown.returncode != 0:
            raise ServerFailed(f"No pairing code: {shown.stderr}")
        return str(json.loads(shown.stdout)["code"])

    def _answers(self) -> bool:
        connection = self._connection()
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()
        return True

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)


def free_ports() -> tuple[int, int]:
    """Two different ports of this machine on which nothing listens.

    They lie below those that the system gives to outgoing connections: one of these would take the port of a server that is
    just being started again, even that of the very connection which asks whether it answers.
    """
    return next(_FREE), next(_FREE)


def _free() -> Iterator[int]:
    """Ports from 10,000 to 29,999, each process from a place of its own on."""
    for number in itertools.count(os.getpid() * 100):
        port = 10_000 + number % 20_000
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        yield port


_FREE: Final = _free()
