"""What is unusual, as notifications in Home Assistant: what stands there, and what happens while it is in trouble."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from alexa_oauth.settings.loading import SettingsRefused, load
from tests.conftest import StartRig
from tests.panel import by_link
from tests.rig import Rig
from tests.sign_in.core import LONG_LIVED, StandInCore, core_running
from tests.sign_in.standing_in import Handler

METADATA = "/.well-known/oauth-authorization-server"
CREATE = "/api/services/persistent_notification/create"
DISMISS = "/api/services/persistent_notification/dismiss"
HOUR = 3_600
REUSED = "alexa_oauth_token_reused"
FAILED = "notifications.failed"


@pytest.fixture
async def core() -> AsyncIterator[StandInCore]:
    async with core_running(StandInCore()) as core:
        yield core


@pytest.fixture
async def rig(start: StartRig, core: StandInCore) -> Rig:
    return await start(home_assistant_internal_url=core.url, home_assistant_token=LONG_LIVED)


async def happen(rig: Rig, **counts: int) -> None:
    await rig.server.store.write(lambda tx: tx.activity.add(counts))
    await rig.upkeep.look_out()


async def quiet_hours(rig: Rig, hours: int) -> None:
    rig.clocks.advance(hours * HOUR)
    await rig.upkeep.look_out()


def answering(status: int, **headers: str) -> Handler:
    """An answer that repeats the token it was shown."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=request.headers.get("Authorization", ""), headers=headers)

    return answer


async def test_a_reused_token_stands_in_home_assistant_until_it_is_a_day_old(rig: Rig, core: StandInCore) -> None:
    """RFC 9700 §4.14.2: it may have been stolen."""
    await happen(rig, reused=1, refreshed=200)
    assert "used again. The page Attempts says whose it is." in core.notifications[REUSED]
    assert core.notifications[REUSED].endswith("More: Alexa Link → Health.")
    assert core.notifications.keys() == {REUSED, "alexa_oauth_many_tokens"}
    await quiet_hours(rig, 25)
    assert core.notifications == {}


async def test_what_stands_is_not_sent_again_and_new_numbers_wait_an_hour(rig: Rig, core: StandInCore) -> None:
    await happen(rig, failed=31)
    sent = core.asked.count(CREATE)
    await happen(rig)
    await happen(rig, failed=9)
    assert core.asked.count(CREATE) == sent == 1
    assert "31 requests" in core.notifications["alexa_oauth_many_failures"]
    await quiet_hours(rig, 1)
    assert "40 requests" in core.notifications["alexa_oauth_many_failures"]


async def test_what_home_assistant_forgot_at_its_start_is_there_again_after_some_hours(rig: Rig, core: StandInCore) -> None:
    await happen(rig, reused=1, refreshed=1)
    told = dict(core.notifications)
    assert told.keys() >= {REUSED}
    core.notifications.clear()
    await quiet_hours(rig, 5)
    assert core.notifications == {}
    await quiet_hours(rig, 1)
    assert core.notifications == told


async def test_a_start_takes_away_what_an_earlier_run_left(rig: Rig, core: StandInCore) -> None:
    core.notifications |= {REUSED: "old", "http-login": "another's"}
    await rig.upkeep.look_out()
    assert core.notifications == {"http-login": "another's"}
    asked = len(core.asked)
    await rig.upkeep.look_out()
    assert len(core.asked) == asked, "nothing changed, so nobody is asked"


@pytest.mark.parametrize("path", [METADATA, CREATE, DISMISS])
@pytest.mark.parametrize("trouble", ["down", "slow", "500", "redirect", "large"])
async def test_while_home_assistant_is_in_trouble_it_is_tried_again_and_told_once(
    rig: Rig,
    core: StandInCore,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    path: str,
    trouble: str,
) -> None:
    async def large(request: web.Request) -> web.Response:
        return web.Response(text=request.headers.get("Authorization", "") * 10_000)

    core.instead[path] = {
        "down": core.break_off,
        "slow": core.hang,
        "500": answering(500),
        "redirect": answering(307, Location=f"{core.url}/elsewhere"),
        "large": large,
    }[trouble]
    with monkeypatch.context() as hurried:
        if trouble == "slow":
            for module in ("notifications", "sign_in.home_assistant_core"):
                hurried.setattr(f"alexa_oauth.{module}.ANSWER_SECONDS", 0.05)
        await happen(rig, reused=1)
        await rig.upkeep.look_out()
    printed = "".join(capfd.readouterr())
    assert printed.count(FAILED) == 1, printed
    assert LONG_LIVED not in printed
    assert "/elsewhere" not in core.asked
    del core.instead[path]
    await rig.upkeep.look_out()
    assert REUSED in core.notifications
    assert FAILED not in "".join(capfd.readouterr())
    core.instead[METADATA] = core.break_off
    await quiet_hours(rig, 25)
    assert "".join(capfd.readouterr()).count(FAILED) == 1, "the next trouble is told anew"


async def test_a_refused_token_is_shown_once_since_home_assistant_bans_who_fails_often(
    start: StartRig, core: StandInCore, capfd: pytest.CaptureFixture[str]
) -> None:
    token = "canary-of-a-token-that-was-deleted"
    rig = await start(home_assistant_internal_url=core.url, home_assistant_token=token)
    for _ in range(3):
        await happen(rig, reused=1)
    assert len([path for path in core.asked if path != METADATA]) == 1
    printed = "".join(capfd.readouterr())
    assert printed.count("Home Assistant refuses home_assistant_token") == 1
    assert token not in printed


async def test_health_tells_that_home_assistant_is_not_told_and_why(start: StartRig, core: StandInCore) -> None:
    rig = await start(home_assistant_internal_url=core.url, home_assistant_token="a-token-that-was-deleted")
    owner = await by_link(rig)
    assert "Home Assistant is not told" not in (await owner.open("/health")).text
    await rig.upkeep.look_out()
    page = (await owner.open("/health")).text
    assert "Home Assistant is not told of what is unusual." in page
    assert "Home Assistant refuses home_assistant_token" in page


async def test_who_is_not_home_assistant_is_not_shown_the_token(rig: Rig, core: StandInCore) -> None:
    shown = []

    async def other(request: web.Request) -> web.Response:
        shown.append(request.headers.get("Authorization"))
        return web.json_response({"token_endpoint": "/oauth/token"})

    core.instead |= {METADATA: other, CREATE: other, DISMISS: other}
    await happen(rig, reused=1)
    assert shown == [None]


async def test_the_token_stands_nowhere(rig: Rig, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    await happen(rig, reused=1)
    assert LONG_LIVED not in repr(rig.server.settings) + repr(vars(rig.server.notifications)) + "".join(capfd.readouterr())
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and LONG_LIVED.encode() in file.read_bytes()]


async def test_without_a_token_home_assistant_is_told_nothing(start: StartRig, core: StandInCore) -> None:
    await happen(await start(home_assistant_internal_url=core.url), reused=1)
    assert core.asked == []


def test_a_token_needs_an_address_but_in_the_add_on() -> None:
    with pytest.raises(SettingsRefused, match="home_assistant_token: nothing says where Home Assistant is; allowed: ") as refused:
        load({"ALEXA_OAUTH_HOME_ASSISTANT_TOKEN": LONG_LIVED}, {})
    assert LONG_LIVED not in str(refused.value)
    assert load({"SUPERVISOR_TOKEN": "of this start"}, {"home_assistant_token": LONG_LIVED}).settings.home_assistant_token
