import json

import pytest

from alexa_oauth.protocol.credentials import secret_digest
from tests.cli.conftest import Home, Run

SECRET = "configured-secret-0123456789"
URIS = ["https://one.test/cb", "https://one.test/other"]
VENDOR = "M2AAAAAAAAAAAA"
DAY = 86_400


def register(home: Home, **entries: object) -> None:
    (home.folder / "oauth_clients.json").write_text(json.dumps(entries))


def good_secrets(home: Home) -> tuple[bytes, ...]:
    (found,) = home.write(lambda tx: tx.clients.find("amazon-alexa"))
    assert found
    return found.secret_digests


def fields(shown: str) -> dict[str, str]:
    return {line[:15].strip(): line[15:].strip() for line in shown.splitlines()}


def test_list_has_a_line_for_each_client(run: Run, home: Home) -> None:
    register(home, other={"client_type": "public", "redirect_uris": URIS, "name": "Another"})
    heading, alexa, other = run("client", "list").out.splitlines()
    assert heading.split() == ["CLIENT", "TYPE", "REFRESH", "REDIRECT", "URIS", "NAME"]
    assert alexa.split() == ["amazon-alexa", "confidential", "overlap", "0", "Amazon", "Alexa"]
    assert other.split() == ["other", "public", "strict_window", "2", "Another"]


class TestShow:
    def test_the_built_in_client_with_the_secret_that_was_made_for_it(
        self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALEXA_OAUTH_VENDOR_IDS", VENDOR)
        ran = run("client", "show")
        shown = fields(ran.out)
        assert (shown["client id"], shown["type"], shown["scopes"]) == (
            *("amazon-alexa", "confidential"),
            "music.read music.control",
        )
        assert (secret_digest(shown["secret"]),) == good_secrets(home)
        assert ran.out.count(f"/api/skill/link/{VENDOR}\n") == 3
        assert ran.err == ""

    @pytest.mark.usefixtures("home")
    def test_what_is_missing_is_said(self, run: Run) -> None:
        assert "ALEXA_OAUTH_VENDOR_IDS" in fields(run("client", "show").out)["redirect URIs"]

    @pytest.mark.usefixtures("home")
    def test_a_secret_in_the_settings(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALEXA_OAUTH_CLIENT_SECRET", SECRET)
        assert fields(run("client", "show").out)["secret"] == SECRET

    def test_a_secret_in_the_file_is_not_repeated(self, run: Run, home: Home) -> None:
        register(home, other={"client_type": "confidential", "redirect_uris": URIS, "client_secret": SECRET})
        assert fields(run("client", "show", "other").out)["secret"] == f"the file {home.folder}/oauth_clients.json"

    def test_a_public_client(self, run: Run, home: Home) -> None:
        register(home, other={"client_type": "public", "redirect_uris": URIS})
        shown = fields(run("client", "show", "other").out)
        assert (shown["secret"].split(":")[0], shown["PKCE"]) == ("none", "required")

    @pytest.mark.usefixtures("home")
    def test_a_client_that_is_not_there(self, run: Run) -> None:
        ran = run("client", "show", "nobody\x1b")
        assert (ran.status, ran.out) == (1, "")
        assert ran.err == "alexa-oauth: there is no client 'nobody\\x1b'; `alexa-oauth client list` lists them\n"


class TestNewSecret:
    def test_the_former_one_stays_good_for_a_week(self, run: Run, home: Home) -> None:
        (former,) = good_secrets(home)
        ran = run("client", "new-secret")
        fresh, explained = ran.out.splitlines()
        assert "7 days" in explained
        assert good_secrets(home) == (secret_digest(fresh), former)
        assert fields(run("client", "show").out)["secret"] == fresh
        home.clocks.advance(7 * DAY)
        assert good_secrets(home) == (secret_digest(fresh),)

    def test_one_that_leaked_is_refused_at_once(self, run: Run, home: Home) -> None:
        fresh, explained = run("client", "new-secret", "--at-once").out.splitlines()
        assert "refused from now on" in explained
        assert good_secrets(home) == (secret_digest(fresh),)

    @pytest.mark.usefixtures("home")
    def test_it_stands_in_the_audit_trail(self, run: Run) -> None:
        run("client", "new-secret", "amazon-alexa")
        (event,) = json.loads(run("audit", "--json").out)
        assert (event["event"], event["client_id"]) == ("client.secret_changed", "amazon-alexa")

    @pytest.mark.parametrize(
        ("entry", "why"),
        [
            ({"client_type": "confidential", "redirect_uris": URIS, "client_secret": SECRET}, "oauth_clients.json, so change it"),
            ({"client_type": "public", "redirect_uris": URIS}, "other has no secret"),
        ],
    )
    def test_a_secret_that_is_not_ours_to_make(self, run: Run, home: Home, entry: dict[str, object], why: str) -> None:
        register(home, other=entry)
        ran = run("client", "new-secret", "other")
        assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
        assert "nothing was changed" in ran.err
        assert why in ran.err

    @pytest.mark.usefixtures("home")
    def test_a_secret_in_the_settings(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALEXA_OAUTH_CLIENT_SECRET", SECRET)
        ran = run("client", "new-secret")
        assert (ran.status, ran.out) == (1, "")
        assert "the setting client_secret" in ran.err
        assert SECRET not in ran.err


def test_a_vendor_id_that_was_added_on_the_panel_counts_for_the_commands_too(run: Run, home: Home) -> None:
    home.write(lambda tx: tx.clients.add_vendor_id("M1A2B3C4D5E6F7"))
    assert "https://layla.amazon.com/api/skill/link/M1A2B3C4D5E6F7" in run("client", "show").out
