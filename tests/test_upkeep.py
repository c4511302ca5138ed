"""What the server does by itself, without waiting for it."""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpServer
from structlog.testing import capture_logs

from alexa_oauth.app import entropy
from alexa_oauth.protocol.errors import StartRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.reading import EventQuery
from alexa_oauth.storage.store import Opening, SqliteStore
from tests.conftest import StartRig
from tests.rig import NOW, Rig

Telling = Callable[[float], Awaitable[TestServer]]

HOUR = 3_600
FAILED = Event(EventName.TOKEN_REFUSED, reason=Reason.CODE_UNKNOWN, address="192.0.2.1")


def broken() -> None:
    raise StorageUnavailable("full")


async def no_pause(_: float) -> None:
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0)


async def events(rig: Rig) -> list[str]:
    async with rig.server.store.opened.reader() as reader:  # type: ignore[union-attr]  # opened by the rig
        return [row.event.name for row in reversed(await reader.events(EventQuery(50)))]


async def test_refusals_are_written_once_a_minute_as_one_sum(rig: Rig) -> None:
    for _ in range(3):
        rig.server.recorder.ledger.note(FAILED)
    await rig.upkeep.write_refusals()
    assert not rig.server.recorder.ledger.sums()
    await rig.upkeep.write_refusals()
    async with rig.server.store.opened.reader() as reader:  # type: ignore[union-attr]  # opened by the rig
        written = [(row.event.name, row.event.count) for row in await reader.events(EventQuery(50))]
    assert written.count(("token.refused", 3)) == 1


async def test_a_refusal_is_logged_and_counted_when_it_happens_and_not_again_when_its_sum_is_written(rig: Rig) -> None:
    with capture_logs() as lines:
        assert (await rig.redeem("no such code")).refusal == (400, "invalid_grant")
        await rig.upkeep.write_refusals()
        await no_pause(0)
    assert [line["reason"] for line in lines if line["event"] == "token.refused"] == ["code_unknown"]
    assert rig.server.recorder.metrics.events["token.refused", "code_unknown"] == 1
    assert "token.refused" in await events(rig)


async def test_refusals_that_a_full_disk_kept_from_being_written_are_written_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.server.recorder.ledger.note(FAILED)
    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(rig.server.store, "write", lambda _: broken())
        with pytest.raises(StorageUnavailable):
            await rig.upkeep.write_refusals()
    await rig.upkeep.write_refusals()
    assert "token.refused" in await events(rig)


def copies(rig: Rig) -> list[str]:
    return sorted(file.name for file in (rig.server.settings.data_dir / "backups").glob("*.db"))


async def test_a_day_has_one_copy_however_often_it_is_asked_for(rig: Rig) -> None:
    for _ in range(3):
        await rig.upkeep.copy_daily()
    rig.clocks.advance(24 * HOUR)
    await rig.upkeep.copy_daily()
    assert copies(rig) == ["2027-01-15.db", "2027-01-16.db"]
    assert (await events(rig)).count("backup.made") == 2


async def test_a_copy_that_fails_is_told_once_ends_nothing_and_is_tried_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full() -> None:
        raise StorageUnavailable("disk full")

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(rig.store, "daily_copy", full)
        for _ in range(3):
            await rig.upkeep.copy_daily()
    assert (await events(rig)).count("backup.failed") == 1
    await rig.upkeep.copy_daily()
    assert copies(rig) == ["2027-01-15.db"]


async def test_while_in_doubt_nobody_knows_the_day_and_no_copy_is_made(rig: Rig) -> None:
    rig.clocks.step(400 * 24 * HOUR)
    await rig.upkeep.copy_daily()
    assert copies(rig) == []


async def test_keys_that_a_command_changed_are_taken_up(rig: Rig) -> None:
    settings = rig.server.settings
    opening = Opening(None, rig.server.clock.instant, entropy, dict, on_commit=lambda _: None, serving=False)
    command = SqliteStore.open(settings.data_dir, opening)
    await command.keys.rotate_data(Event(EventName.KEY_ROTATED))
    await command.keys.rotate_master(Event(EventName.KEY_ROTATED))
    await command.close()
    await rig.upkeep.refresh_keys()
    assert rig.store.keys.master.key_id == command.keys.master.key_id
    assert rig.store.keys.ring.newest_token_key_id == command.keys.ring.newest_token_key_id


@pytest.fixture
def telling(aiohttp_server: AiohttpServer) -> Telling:
    """Starts a Home Assistant whose clock stands at that instant, and whose front page sends browsers on."""

    async def telling(date: float) -> TestServer:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(
                status=302, headers={"Date": formatdate(date, usegmt=True), "Location": "https://nobody.invalid/"}
            )

        application = web.Application()
        application.router.add_get("/", answer)
        return await aiohttp_server(application)

    return telling


