import json

import pytest

from alexa_oauth.protocol.credentials import read_pairing_code
from tests.cli.conftest import Home, Run


class TestPairingCode:
    def test_a_program_gets_the_code_and_how_long_it_lives(self, run: Run, home: Home) -> None:
        shown = json.loads(run("pairing-code", "--json").out)
        assert shown.keys() == {"code", "expires_in"}
        assert shown["expires_in"] == 600
        code = read_pairing_code(shown["code"])
        assert home.write(lambda tx: tx.pairing_codes.spend(code)) == ["local"]

    def test_it_is_the_same_one_until_it_is_over(self, run: Run, home: Home) -> None:
        first = run("pairing-code").out
        assert first.endswith("  (works once, until 2027-01-15 13:40:00)\n")
        home.clocks.advance(599)
        assert run("pairing-code").out == first
        home.clocks.advance(1)
        assert run("pairing-code").out != first


class TestAdminLink:
    def test_it_opens_the_panel_once(self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALEXA_OAUTH_ADMIN_HOST", "0.0.0.0")  # noqa: S104 - where a container listens
        monkeypatch.setenv("ALEXA_OAUTH_ADMIN_PORT", "9000")
        origin, _, link = run("admin-link").out.strip().rpartition("/open/")
        assert origin == "http://127.0.0.1:9000"
        assert home.write(lambda tx: tx.admin_links.spend(link), lambda tx: tx.admin_links.spend(link)) == [True, False]

    @pytest.mark.usefixtures("home")
    def test_a_port_that_nobody_chose_is_not_guessed(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALEXA_OAUTH_ADMIN_PORT", "0")
        ran = run("admin-link")
        assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
