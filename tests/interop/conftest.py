"""The real server, with the clients that the libraries play, and a person who approves."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.interop.person import TIMEOUT_SECONDS, Person
from tests.interop.registered import CLIENTS_FILE
from tests.running_server import RunningServer

StartServer = Callable[..., RunningServer]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start a server with clients and settings of one's own; it ends with the test."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with ExitStack() as stack:

        def begin(clients: dict[str, dict[str, Any]], **settings: str) -> RunningServer:
            (folder / "oauth_clients.json").write_text(json.dumps(clients))
            environment = {f"ALEXA_OAUTH_{name.upper()}": value for name, value in settings.items()}
            return stack.enter_context(RunningServer(folder, environment))

        yield begin


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    """A server whose consent page asks for the click alone. Without `public_url` its issuer is where it listens."""
    return start_server(CLIENTS_FILE, sign_in="approve_only")


@pytest.fixture
def person(server: RunningServer) -> Person:
    """Someone at that server's pages."""
    return Person(server)


@pytest.fixture
def metadata(server: RunningServer) -> dict[str, Any]:
    """The metadata document, for libraries that cannot fetch it themselves."""
    answer = requests.get(f"{server.url}/.well-known/oauth-authorization-server", timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200
    return dict(answer.json())
