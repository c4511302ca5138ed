"""The page Backup on every screen, and a backup made and restored by a person with a mouse."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import Grant
from alexa_oauth.storage.backups import sealed
from tests.browser.conftest import OpenPanel
from tests.browser.panel_rooms import SCREENS, PanelRoom
from tests.browser.visitor import Screen
from tests.panel import ANNA
from tests.rig import NOW

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_SCRYPT", {**sealed._SCRYPT, "n": 2**8})


async def fill(panel: PanelRoom) -> None:
    """A week of copies, a restore, and a rotation that is not through."""
    store, folder = panel.rig.store, panel.rig.server.settings.data_dir
    for number in range(3):
        grant = Grant(f"{number:016x}", "alexa", "local", ("music.read",), bytes(20), "a", NOW, 1, NOW, None, None, None, NOW)
        await store.write(lambda tx: tx.grants.add(grant))  # noqa: B023 - it is run at once
    await panel.rig.upkeep.copy_daily()
    copy = folder / "backups" / "2027-01-15.db"
    for name in ("2027-01-14.db", "2027-01-13.db", "before-20270114T101500Z-1a2b.db"):
        (folder / "backups" / name).write_bytes(copy.read_bytes())
    await store.keys.rotate_data(Event(EventName.KEY_ROTATED))


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_backup_from_a_checkout(screen: Screen, open_panel: OpenPanel, tmp_path: Path) -> None:
    panel = await open_panel(screen, public_url="http://127.0.0.1:8096")
    await panel.show("/backup", "backup-empty")
    await fill(panel)
    await panel.visitor.open("/backup")
    for summary in ("Master key…", "Data keys…", "End all links…", "New client secret…"):
        await panel.page.get_by_text(summary, exact=True).click()
    await panel.look("backup-full")
    await panel.page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    await panel.page.get_by_label("Once more").fill(PASSPHRASE)
    async with panel.page.expect_download() as begun:
        await panel.page.get_by_role("button", name="Make and download").click()
    download = await begun.value
    assert download.suggested_filename.endswith(".backup")
    await download.save_as(tmp_path / "backup")
    assert (tmp_path / "backup").read_bytes().startswith(sealed.FIRST_LINE)
    await panel.visitor.open("/backup")
    await panel.page.get_by_label("Passphrase of the backup").fill(PASSPHRASE)
    await panel.page.get_by_label("File").set_input_files(tmp_path / "backup")
    await panel.page.get_by_role("button", name="Look into it").click()
    await panel.page.get_by_role("heading", name="Restore this backup?").wait_for()
    await panel.look("backup-checked")


@pytest.mark.parametrize("screen", SCREENS[:2], ids=str)
async def test_backup_inside_home_assistant(screen: Screen, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen, user=(ANNA, "Anna"))
    await fill(panel)
    await panel.visitor.open("/backup")
    await panel.page.get_by_role("button", name="Restore…").first.click()
    await panel.look("backup-copy-checked")
    await panel.page.get_by_role("link", name="Leave everything as it is").click()
    await panel.look("backup-home-assistant")
    with closing(sqlite3.connect(panel.rig.server.settings.data_dir / "oauth.db")) as database:
        assert database.execute("SELECT count(*) FROM grants").fetchone() == (3,)
