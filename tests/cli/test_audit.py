import json

import pytest

from alexa_oauth.protocol.events import Event, EventName, Reason
from tests.cli.conftest import Home, Run
from tests.rig import NOW

REFUSED = Event(
    EventName.TOKEN_REFUSED,
    attempt="cafe0001",
    client_id="amazon-alexa",
    subject="ha:1",
    grant_id="ab" * 8,
    reason=Reason.SECRET_WRONG,
    address="192.0.2.7",
    count=3,
    detail={"hint": "x"},
)
HOSTILE = Event(EventName.AUTHORIZE_REFUSED, client_id="evil\n\x1b[2J", detail={"redirect_uri": "https://x.test/\r\u202e\x9b"})


@pytest.fixture
def told(home: Home) -> Home:
    home.write(lambda tx: tx.events.record(REFUSED))
    home.clocks.advance(60)
    home.write(lambda tx: tx.events.record(Event(EventName.CODE_ISSUED)))
    return home


def names(run: Run, *arguments: str) -> list[str]:
    return [event["event"] for event in json.loads(run("audit", "--json", *arguments).out)]


@pytest.mark.usefixtures("told")
def test_a_program_gets_exactly_these_fields(run: Run) -> None:
    assert json.loads(run("audit", "--json").out)[0] == {
        "at": NOW,
        "event": "token.refused",
        "reason": "secret_wrong",
        "client_id": "amazon-alexa",
        "subject": "ha:1",
        "address": "192.0.2.7",
        "attempt": "cafe0001",
        "link": "ab" * 8,
        "count": 3,
        "detail": {"hint": "x"},
        "doubtful": False,
    }


@pytest.mark.usefixtures("told")
def test_a_person_reads_it_as_it_happened(run: Run) -> None:
    heading, first, second = run("audit").out.splitlines()
    assert heading.startswith("TIME ")
    assert first.split(maxsplit=8) == [
        *("2027-01-15", "13:30:00", "token.refused", "secret_wrong", "amazon-alexa", "ha:1", "192.0.2.7", "cafe0001"),
        "3 times link=abababababababab hint=x",
    ]
    assert second.startswith("2027-01-15 13:31:00  code.issued    -  ")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ["token.refused", "code.issued"]),
        (("--limit", "1"), ["code.issued"]),
        (("--event", "token.refused"), ["token.refused"]),
        (("--link", "ab" * 8), ["token.refused"]),
        (("--link", "ab" * 8, "--event", "code.issued"), []),
    ],
)
def test_it_can_be_asked_for_less(run: Run, arguments: tuple[str, ...], expected: list[str]) -> None:
    assert names(run, *arguments) == expected


@pytest.mark.usefixtures("home")
def test_nothing_is_said_in_words(run: Run) -> None:
    assert run("audit").out.startswith("Nothing has happened yet.")
    assert run("audit", "--link", "ab").out == "No such event is recorded.\n"


def test_what_strangers_sent_commands_no_terminal_and_makes_no_line(run: Run, home: Home) -> None:
    home.write(lambda tx: tx.events.record(HOSTILE))
    shown = run("audit").out
    assert len(shown.splitlines()) == 2
    assert shown.replace("\n", "").isprintable()
    assert r"evil\n\x1b[2J" in shown


def test_an_instant_in_doubt_is_marked(run: Run, home: Home) -> None:
    home.write(lambda tx: tx.events.record(Event(EventName.CODE_ISSUED)))
    home.clocks.step(-7_200)
    home.write(lambda tx: tx.events.record(Event(EventName.CLOCK_DOUBTED)))
    _, believed, doubted = run("audit").out.splitlines()
    assert believed.endswith("-")
    assert doubted.endswith("(the clock was in doubt)")
