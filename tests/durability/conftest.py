"""The real process on a data folder that outlives it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.rig import CLIENTS
from tests.running_server import RunningServer

MakeServer = Callable[[Path], RunningServer]


@pytest.fixture
def make_server() -> Iterator[MakeServer]:
    """Servers on folders of one's own, not started yet, with a client of each profile; they end with the test."""
    with ExitStack() as stack:

        def make(folder: Path) -> RunningServer:
            server = RunningServer(folder, {"ALEXA_OAUTH_SIGN_IN": "approve_only"})
            clients_file = folder.parent / "clients.json"
            clients_file.write_text(json.dumps(CLIENTS))
            server.environment["ALEXA_OAUTH_CLIENTS_FILE"] = str(clients_file)
            stack.push(server)
            return server

        yield make


@pytest.fixture
def server(make_server: MakeServer, tmp_path: Path) -> RunningServer:
    """A server on an empty folder, not started yet."""
    return make_server(tmp_path / "data")
