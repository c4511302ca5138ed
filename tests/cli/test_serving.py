"""The real process: its start, its end, and every command beside it."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from alexa_oauth import __version__
from tests.running_server import COMMAND, RunningServer

ALEXA = {"ALEXA_OAUTH_PUBLIC_URL": "https://music.example.org", "ALEXA_OAUTH_VENDOR_IDS": "M2AAAAAAAAAAAA"}
KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("served") / "data", {**ALEXA, "OAUTH_ENCRYPTION_KEY": KEY}) as server:
        yield server


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[RunningServer]:
    with ExitStack() as stack:
        server = RunningServer(tmp_path / "data")
        stack.push(server)
        yield server


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("health", "ok\n"),
        ("health --live", "ok\n"),
        ("links", "No links yet."),
        ("audit", "Nothing has happened yet."),
        ("pairing-code", ""),
        ("backup --copy", ""),
        ("admin-link", "http://127.0.0.1:"),
        ("client list", "CLIENT"),
        ("client show", "client id"),
        ("alexa-config", "In the developer console"),
        ("revoke --all --yes", "There is no link to revoke."),
        ("client new-secret", ""),
    ],
)
def test_every_command_works_beside_a_running_server(server: RunningServer, command: str, said: str) -> None:
    ran = server.run(*command.split())
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(said)
    assert ran.stdout.endswith("\n")


def test_no_secret_is_printed_but_those_for_the_terminal(server: RunningServer) -> None:
    request = json.loads(server.run("alexa-config", "--json").stdout)
    assert request["accountLinkingRequest"]["clientSecret"] not in server.printed
    assert KEY not in server.printed
    assert f"{server.url}/health" in server.printed
    assert f"{server.admin_url}/open/" in server.printed
    assert server.pairing_code() in server.printed


def test_files_are_the_owners_alone(server: RunningServer) -> None:
    assert server.run("backup", "--copy").returncode == 0
    found = [server.data_dir, *server.data_dir.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {0o600}
    assert "\nUmask:\t0077\n" in Path(f"/proc/{server.process.pid}/status").read_text()


def test_a_second_server_on_the_same_folder_refuses_to_start(server: RunningServer) -> None:
    ran = server.run("serve")
    assert (ran.returncode, ran.stdout) == (78, "")
    assert ran.stderr == f"alexa-oauth: another server already runs on {server.data_dir}\n"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_told(stopped: RunningServer, how: signal.Signals) -> None:
    stopped.start()
    process = stopped.process
    process.send_signal(how)
    assert process.wait(5) == 0
    assert "Traceback" not in stopped.printed
    assert not (stopped.data_dir / "oauth.db-wal").exists()


def test_a_second_interrupt_ends_it_at_once(stopped: RunningServer) -> None:
    stopped.start()
    with socket.create_connection(("127.0.0.1", stopped.port)) as slow:
        slow.sendall(b"POST /alexa/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n")
        slow.sendall(b"Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n")
        assert slow.recv(12) == b"HTTP/1.1 100"
        stopped.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            stopped.process.wait(0.5)
        stopped.process.send_signal(signal.SIGINT)
        assert stopped.process.wait(1) == -signal.SIGINT
    assert "Traceback" not in stopped.printed


def test_a_port_in_use_is_told_with_the_setting_to_change(stopped: RunningServer) -> None:
    with socket.create_server(("127.0.0.1", stopped.admin_port)):
        ran = stopped.run("serve")
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1)
    assert ran.stderr.startswith("alexa-oauth: admin_host, admin_port: cannot listen on 127.0.0.1, port ")


def test_a_wrong_key_ends_it_for_good(stopped: RunningServer) -> None:
    stopped.start()
    stopped.stop()
    stopped.environment["OAUTH_ENCRYPTION_KEY"] = KEY
    ran = stopped.run("serve")
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (78, "", 1)
    assert KEY not in ran.stderr


class TestAddOn:
    """Home Assistant's Supervisor runs the server, keeps what it prints, and archives its folder."""

    @pytest.fixture
    def add_on(self, stopped: RunningServer) -> RunningServer:
        stopped.environment["SUPERVISOR_TOKEN"] = "x"
        return stopped

    def test_it_prints_no_link_and_no_code(self, add_on: RunningServer) -> None:
        add_on.start()
        add_on.stop()
        first, notice, *_ = add_on.printed.splitlines()
        assert first == f"alexa-oauth {__version__}: {add_on.url}/health"
        assert notice.startswith("This is the first start. ")

    def test_the_panel_is_closed_to_whoever_is_not_the_gateway(self, add_on: RunningServer) -> None:
        add_on.start()
        connection = HTTPConnection("127.0.0.1", add_on.admin_port)
        connection.request("GET", "/", headers={"X-Remote-User-Id": "a" * 32})
        assert connection.getresponse().status == 403
        connection.close()
        ran = add_on.run("admin-link")
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr == "alexa-oauth: Home Assistant alone opens the panel: look for Alexa Link in its sidebar\n"

    def test_stopped_it_can_be_archived_without_its_live_files(self, add_on: RunningServer) -> None:
        add_on.start()
        code = add_on.pairing_code()
        add_on.stop()
        (add_on.data_dir / "oauth.db").unlink()
        add_on.start()
        assert add_on.pairing_code() == code
        assert json.loads(add_on.run("audit", "--json").stdout)[-1]["event"] == "database.adopted"
        assert "The database was missing, and its copy took its place. Links that ended since " in add_on.printed
        assert "[warning  ] database.adopted" in add_on.printed


def test_a_checkout_is_not_copied_unasked(stopped: RunningServer) -> None:
    stopped.start()
    stopped.stop()
    assert not (stopped.data_dir / "backups").exists()


def test_a_warning_does_not_stop_it(stopped: RunningServer) -> None:
    stopped.environment["ALEXA_OAUTH_SIGN_INN"] = "x"
    stopped.start()
    stopped.stop()
    assert "alexa-oauth: warning: ALEXA_OAUTH_SIGN_INN is not a setting" in stopped.printed


class TestOwnTls:
    @pytest.fixture
    def tls(self, stopped: RunningServer, tmp_path: Path) -> RunningServer:
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
        begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36_500)
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, end)
        (tmp_path / "chain.pem").write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
        (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        files = {"CERTFILE": tmp_path / "chain.pem", "KEYFILE": tmp_path / "key.pem"}
        stopped.environment |= {f"ALEXA_OAUTH_{name}": str(file) for name, file in files.items()} | {"ALEXA_OAUTH_SSL": "true"}
        return stopped

    def test_health_asks_whatever_name_the_certificate_has(self, tls: RunningServer) -> None:
        process = subprocess.Popen([*COMMAND, "serve"], env=tls.environment, stdout=subprocess.PIPE)
        assert process.stdout
        with process.stdout as printed:
            told = [printed.readline() for _ in range(2)]
            assert b"https://127.0.0.1:" in told[1]
            assert tls.run("health").stdout == "ok\n"
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(5) == 0

    def test_a_key_that_cannot_be_used_ends_it_for_good(self, tls: RunningServer) -> None:
        tls.environment["ALEXA_OAUTH_KEYFILE"] = tls.environment["ALEXA_OAUTH_CERTFILE"]
        ran = tls.run("serve")
        assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (78, "", 1)
        assert ran.stderr.startswith("alexa-oauth: certfile, keyfile: cannot be used (")
