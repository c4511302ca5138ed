import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Run
from tests.running_server import free_ports

WELL = {"status": "ok", "checks": {"database": "ok", "clock": "ok"}}
ILL = {"status": "error", "checks": {"database": "disk\nfull", "clock": "ok"}}


class Answering(http.server.BaseHTTPRequestHandler):
    status: int
    body: bytes

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health" else 404)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Answering]]:
    handler = type("Handler", (Answering,), {})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setenv("ALEXA_OAUTH_HOST", "0.0.0.0")  # noqa: S104 - where a container listens
        monkeypatch.setenv("ALEXA_OAUTH_PORT", str(server.server_port))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, json.dumps(WELL), "ok"),
        (503, json.dumps(ILL), r"error: database: disk\nfull"),
        (502, "<html>", "something else than this server answered, with status 502"),
        (404, "[]", "something else than this server answered, with status 404"),
    ],
)
def test_it_is_well_at_200_alone_and_alive_at_any_answer(
    run: Run, answering: type[Answering], status: int, body: str, said: str
) -> None:
    answering.status, answering.body = status, body.encode()
    ran, live = run("health"), run("health", "--live")
    assert (ran.status, ran.out, ran.err) == (0 if status == 200 else 1, f"{said}\n", "")
    assert (live.status, live.out) == (0, f"{said}\n")


@pytest.mark.parametrize("arguments", [(), ("--live",)])
def test_nobody_answers(run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    port, _ = free_ports()
    monkeypatch.setenv("ALEXA_OAUTH_PORT", str(port))
    ran = run("health", *arguments)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"alexa-oauth: nothing answers at http://127.0.0.1:{port}/health (Connection refused)\n"
