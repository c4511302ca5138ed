"""What the server achieves, beside two floors measured in the same minutes: `python benchmarks/run.py [--quick]`.

Rounds are interleaved: bare handler, server, bare handler, server, one scenario after the other, so that whatever else the
machine does meanwhile falls upon both. Nothing here passes or fails.
"""

import argparse
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from benchmarks import wire  # noqa: E402 - a checkout is not installed
from benchmarks.load import Job, measure  # noqa: E402
from benchmarks.raw_commits import ROWS_OF_A_REQUEST  # noqa: E402
from benchmarks.scenario import HEADS, LINKS, MANY, Extent, scenarios  # noqa: E402
from benchmarks.served import HERE, Target, approve, bare_handler, make_server, on_core  # noqa: E402
from benchmarks.table import spread, table  # noqa: E402

FULL: Final = Extent(rounds=7, alone=2_000, together=8_000, commits=1_000, starts=11)
QUICK: Final = Extent(rounds=3, alone=400, together=2_000, commits=200, starts=5)
REFRESHES: Final = 10_000
"""After so many, memory is looked at."""
REST_SECONDS: Final = 2
"""So long after its first answer a server has tidied up what its start left behind."""
IDLE_SECONDS: Final = 60
"""The longest interval of what a server does by itself, so that each of its duties is in."""


def main() -> None:
    """Measure everything, and print it in Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    arguments.add_argument("--quick", action="store_true", help="two minutes instead of several, and less certain")
    extent = QUICK if arguments.parse_args().quick else FULL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(_machine(extent), table(HEADS, _throughput(folder, extent)), sep="\n\n", end="\n\n")
        print(table(("SQLite alone", "commits, 1/s", "rows, 1/s"), _commits(folder, extent)), end="\n\n")
        print(table(("process", ""), [*_starts(folder, extent), *_memory(folder), *_idle(folder)]))


def _machine(extent: Extent) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "uvloop", "cryptography"))
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()} on {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}; "
        f"median (least … greatest) of {extent.rounds} rounds"
    )


def _throughput(folder: Path, extent: Extent) -> list[list[str]]:
    server = make_server(folder / "throughput")
    to_link = {client_id: approve(server.data_dir, client_id, number) for client_id, number in LINKS.items()}
    with ExitStack() as stack:
        with on_core(0):
            bare = stack.enter_context(bare_handler())
            stack.enter_context(server)
        measured = [
            *scenarios(
                lambda number: approve(server.data_dir, wire.KEEPING, number, beside_server=True),
                lambda client_id: wire.link(server.url, client_id, to_link[client_id].pop()),
                extent,
            )
        ]
        for number in range(1 + extent.rounds):  # one to warm up
            for scenario in measured:
                scenario.measure(bare, Target(server.port, server.process.pid))
                if not number:
                    scenario.forget()
    return [scenario.row() for scenario in measured]


def _commits(folder: Path, extent: Extent) -> list[list[str]]:
    rates: dict[int, list[float]] = {1: [], MANY: []}
    for number in range(extent.rounds):
        for requests, measured in rates.items():
            place = folder / f"commits-{requests}-{number}"
            place.mkdir()
            command = [sys.executable, str(HERE / "raw_commits.py"), str(place), str(requests), str(extent.commits)]
            with on_core(0):
                measured.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    rows_of = {requests: [rate * requests * ROWS_OF_A_REQUEST for rate in measured] for requests, measured in rates.items()}
    return [[f"requests in a commit: {requests}", spread(rates[requests]), spread(rows_of[requests])] for requests in rates]


def _starts(folder: Path, extent: Extent) -> list[list[str]]:
    server = make_server(folder / "starts")
    seconds, used = [], []
    for _ in range(1 + extent.starts):
        begun = time.perf_counter()
        server.start()
        seconds.append(time.perf_counter() - begun)
        used.append(Target(server.port, server.process.pid).processor_seconds())
        server.stop()
    return [
        ["very first start to first answer, s", f"{seconds[0]:.2f}"],
        ["start to first answer, s", spread(seconds[1:], 2)],
        ["start to first answer, s of processor", spread(used[1:], 2)],
    ]


def _memory(folder: Path) -> list[list[str]]:
    server = make_server(folder / "memory")
    codes = approve(server.data_dir, wire.ROTATING, MANY)
    with server:
        before = _resident(server.process.pid)
        tokens = [wire.link(server.url, wire.ROTATING, code)["refresh_token"] for code in codes]
        measure(Job(server.port, MANY, [wire.refresh(wire.ROTATING, token) for token in tokens], REFRESHES, follows=True))
        after = _resident(server.process.pid)
    return [["resident at the start, MiB", before], [f"resident after {REFRESHES:,} refreshes, MiB", after]]


def _idle(folder: Path) -> list[list[str]]:
    """What the server uses while nobody asks for anything, where the system tells it."""
    if not Path("/proc/self/schedstat").exists():
        return []
    with make_server(folder / "idle") as server:
        target = Target(server.port, server.process.pid)
        time.sleep(REST_SECONDS)
        used = target.processor_seconds()
        time.sleep(IDLE_SECONDS)
        used = target.processor_seconds() - used
    return [[f"idle for {IDLE_SECONDS} s, % of a core", f"{100 * used / IDLE_SECONDS:.3f}"]]


def _resident(process: int) -> str:
    kibibytes = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, check=True).stdout
    return f"{int(kibibytes) / 1_024:.1f}"


if __name__ == "__main__":
    main()
