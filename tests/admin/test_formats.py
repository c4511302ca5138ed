"""How the panel writes instants, durations and sizes."""

import time
from collections.abc import Iterator

import pytest

from alexa_oauth.admin.formats import ago, count, day, duration, exact_instant, instant, size
from tests.rig import NOW


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The household's time zone, which Home Assistant hands to its add-ons as `TZ`."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_instants_are_the_household_s_own() -> None:
    assert instant(NOW) == '<time datetime="2027-01-15T09:00:00+01:00">15 Jan 2027, 09:00</time>'
    assert exact_instant(NOW + 7).endswith("15 Jan 2027, 09:00:07</time>")
    assert day(NOW + 200 * 86_400).endswith(">3 Aug 2027</time>")
    assert (instant(None), day(None)) == ("never", "never")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (5_400, "1 hour"), (86_400 * 400, "400 days")],
)
def test_a_duration_is_written_in_its_largest_unit(seconds: int, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(("passed", "written"), [(-5, "just now"), (0, "just now"), (61, "1 minute ago"), (7_300, "2 hours ago")])
def test_how_long_ago(passed: int, written: str) -> None:
    assert f">{written}</time>" in ago(NOW - passed, NOW)


@pytest.mark.parametrize(
    ("octets", "written"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_000, "1.0 kB"), (1_449_000, "1.4 MB"), (5 * 10**12, "5000.0 GB")],
)
def test_a_size_is_written_in_the_unit_that_fits(octets: int, written: str) -> None:
    assert size(octets) == written


def test_a_number_of_things() -> None:
    assert (count(0, "link"), count(1, "link"), count(1_234, "link")) == ("0 links", "1 link", "1,234 links")