async def doubting(start: StartRig, home_assistant: TestServer) -> Rig:
    """A server whose clock was put forward by an hour, and who may ask that Home Assistant."""
    rig = await start(home_assistant_url=str(home_assistant.make_url("")).removesuffix("/"))
    rig.clocks.step(HOUR)
    await rig.upkeep.watch_clock()
    return rig


async def test_doubt_of_the_clock_is_told_once_and_ends_by_a_date_that_agrees(start: StartRig, telling: Telling) -> None:
    rig = await doubting(start, await telling(NOW + HOUR + 10))
    await rig.upkeep.watch_clock()
    assert (await rig.send("GET", "/health")).json["checks"]["clock"] == "doubtful"
    await rig.upkeep.ask_for_the_date()
    assert (await rig.send("GET", "/health")).status == 200
    assert (await events(rig))[-2:] == ["clock.doubted", "clock.confirmed"]


async def test_a_date_that_disagrees_leaves_the_doubt(start: StartRig, telling: Telling) -> None:
    rig = await doubting(start, await telling(NOW))
    await rig.upkeep.ask_for_the_date()
    assert rig.server.clock.doubtful


async def test_where_nobody_tells_the_date_the_doubt_stays(start: StartRig, telling: Telling) -> None:
    home_assistant = await telling(NOW + HOUR)
    rig = await doubting(start, home_assistant)
    await home_assistant.close()
    await rig.upkeep.ask_for_the_date()
    assert rig.server.clock.doubtful


async def test_a_step_that_turns_out_right_makes_no_link_too_old(start: StartRig, telling: Telling) -> None:
    """The clock had stood still for longer than an unused refresh token lives; the link was in use all the time."""
    home_assistant = await telling(NOW + 200 * 24 * HOUR)
    rig = await start(home_assistant_url=str(home_assistant.make_url("")).removesuffix("/"))
    refresh_token = (await rig.link())["refresh_token"]
    rig.clocks.step(200 * 24 * HOUR)
    await rig.upkeep.watch_clock()
    await rig.upkeep.ask_for_the_date()
    assert not rig.server.clock.doubtful
    assert (await rig.refresh(refresh_token)).status == 200


async def test_while_in_doubt_no_answer_carries_a_date_so_that_the_clock_cannot_confirm_itself(rig: Rig) -> None:
    assert "Date" in (await rig.send("GET", "/health")).headers
    rig.clocks.step(HOUR)
    await rig.upkeep.watch_clock()
    assert "Date" not in (await rig.send("GET", "/health")).headers


async def test_a_broken_clients_file_changes_nothing_until_it_is_mended(rig: Rig) -> None:
    path = rig.server.settings.clients_file
    whole = path.read_text()
    path.write_text(whole.replace('"C1"', '"D1"')[:-5])
    await rig.upkeep.reload_clients()
    assert (await rig.browser().authorize("C1")).status == 200
    path.write_text(whole.replace('"C1"', '"D1"'))
    await rig.upkeep.reload_clients()
    assert (await rig.browser().authorize("C1")).status == 400


async def test_a_key_that_turns_out_wrong_once_the_disk_can_be_read_ends_the_duties(
    monkeypatch: pytest.MonkeyPatch, rig: Rig
) -> None:
    def refuse() -> bool:
        raise StartRefused("wrong encryption key")

    monkeypatch.setattr(rig.server.store, "try_to_open", refuse)
    monkeypatch.setattr("alexa_oauth.upkeep.asyncio.sleep", no_pause)
    with pytest.raises(StartRefused, match="wrong encryption key"):
        await rig.upkeep.run()


async def test_one_duty_that_fails_ends_no_other(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    done = asyncio.Event()

    async def fails() -> None:
        raise RuntimeError

    async def reloads() -> None:
        done.set()

    monkeypatch.setattr(rig.upkeep, "mend_store", fails)
    monkeypatch.setattr(rig.upkeep, "reload_clients", reloads)
    monkeypatch.setattr("alexa_oauth.upkeep.asyncio.sleep", no_pause)
    duties = asyncio.create_task(rig.upkeep.run())
    await done.wait()
    duties.cancel()
    with pytest.raises(asyncio.CancelledError):
        await duties


async def test_when_the_duties_end_none_of_them_still_runs(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    """The store is closed next, and a duty that is still tidying up would find it gone."""
    begun, ended, beat = asyncio.Event(), asyncio.Event(), asyncio.sleep

    async def tidies_up() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await beat(0)
            ended.set()

    monkeypatch.setattr(rig.upkeep, "reload_clients", tidies_up)
    monkeypatch.setattr("alexa_oauth.upkeep.asyncio.sleep", no_pause)
    duties = asyncio.create_task(rig.upkeep.run())
    await begun.wait()
    duties.cancel()
    with pytest.raises(asyncio.CancelledError):
        await duties
    assert ended.is_set()
