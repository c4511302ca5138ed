"""When the clock is believed: two clocks compared, no real one read."""

import pytest

from alexa_oauth.protocol.clock import EARLIEST_PLAUSIBLE, Reading, Timekeeper
from tests.rig import NOW

FIVE_MINUTES = 300
DAY = 86_400
YEAR = 365 * DAY
START = Reading(NOW, 50.0)


def later(seconds: float, *, step: float = 0, since: Reading = START) -> Reading:
    return Reading(since.wall + seconds + step, since.running + seconds)


def test_now_runs_evenly_while_the_wall_clock_is_stepped() -> None:
    keeper = Timekeeper(START)
    assert keeper.instant(later(10, step=YEAR)).now == NOW + 10
    assert keeper.instant(later(10, step=-YEAR)).now == NOW + 10


@pytest.mark.parametrize(
    ("wall", "newest", "doubtful"),
    [
        (NOW, None, False),
        (0, None, True),
        (EARLIEST_PLAUSIBLE - 1, None, True),
        (NOW, NOW + FIVE_MINUTES, False),
        (NOW, NOW + FIVE_MINUTES + 1, True),
        (NOW, NOW - 30 * DAY, False),
        (NOW, NOW - 30 * DAY - 1, True),
    ],
)
def test_a_start_is_doubted_before_the_newest_instant_or_long_after_it(
    wall: float, newest: int | None, *, doubtful: bool
) -> None:
    reading = Reading(wall, 0.0)
    assert Timekeeper(reading).compared_with(newest, reading).doubtful is doubtful


@pytest.mark.parametrize(("step", "doubtful"), [(300, False), (-300, False), (301, True), (-301, True)])
def test_a_step_of_more_than_five_minutes_is_doubted(step: float, *, doubtful: bool) -> None:
    assert Timekeeper(START).observed(later(60, step=step)).doubtful is doubtful


def test_a_step_that_is_undone_was_no_step() -> None:
    doubted = Timekeeper(START).observed(later(60, step=3_600))
    back = later(120)
    settlement = doubted.observed(back).settlement(back)
    assert settlement is not None
    assert (settlement.now, settlement.shift, settlement.timekeeper.doubtful) == (NOW + 120, 0, False)


def test_a_date_that_agrees_ends_doubt_and_moves_earlier_uses_by_the_step() -> None:
    stepped = later(60, step=3_600)
    doubted = Timekeeper(START).observed(stepped)
    assert doubted.settlement(stepped) is None
    assert doubted.settlement(stepped, date=NOW) is None
    settlement = doubted.settlement(stepped, date=int(stepped.wall) - 299)
    assert settlement is not None
    assert (settlement.now, settlement.shift) == (int(stepped.wall), 3_600)


def test_a_steady_day_ends_doubt_and_a_further_step_begins_it_anew() -> None:
    first = later(60, step=3_600)
    second = later(DAY - 10, step=7_200, since=first)
    doubted = Timekeeper(START).observed(first).observed(second)
    assert doubted.settlement(later(DAY - 1, since=second)) is None
    assert doubted.settlement(later(DAY, since=second)) is not None


def test_after_a_doubted_start_an_unconfirmed_clock_ages_no_link_and_a_confirmed_one_is_the_truth() -> None:
    doubted = Timekeeper(START).compared_with(NOW - YEAR, START)
    day_later = later(DAY)
    unconfirmed = doubted.settlement(day_later)
    confirmed = doubted.settlement(day_later, date=int(day_later.wall))
    assert unconfirmed is not None
    assert unconfirmed.shift >= YEAR
    assert confirmed is not None
    assert confirmed.shift == 0


def test_a_window_that_was_open_at_a_restart_begins_anew() -> None:
    instant = Timekeeper(START).instant(later(20))
    assert instant.elapsed_since(NOW + 5) == 15
    assert instant.elapsed_since(NOW - YEAR) == 20
    assert instant.elapsed_since(NOW + YEAR) == 20
