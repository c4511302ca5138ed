"""The real process on a data folder that outlives it, and the table of faults, printed at the end of a run."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.durability.reliability import FOLDER, faults
from tests.outcomes import worst_outcomes
from tests.rig import CLIENTS
from tests.running_server import RunningServer

MakeServer = Callable[[Path], RunningServer]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Servers on folders of one's own, not started yet, with a client of each profile; they end with the test."""
    with ExitStack() as stack:

        def make(folder: Path) -> RunningServer:
            server = RunningServer(folder, {"ALEXA_OAUTH_SIGN_IN": "approve_only"})
            clients_file = tmp_path / "clients.json"
            clients_file.write_text(json.dumps(CLIENTS))
            server.environment["ALEXA_OAUTH_CLIENTS_FILE"] = str(clients_file)
            stack.push(server)
            return server

        yield make


@pytest.fixture
def server(make_server: MakeServer, tmp_path: Path) -> RunningServer:
    """A server on an empty folder, not started yet."""
    return make_server(tmp_path / "data")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-reliability", action="store_true", help="write RELIABILITY.md from the markers of the tests")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One block for each fault whose test ran."""
    outcomes = worst_outcomes(terminalreporter, FOLDER)
    ran = [row for row in faults() if row.test in outcomes]
    if not ran:
        return
    terminalreporter.section("reliability")
    for row in ran:
        terminalreporter.write_line(f"{outcomes[row.test]:7} {row.befalls}  [{row.test}]")
        terminalreporter.write_line(f"        the client gets: {row.gets}")
        terminalreporter.write_line(f"        kept: {row.kept}")
