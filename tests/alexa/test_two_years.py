"""Alexa links once, and the link lives for two years through everything that happens to a server in a household."""

import shutil
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from alexa_oauth.protocol.alexa import redirect_uris_for
from tests.alexa.amazon import Amazon
from tests.alexa.home import Home

EXAMPLE: Final = Path(__file__).parents[2] / "examples/oauth_clients.json"
VENDOR_ID: Final = "M1A2B3C4D5E6F7"
REDIRECT_URIS: Final = redirect_uris_for([VENDOR_ID])
SETTINGS: Final = {"public_url": "https://music.example.org", "sign_in": "pairing_code", "access_token_seconds": "1800"}

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400
TWO_YEARS: Final = 730
SUMMER: Final = (range(180, 202), range(545, 567))
"""Three weeks in which nobody is at home."""

# These periods have no common divisor, so that within two years every trouble meets every other one.
LOST_ANSWERS: Final = (0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 3, 0, 0, 0, 0, 4)
LAGS: Final = (2, HOUR, 10 * MINUTE, HOUR, 59 * MINUTE)
RESTART_EVERY: Final = 17
RESTORE_EVERY: Final = 61
CLOCK_STEPS: Final = ((40, HOUR), (43, -HOUR), (615, -HOUR), (619, HOUR))
CLOCK_STEPS_WHILE_OFF: Final = ((333, HOUR), (336, -HOUR), (440, -HOUR), (444, HOUR))
"""Someone sets the clock to another time zone by hand, and finds out some days later."""


@pytest.fixture(params=["public client of the example", "built-in client with its secret"])
async def amazon(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Amazon]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    if request.param.startswith("public"):
        shutil.copy(EXAMPLE, folder)
        async with Home(folder, **SETTINGS) as home:
            yield Amazon(home, "amazon-alexa", "what the console insists on, and nobody looks at")
    else:
        (folder / EXAMPLE.name).write_text("{}")
        async with Home(folder, vendor_ids=VENDOR_ID, **SETTINGS) as home:
            secret = home.rig.server.store.read(lambda tx: tx.clients.show_secret("amazon-alexa"))
            assert secret is not None
            yield Amazon(home, "amazon-alexa", secret)


@pytest.mark.parametrize("redirect_uri", REDIRECT_URIS)
async def test_alexa_links_in_every_part_of_the_world(amazon: Amazon, redirect_uri: str) -> None:
    await amazon.link(redirect_uri)
    await amazon.hear("here")
    assert amazon.happened == {"generation": 1, "command": 1}


async def test_a_link_lives_for_two_years(amazon: Amazon) -> None:
    with capture_logs() as log:
        await amazon.link(REDIRECT_URIS[0])
        plan_commands(amazon)
        plan_troubles(amazon.home)
        await amazon.home.live(TWO_YEARS * DAY)
        await amazon.hear("here")
        await amazon.hear("there")

    told = Counter(line["event"] for line in log)
    assert not [name for name in told if name.endswith(("refused", "reused", "ended", "failed", "unavailable"))]
    assert told["token.replayed"] > 20
    assert told["grant.healed"] > 5
    assert told["clock.doubted"] == told["clock.confirmed"] == 6
    assert amazon.happened["refresh"] > 2_000
    assert 80 < amazon.happened["generation"] < 110
    assert amazon.happened["answer lost"] > 500
    assert amazon.happened["predecessor presented"] > 50
    assert amazon.happened["command"] > 1_800


def plan_commands(amazon: Amazon) -> None:
    """A few commands a day. On most mornings one of Amazon's servers hears one or two, and within the hour the other does."""
    lost, lag = cycle(LOST_ANSWERS), cycle(LAGS)
    servers = cycle([("here", "there"), ("there", "here")])
    for day in range(TWO_YEARS):
        if any(day in summer for summer in SUMMER):
            continue
        first, second = next(servers)
        for at, server in (
            (7 * HOUR, first),
            *([(7 * HOUR + 31 * MINUTE, first)] if day % 3 else []),
            *([(8 * HOUR - 1, second)] if day % 4 else []),
            *([(20 * HOUR, second)] if day % 2 else []),
        ):
            amazon.home.plan(day * DAY + at, partial(amazon.hear, server, lost=next(lost), lag=next(lag)))


def plan_troubles(home: Home) -> None:
    """Restarts and restores fall between a lost answer of the morning and its repetition."""
    for day in range(TWO_YEARS):
        home.plan(day * DAY + 4 * HOUR, home.tidy_up)
    for day in range(0, TWO_YEARS, RESTART_EVERY):
        home.plan(day * DAY + 7 * HOUR + 3, home.restart)
    for day in range(RESTORE_EVERY, TWO_YEARS, RESTORE_EVERY):
        home.plan((day - 7) * DAY + 7 * HOUR - 1, home.back_up)
        home.plan(day * DAY + 7 * HOUR + 4, home.restore)
    for day, seconds in CLOCK_STEPS:
        home.plan(day * DAY + 7 * HOUR + 2, partial(home.set_clock, seconds))
    for day, seconds in CLOCK_STEPS_WHILE_OFF:
        home.plan(day * DAY + 7 * HOUR + 2, partial(home.restart, seconds))
