"""The operator's two `curl` commands, as the README has them, against the clients of the example."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

import pytest

from tests.running_server import RunningServer

pytestmark = pytest.mark.interop

ROOT: Final = Path(__file__).parents[2]
SECTION: Final = (ROOT / "README.md").read_text("utf-8").partition("## Try it without Alexa\n")[2].partition("\n## ")[0]
START, AUTHORIZE, EXCHANGE = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
SETTINGS: Final = dict(re.findall(r"(ALEXA_OAUTH_[A-Z_]+)=(\S+)", START))
PROXIED: Final = ("X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.7", "CF-Connecting-IP: 192.0.2.7")

Start = Callable[..., RunningServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the server as the README does, but where the test says otherwise."""
    with ExitStack() as stack:

        def begin(**changes: str) -> RunningServer:
            server = RunningServer(tmp_path / "data", SETTINGS | changes)
            server.environment["ALEXA_OAUTH_CLIENTS_FILE"] = str(ROOT / SETTINGS["ALEXA_OAUTH_CLIENTS_FILE"])
            return stack.enter_context(server)

        yield begin


def run(command: str, server: RunningServer, *more: str) -> tuple[int, dict[str, str], str]:
    """Status, header fields and body of what `curl --include` prints."""
    at_the_test = command.strip().replace("http://127.0.0.1:8096", server.url)
    shell = ["bash", "-c", f'{at_the_test} --silent --show-error "$@"', "bash", *more]
    printed = subprocess.run(shell, capture_output=True, text=True, check=True, timeout=20).stdout
    head, _, body = printed.partition("\n\n")
    status, *fields = head.splitlines()
    return int(status.split()[1]), dict(field.split(": ", 1) for field in fields), body


def test_two_commands_get_tokens_that_open_nothing(start: Start) -> None:
    server = start()
    status, head, _ = run(AUTHORIZE, server)
    redirect_uri, _, query = head["Location"].partition("?")
    returned = parse_qs(query, strict_parsing=True)
    code = returned.pop("code")[0]
    assert (status, redirect_uri) == (302, "http://localhost:3000/callback")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", code)
    assert returned == {"state": ["self-test"], "iss": [server.url]}

    status, head, body = run(EXCHANGE.replace("THE_CODE", code), server)
    tokens = json.loads(body)
    assert (status, head["Content-Type"], head["Cache-Control"]) == (200, "application/json", "no-store")
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "music.read music.control")
    assert tokens["expires_in"] == 600

    bearer = f"Authorization: Bearer {tokens['access_token']}"
    status, head, _ = run("curl --include http://127.0.0.1:8096/alexa/verify", server, "--header", bearer)
    assert (status, 'error="invalid_token"' in head["WWW-Authenticate"]) == (401, True)


def test_without_the_setting_a_person_is_asked(start: Start) -> None:
    status, head, body = run(AUTHORIZE, start(ALEXA_OAUTH_SELF_TEST="false"))
    assert (status, "Location" in head) == (200, False)
    assert "Pairing code" in body


def test_through_a_proxy_a_person_is_asked(start: Start) -> None:
    """A proxy on this machine brings requests of strangers from a loopback address."""
    server = start(ALEXA_OAUTH_PUBLIC_URL="https://music.example.org")
    assert run(AUTHORIZE, server)[0] == 302
    for header in PROXIED:
        status, head, body = run(AUTHORIZE, server, "--header", header)
        assert (status, "Location" in head) == (200, False), header
        assert "Pairing code" in body
