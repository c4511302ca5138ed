"""What an administrator hears of without asking, and when there is nothing to say."""

from dataclasses import replace
from typing import Final

import pytest

from alexa_oauth.diagnosis.notices import notices
from alexa_oauth.protocol.activity import HOUR, Activity, by_hour
from alexa_oauth.protocol.reading import Lifetime

NOW: Final = 1_800_000_000
DAY: Final = 86_400
UNUSED: Final = 90 * DAY
LINK: Final = Lifetime(NOW - 30 * DAY, NOW - HOUR, None)
QUIET: Final = {"refreshed": 2}


def told(counts: dict[str, int], *links: Lifetime, hours_ago: int = 0) -> list[str]:
    hour = NOW - NOW % HOUR - hours_ago * HOUR
    return [notice.sentence for notice in notices(by_hour([Activity(hour, counts)], NOW, 24), links, UNUSED, NOW)]


def test_a_day_as_any_other_needs_no_word() -> None:
    assert told(QUIET, LINK) == []
    assert told({"refreshed": 100, "failed": 30}, LINK) == []
    assert told({"refreshed": 99, "refused": 1}, LINK) == [], "99 in a hundred is well"
    assert told({}) == [], "where nothing is linked, silence is right"


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"reused": 1, "refreshed": 200}, "used again"),
        ({**QUIET, "failed": 31}, "31 requests were refused"),
        ({"linked": 1, "refreshed": 100}, "101 tokens"),
        ({"refreshed": 98, "refused": 2}, "98% were answered"),
        ({}, "asked for no token"),
    ],
)
def test_what_is_unusual_is_told(counts: dict[str, int], sentence: str) -> None:
    assert any(sentence in line for line in told(counts, LINK)), told(counts, LINK)


def test_failures_are_told_while_they_last_and_abuse_for_a_day() -> None:
    assert told({**QUIET, "failed": 500}, LINK, hours_ago=2) == []
    assert len(told({"reused": 1, "refreshed": 200}, LINK, hours_ago=23)) >= 2
    assert told({**QUIET, "reused": 1}, hours_ago=24) == []


def test_a_link_of_today_need_not_have_been_used() -> None:
    assert told({}, replace(LINK, created_at=NOW - DAY + 1)) == []


@pytest.mark.parametrize(
    ("unused_days", "left"), [(82.9, None), (83, "in 7 days"), (88.5, "in 1 day"), (89.5, "today"), (90, None), (95, None)]
)
def test_a_link_about_to_end_unused(unused_days: float, left: str | None) -> None:
    link = replace(LINK, last_used_at=NOW - int(unused_days * DAY))
    assert told(QUIET, link) == ([] if left is None else [f"A link that nobody uses ends {left}."])


def test_a_link_that_never_ends_or_must_end_is_not_told_of() -> None:
    old = replace(LINK, last_used_at=NOW - 89 * DAY)
    assert notices(by_hour([Activity(NOW - NOW % HOUR, QUIET)], NOW, 24), [old], 0, NOW) == ()
    assert told(QUIET, replace(LINK, ends_at=NOW + 60)) == []


def test_links_that_end_on_the_same_day_are_one_notice() -> None:
    old = replace(LINK, last_used_at=NOW - 89 * DAY)
    assert len(told(QUIET, old, replace(old, created_at=NOW - 80 * DAY))) == 1
