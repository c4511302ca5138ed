"""DOCS.md, which Home Assistant shows beside the app, against what is there."""

import re
import textwrap
from typing import Final
from urllib.parse import urlsplit

import pytest

from alexa_oauth.admin.routes import ROUTES
from alexa_oauth.app import policy_of
from alexa_oauth.clients.definitions import ClientDefinitions
from alexa_oauth.protocol.account_linking import ClientSecret, console_fields
from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.settings.loading import load
from alexa_oauth.sign_in.throttle import ACCOUNT_SECONDS, ADDRESS_SECONDS
from tests.addon.files import CONFIGURATION, DOCS, ROOT, read_text, tracked

LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
ELSEWHERE: Final = {"oauth_clients.json", "embedding.py", "alexa-oauth.service"}
"""Examples for those who do without Home Assistant: README.md links them."""
PAGES: Final = [str(path) for path in tracked() if path.suffix == ".md"]
SETTINGS: Final = {"public_url": "https://music.example.org", "vendor_ids": ["M1A2B3C4D5E6F7"]}


def section(heading: str) -> str:
    """What stands under a heading, down to the next one of its rank or above."""
    _, _, text = DOCS.partition(f"\n{heading}\n")
    assert text, f"there is no {heading}"
    rank = len(heading.split(maxsplit=1)[0])
    return re.split(rf"^#{{1,{rank}}} ", text, flags=re.MULTILINE)[0]


def anchors(markdown: str) -> set[str]:
    """What links within the page can name, as GitHub and Home Assistant make it of the headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_what_is_linked_is_there(page: str) -> None:
    for target in LINK.findall(read_text(page)):
        link = urlsplit(target)
        if link.scheme:
            assert (link.scheme, bool(link.netloc)) == ("https", True), target
            continue
        file = (ROOT / page).parent / link.path if link.path else ROOT / page
        assert file.exists(), target
        assert not link.fragment or link.fragment in anchors(file.read_text("utf-8")), target


def test_the_files_that_the_architecture_names_are_there_and_have_what_is_named_with_them() -> None:
    text = re.sub(r"```.*?```", "", read_text("ARCHITECTURE.md"), flags=re.DOTALL)
    for name, word in re.findall(r"`(\w[\w.-]*/[\w/.-]*|\w+\.(?:py|md|txt|yaml|sh))`(?: `(\w+)`)?", text):
        file = next((place for place in (ROOT / name, ROOT / "src/alexa_oauth" / name) if place.exists()), None)
        assert file is not None, name
        assert not word or re.search(rf"\b{word}\b", file.read_text("utf-8")), f"{name} has no {word}"


def test_who_guesses_passwords_waits_as_long_as_the_page_on_security_says() -> None:
    assert f"to {ACCOUNT_SECONDS} s at most by account and to {ADDRESS_SECONDS} s by address" in read_text("SECURITY.md")


def test_both_words_once_and_then_the_new_one() -> None:
    assert len(re.findall(r"\badd-?ons?\b", DOCS, re.IGNORECASE)) == 1


def test_pages_of_the_panel_that_are_not_there_yet_are_not_promised() -> None:
    told = {page for page in ("Set up", "Links", "Attempts", "Health", "Backup", "Audit") if f"page **{page}**" in DOCS}
    missing = re.search(r"Not in this version yet (?:are|is) the panel's pages? ([^.]+?), which", DOCS)
    admitted = set(re.findall(r"\*\*(.+?)\*\*", missing[1])) if missing else set()
    assert admitted & {route.label for route in ROUTES} == set()
    assert told - admitted <= {route.label for route in ROUTES}


def test_what_is_to_be_pressed_or_looked_for_in_the_panel_is_called_so_there() -> None:
    panel = "".join(template.read_text("utf-8") for template in (ROOT / "src/alexa_oauth/admin/templates").iterdir())
    parts = re.findall(r"^- \*\*(.+?)\*\*", section("## Backup"), re.MULTILINE)
    assert len(parts) > 3
    for words in (*parts, "Allow linking now", "Start linking now", "Show", "People"):
        assert f"**{words}**" in DOCS
        assert f">{words}<" in panel or f'"{words}"' in panel, words


def test_the_names_are_those_that_home_assistant_shows() -> None:
    assert f"# {CONFIGURATION['name']}\n" in DOCS
    assert f"**{CONFIGURATION['panel_title']}** appears in the side bar" in DOCS
    assert f"1a2b3c4d-{CONFIGURATION['slug'].replace('_', '-')}" in DOCS


def test_the_fields_of_the_console_are_those_that_alexa_config_prints() -> None:
    settings = load({}, SETTINGS).settings
    client = ClientDefinitions(settings).definitions()[settings.client_id]
    printed = console_fields(policy_of(settings), client, ClientSecret("the-secret", "the database"))
    table = dict(re.findall(r"^ +\| ([^|]+?) \| ([^|]+?) \|$", section("## Tell Amazon"), re.MULTILINE))
    table.pop("Field in the console")
    assert list(table) == [field.label for field in printed]
    told = {label: re.sub(r"[`]", "", value) for label, value in table.items()}
    for field in printed:
        if field.label not in {"Your Secret", "Domain List"}:
            assert all(line in told[field.label] for line in field.lines), field.label


def test_the_lines_of_the_log_are_those_that_the_server_writes() -> None:
    text = section("### You approved, and then it failed")
    named = set(re.findall(r"`([a-z]+[._][a-z_]+)`", text)) - {"public_url"}
    assert named <= {*map(str, EventName), *map(str, Reason)}
    assert {"token.refused", "consent.approved", "secret_wrong"} <= named


@pytest.mark.parametrize("name", ["nginx-proxy-manager.conf", "cloudflared-app.yaml"])
def test_what_is_to_be_pasted_is_what_the_file_holds(name: str) -> None:
    """Inside Home Assistant a link to a file leads nowhere."""
    content = re.sub(r"^#.*\n", "", read_text(f"examples/{name}"), flags=re.MULTILINE).strip()
    blocks = re.findall(r"^ *```[a-z]+\n(.*?)^ *```$", DOCS, re.DOTALL | re.MULTILINE)
    assert content in [textwrap.dedent(block).strip() for block in blocks]


def test_each_example_is_linked() -> None:
    examples = {f"examples/{file.name}" for file in (ROOT / "examples").iterdir()}
    elsewhere = {f"examples/{name}" for name in ELSEWHERE}
    assert examples - elsewhere <= set(LINK.findall(DOCS))
    assert elsewhere <= set(LINK.findall(read_text("README.md")))


def test_the_version_in_which_the_word_changed_and_the_switch_for_restarts_are_told() -> None:
    assert "2026.2" in DOCS
    assert "Switch **Watchdog** on" in DOCS
