import json

import pytest

from alexa_oauth.protocol.people import welcome
from tests.cli.conftest import Home, Run

NOBODY = "Nobody opened the panel inside Home Assistant yet. The first Home Assistant user who opens the panel becomes its"


@pytest.mark.usefixtures("home")
def test_where_nobody_came_yet_it_says_what_will_happen(run: Run) -> None:
    assert run("admin", "list").out == f"{NOBODY} administrator.\n"


def test_people_are_listed_with_what_they_may_do(run: Run, home: Home) -> None:
    home.write(lambda tx: welcome(tx, "ha:1", "Anna"), lambda tx: welcome(tx, "ha:2", "Bert \x1b[2J"))
    assert run("admin", "list").out.splitlines() == [
        "NAME          SUBJECT  MAY DO",
        "Anna          ha:1     administrator",
        r"Bert \x1b[2J  ha:2     own links",
    ]
    assert json.loads(run("admin", "list", "--json").out)[0] == {"subject": "ha:1", "name": "Anna", "is_administrator": True}


def test_a_reset_lets_the_next_one_be_administrator(run: Run, home: Home) -> None:
    home.write(lambda tx: welcome(tx, "ha:1", "Anna"))
    assert run("admin", "reset").out.startswith("1 administrator was cleared. The first Home Assistant user")
    assert run("admin", "reset").out.startswith("0 administrators were cleared.")
    (bert,) = home.write(lambda tx: welcome(tx, "ha:2", "Bert"))
    assert bert.is_administrator
    assert "by=command line" in run("audit", "--event", "administrator.removed").out
