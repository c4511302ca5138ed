"""What is unusual, told to a real Home Assistant, in the name of somebody who administers nothing there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.core_process import HASS, CoreProcess
from tests.rig import Rig, running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOUR = 3_600
DAY = 24 * HOUR
REUSED = "alexa_oauth_token_reused"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def core(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CoreProcess]:
    """Core takes seconds to start, so the tests of this file share one."""
    assert HASS.exists(), "there is no environment for Home Assistant; ./test.sh --all makes it"
    core = CoreProcess(tmp_path_factory.mktemp("core"))
    try:
        await asyncio.to_thread(core.start)
        await asyncio.to_thread(core.onboard, "Anna")
        yield core
    finally:
        await asyncio.to_thread(core.stop)


async def test_a_reused_token_shows_there_until_it_is_over_and_while_core_is_away_nothing_is_lost(
    core: CoreProcess, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """RFC 9700 §4.14.2: a refresh token that was replaced before comes again."""
    token = await core.long_lived_token(await core.add("Bodo"))
    settings = {"home_assistant_internal_url": core.url, "home_assistant_token": token}
    async with running(tmp_path / "data", settings) as rig:
        await rig.upkeep.look_out()
        assert REUSED not in await core.notifications()
        await reuse(rig)
        await rig.upkeep.look_out()
        shown = (await core.notifications())[REUSED]
        assert shown["title"] == "Alexa Link"
        assert shown["message"].startswith("A token that was replaced long ago was used again. ")
        rig.clocks.advance(DAY + HOUR)
        await rig.upkeep.look_out()
        assert REUSED not in await core.notifications()
        await asyncio.to_thread(core.stop)
        await reuse(rig)
        for _ in range(3):
            await rig.upkeep.look_out()
        await asyncio.to_thread(core.start)
        await rig.upkeep.look_out()
        assert REUSED in await core.notifications()
    printed = "".join(capfd.readouterr())
    assert printed.count("notifications.failed") == 1
    assert token not in printed


async def test_a_token_that_its_user_deleted_counts_as_one_failed_login_there(
    core: CoreProcess, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"home_assistant_internal_url": core.url, "home_assistant_token": "deleted-" * 20}
    async with running(tmp_path / "data", settings) as rig:
        for _ in range(3):
            await rig.upkeep.look_out()
    assert "".join(capfd.readouterr()).count("Home Assistant refuses home_assistant_token") == 1
    assert core.printed.count("Login attempt or request with invalid authentication") == 1


async def reuse(rig: Rig) -> None:
    """Use a refresh token twice that is good for one time."""
    first = (await rig.link("C3"))["refresh_token"]
    assert (await rig.refresh(first, "C3")).status == 200
    assert (await rig.refresh(first, "C3")).refusal == (400, "invalid_grant")
    await rig.upkeep.write_activity()
