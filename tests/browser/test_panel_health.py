"""The page Health on every screen: with no data, with a day's, while it examines, and with faults to look at."""

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from alexa_oauth.admin.parts import PARTS
from alexa_oauth.checkup import Checkup
from alexa_oauth.protocol.activity import HOUR
from alexa_oauth.storage.transaction import SqliteTransaction
from tests.browser.conftest import OpenPanel
from tests.browser.panel_rooms import SCREENS, PanelRoom
from tests.browser.visitor import Screen
from tests.diagnosis.households import IPV4, IPV6, World
from tests.rig import NOW

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAME: Final = "alexa-of-a-household-with-a-long-name.example.org"
WELL: Final = {
    "public_url": f"https://{NAME}",
    "refresh_token_days": "180",
    "vendor_ids": "M1A2B3C4D5E6F7",
    "sign_in": "pairing_code",
}
USUAL: Final = (0, 0, 0, 0, 0, 0, 2, 4, 6, 5, 3, 2, 4, 4, 3, 5, 8, 12, 10, 9, 6, 4, 2, 1)


async def fill(panel: PanelRoom) -> None:
    """A day as a household has it, with some refusals in the evening."""

    def write(tx: SqliteTransaction) -> None:
        for ago, tokens in enumerate(reversed(USUAL)):
            hour = NOW - NOW % HOUR - ago * HOUR
            counts = {"refreshed": tokens, "time_2": tokens, "time_4": tokens // 3, "refused": 1 if ago == 5 else 0}
            for name, number in counts.items():
                if number:
                    tx.connection.execute("INSERT INTO activity VALUES (?, ?, ?)", (hour, name, number))

    await panel.rig.store.write(write)


async def examine(panel: PanelRoom, world: World, hold: asyncio.Event) -> None:
    """Press the button; the DNS answers when the event is set."""
    parts = panel.rig.server.admin[PARTS]
    outside = world.outside()

    async def resolve(name: str) -> list[str]:
        await hold.wait()
        return list(await outside.resolve(name))

    assert isinstance(parts.doctor, Checkup)
    parts.examination._examine = replace(parts.doctor, world=replace(outside, resolve=resolve)).examine
    await panel.page.get_by_role("button", name="Call the public address").click()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_no_data_then_a_day(screen: Screen, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen, **WELL)
    await panel.show("/health", "health-empty")
    await fill(panel)
    await panel.show("/health", "health-day")
    await panel.page.get_by_text("As a table").first.click()
    await panel.page.get_by_text("Report for a bug tracker").click()
    await panel.look("health-unfolded")


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_faults(screen: Screen, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen, public_url=f"https://{NAME}:8443", sign_in="pairing_code")
    await fill(panel)
    await panel.rig.store.write(lambda tx: tx.activity.add({"reused": 1, "failed": 44}))
    hold = asyncio.Event()
    await panel.visitor.open("/health")
    closed = World({NAME: [IPV4, IPV6]}, {IPV4: 1, IPV6: 1}, b"")
    await examine(panel, closed, hold)
    await panel.look("health-examining")
    hold.set()
    running = panel.rig.server.admin[PARTS].examination._running
    assert running is not None
    await running
    await panel.visitor.open("/health")
    await panel.page.get_by_text("What this rests on").first.click()
    await panel.look("health-faults")
    await panel.show("/links", "links-reminded")
    panel.rig.clocks.step(2 * HOUR)
    await panel.rig.upkeep.watch_clock()
    await panel.visitor.open("/health")
    await panel.page.get_by_text("The clock is right…").click()
    await panel.look("health-clock")
