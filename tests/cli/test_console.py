import json

import pytest

from alexa_oauth.protocol.alexa import redirect_uris_for
from tests.cli.conftest import Home, Run
from tests.cli.test_clients import SECRET, URIS, fields, register

VENDOR = "M2AAAAAAAAAAAA"
NAMES = (
    *("Authorization Grant Type", "Your Web Authorization URI", "Access Token URI", "Your Client ID", "Your Secret"),
    *("Your Authentication Scheme", "Scope", "Domain List", "Default Access Token Expiration Time", "PKCE"),
)


@pytest.fixture
def reachable(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("ALEXA_OAUTH_PUBLIC_URL", "https://music.example.org")
    monkeypatch.setenv("ALEXA_OAUTH_VENDOR_IDS", VENDOR)
    return home


def values(shown: str) -> dict[str, str]:
    return {
        name: line.removeprefix(name).strip() for line in shown.splitlines() for name in NAMES if line.startswith(f"{name}  ")
    }


@pytest.mark.usefixtures("reachable")
def test_the_values_stand_under_the_names_of_the_console_in_its_order(run: Run) -> None:
    secret = fields(run("client", "show").out)["secret"]
    shown = run("alexa-config").out
    assert tuple(values(shown)) == NAMES
    assert [*values(shown).values()] == [
        *("Auth Code Grant", "https://music.example.org/alexa/authorize", "https://music.example.org/alexa/token"),
        *("amazon-alexa", secret, "HTTP Basic", "music.read", "(none)", "1800", "on"),
    ]
    assert shown.endswith("\n\n" + "\n".join(redirect_uris_for([VENDOR])) + "\n")


@pytest.mark.usefixtures("reachable")
def test_the_ask_command_line_gets_its_request(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALEXA_OAUTH_CLIENT_SECRET", SECRET)
    ran = run("alexa-config", "--json")
    assert (ran.status, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "accountLinkingRequest": {
            "type": "AUTH_CODE",
            "authorizationUrl": "https://music.example.org/alexa/authorize",
            "accessTokenUrl": "https://music.example.org/alexa/token",
            "accessTokenScheme": "HTTP_BASIC",
            "clientId": "amazon-alexa",
            "clientSecret": SECRET,
            "scopes": ["music.read", "music.control"],
            "domains": [],
            "defaultTokenExpirationInSeconds": 1800,
            "skipOnEnablement": False,
        }
    }


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_what_is_missing_is_said_all_at_once(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run("alexa-config", *arguments)
    assert (ran.status, ran.out) == (1, "")
    public_url, vendor_ids = ran.err.splitlines()
    assert "ALEXA_OAUTH_PUBLIC_URL" in public_url
    assert "ALEXA_OAUTH_VENDOR_IDS" in vendor_ids


@pytest.mark.usefixtures("reachable")
def test_alexa_reaches_no_plain_http(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALEXA_OAUTH_PUBLIC_URL", "http://127.0.0.1:8096")
    assert run("alexa-config").err.startswith("alexa-oauth: public_url: set ALEXA_OAUTH_PUBLIC_URL to the https address")


def test_a_public_client_is_told_to_turn_pkce_on_and_needs_no_secret(run: Run, reachable: Home) -> None:
    register(reachable, **{"amazon-alexa": {"client_type": "public", "redirect_uris": redirect_uris_for([VENDOR])}})
    shown = values(run("alexa-config").out)
    assert shown["PKCE"].startswith("on  (this client cannot be linked without it)")
    assert shown["Your Secret"].startswith("ignored  (any text will do")
    assert json.loads(run("alexa-config", "--json").out)["accountLinkingRequest"]["clientSecret"] == "ignored"


def test_a_secret_in_the_file_is_named_and_left_out(run: Run, reachable: Home) -> None:
    entry = {"client_type": "confidential", "redirect_uris": redirect_uris_for([VENDOR]), "client_secret": SECRET}
    register(reachable, **{"amazon-alexa": entry})
    assert values(run("alexa-config").out)["Your Secret"].endswith("oauth_clients.json")
    ran = run("alexa-config", "--json")
    assert "clientSecret" not in json.loads(ran.out)["accountLinkingRequest"]
    assert "clientSecret is left out" in ran.err


def test_a_client_that_is_not_alexa_has_no_business_in_its_console(run: Run, reachable: Home) -> None:
    register(reachable, other={"client_type": "public", "redirect_uris": URIS})
    ran = run("alexa-config", "other")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "alexa-oauth: other is not Alexa: it has redirect URIs that are not Amazon's\n"
