"""The load: prepared requests over kept-alive connections, in a process of its own, with as little around them as can be.

An HTTP library would be slower than the servers that are measured. Here an answer is looked at for its status, its end and,
if asked for, its refresh token. Run as a program, it takes a job as JSON on standard input and prints what it measured.
"""

import asyncio
import gc
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Final, cast

import uvloop

_LENGTH: Final = re.compile(rb"\r\nContent-Length: ([0-9]+)\r\n")
_REFRESH_TOKEN: Final = re.compile(rb"aoa_rt_[A-Za-z0-9_-]{64}")


@dataclass(frozen=True, slots=True)
class Job:
    """What to send: each of the `requests` once, or, if a `total` is given, connection *n* its own one again and again.

    If it `follows`, the refresh token of an answer stands in the next request.
    """

    port: int
    connections: int
    requests: list[str]
    total: int | None = None
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a job: times in seconds; `busy` is the load's own share of a core; `requests` those to go on with."""

    answers: int
    seconds: float
    p50: float
    p99: float
    busy: float
    requests: list[str]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def measure(job: Job) -> Measured:
    """Run the job in a process of its own."""
    ran = subprocess.run([sys.executable, __file__], input=json.dumps(asdict(job)), capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"The load failed:\n{ran.stderr}")
    return Measured(**json.loads(ran.stdout))


class _Run:
    """One job under way: who sends what, and how long each answer took."""

    def __init__(self, job: Job) -> None:
        self.follows = job.follows
        self.requests = [request.encode() for request in job.requests]
        self.latencies: list[float] = []
        self.finished = asyncio.get_running_loop().create_future()
        self._repeats = job.total is not None
        self._numbers = iter(range(job.total or len(job.requests)))
        self._working = job.connections

    def next(self, place: int) -> bytes | None:
        """What the connection at that place sends next, if anything."""
        number = next(self._numbers, None)
        if number is not None:
            return self.requests[place if self._repeats else number]
        self._working -= 1
        if not self._working and not self.finished.done():
            self.finished.set_result(None)
        return None

    def fail(self, problem: str) -> None:
        """End it: a number of refusals a second would mean nothing."""
        if not self.finished.done():
            self.finished.set_exception(RuntimeError(problem))


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run, place: int) -> None:
        self._run = run
        self._place = place
        self._received = b""
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.fail(f"a connection ended: {exc}")

    def ask(self) -> None:
        request = self._run.next(self._place)
        if request is not None:
            self._asked_at = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        length = _LENGTH.search(self._received)
        if head < 0 or length is None or len(self._received) < head + 4 + int(length[1]):
            return
        self._run.latencies.append(time.perf_counter() - self._asked_at)
        answer, self._received = self._received, b""
        if not answer.startswith(b"HTTP/1.1 200 "):
            self._run.fail(answer.decode())
        if self._run.follows:
            self._follow(answer)
        self.ask()

    def _follow(self, answer: bytes) -> None:
        token = _REFRESH_TOKEN.search(answer)
        if token is not None:
            self._run.requests[self._place] = _REFRESH_TOKEN.sub(token[0], self._run.requests[self._place])


async def _carry_out(job: Job) -> Measured:
    loop, run = asyncio.get_running_loop(), _Run(job)
    connections = [
        (await loop.create_connection(lambda place=place: _Connection(run, place), "127.0.0.1", job.port))[1]  # type: ignore[misc]
        for place in range(job.connections)
    ]
    gc.disable()
    begun, used = time.perf_counter(), time.process_time()
    for connection in connections:
        connection.ask()
    await run.finished
    seconds, busy = time.perf_counter() - begun, time.process_time() - used
    latencies = sorted(run.latencies)
    p50, p99 = (latencies[len(latencies) * percent // 100] for percent in (50, 99))
    following = [request.decode() for request in run.requests] if job.follows else []
    return Measured(len(latencies), seconds, p50, p99, busy / seconds, following)


if __name__ == "__main__":
    result = uvloop.run(_carry_out(Job(**json.load(sys.stdin))))
    print(json.dumps(asdict(result)))
