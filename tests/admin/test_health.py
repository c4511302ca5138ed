"""The page Health: the doctor's findings, an examination from outside, the last day, and what is unusual."""

import asyncio
import re
from dataclasses import replace

import pytest

from alexa_oauth.admin.charts import HEIGHT, WIDTH, Series, bar_chart
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.diagnosis.causes import address, tokens
from alexa_oauth.diagnosis.causes.path import ANSWER_SLOW
from alexa_oauth.diagnosis.findings import Finding, failed
from alexa_oauth.protocol.activity import HOUR
from alexa_oauth.protocol.events import EventName
from tests.conftest import StartRig
from tests.diagnosis.households import IPV4, World
from tests.panel import ANNA, BERT, PATH, Guest, by_link, home_assistant_user
from tests.proxy.proxies import HOME
from tests.rig import ALEXA_URI, ALEXA_VENDOR, Rig


@pytest.fixture
async def online(start: StartRig) -> Rig:
    return await start(public_url=f"https://{HOME}", sign_in="pairing_code", refresh_token_days="180")


async def test_before_anything_happened_it_says_so_and_offers_the_examination(online: Rig) -> None:
    page = (await (await by_link(online)).open("/health")).text
    assert "Nothing to draw yet" in page
    assert "Call the public address" in page
    assert "<svg" in page.partition("<main")[0]
    assert "<svg" not in page.partition("<main")[2]


async def test_what_is_wrong_inside_is_told_without_asking(start: StartRig) -> None:
    page = (await (await by_link(await start(public_url="", sign_in="pairing_code"))).open("/health")).text
    assert "No public address" in page
    assert "Set public_url to that address" in page
    assert "Amazon advises to let it live for 180 days" in page


async def test_a_refusal_of_this_minute_is_told_before_it_is_written(online: Rig) -> None:
    """Whoever comes here has just seen Alexa fail; to hear that nothing is wrong would send them away."""
    other = ALEXA_URI.replace(ALEXA_VENDOR, "M3OTHERVENDOR")
    assert (await online.browser().authorize("alexa", redirect_uri=other)).status == 400
    page = (await (await by_link(online)).open("/health")).text
    assert "The newest link attempt stopped, for this reason: Alexa wants to be answered at an address" in page


async def test_the_last_day_is_drawn_and_told_as_a_table(online: Rig) -> None:
    tokens = await online.link()
    for _ in range(3):
        assert (await online.refresh(tokens["refresh_token"])).status in {200, 400}
    await online.upkeep.write_activity()
    page = (await (await by_link(online)).open("/health")).text
    assert page.count('role="img"') == 3
    assert page.count("<caption") == 3
    assert re.search(r"<dt>Tokens given out</dt><dd>[1-9]", page)
    assert re.search(r'<desc id="tokens-desc">The highest value is \d tokens?, in the hour from \d\d:\d\d\.</desc>', page)
    assert len(re.findall(r"<tr><td>\d\d:\d\d</td>", page)) == 72


async def test_an_examination_shows_its_steps_and_then_what_it_found(online: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    examination = online.server.admin[PARTS].examination
    outside = World({}, {IPV4: 1}, b"").outside()
    doctor = online.server.admin[PARTS].doctor
    go_on = asyncio.Event()

    async def resolve(name: str) -> list[str]:
        await go_on.wait()
        return list(await outside.resolve(name))

    checkup = replace(doctor, world=replace(outside, resolve=resolve))  # type: ignore[type-var]  # it is a Checkup
    monkeypatch.setattr(examination, "_examine", checkup.examine)  # type: ignore[attr-defined]  # the same
    guest = await by_link(online)
    await guest.open("/health")
    answer = await guest.change("/health/examine")
    assert (answer.status, answer.location) == (303, "/health")
    await asyncio.sleep(0)
    page = (await guest.open("/health")).text
    assert 'data-live="2"' in page
    assert "health/examine" not in page
    first = examination._running
    assert (await guest.change("/health/examine")).status == 303
    assert examination._running is first, "a second one is the same"
    go_on.set()
    assert first is not None
    await first
    page = (await guest.open("/health")).text
    assert 'data-live="2"' not in page
    assert "The name is not in the public DNS" in page
    assert "Name or service not known" in page
    assert "Call it again" in page
    report = page.partition('<pre id="report"')[2].partition("</pre>")[0]
    assert "**fail** name_not_found" in report
    assert HOME not in report


async def test_what_was_measured_outweighs_what_an_attempt_lets_one_guess(online: Rig) -> None:
    """An attempt that stopped, probably for a slow answer, is but advice; ten seconds without an answer are a fault."""
    browser = online.browser()
    code = (await browser.approve(await browser.authorize("alexa"))).returned["code"]
    for _ in range(2):
        assert (await online.redeem(code, "alexa")).status == 200
    online.server.admin[PARTS].examination.findings = (failed(ANSWER_SLOW, "No answer came within 10 seconds."),)
    page = (await (await by_link(online)).open("/health")).text
    assert "No answer came within 10 seconds." in page


async def test_an_examination_that_breaks_off_is_told(online: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    examination = online.server.admin[PARTS].examination

    async def fail(_: object) -> tuple[Finding, ...]:
        raise RuntimeError

    monkeypatch.setattr(examination, "_examine", fail)
    guest = await by_link(online)
    await guest.open("/health")
    await guest.change("/health/examine")
    assert examination._running is not None
    await examination._running
    assert "broke off" in (await guest.open("/health")).text


async def test_it_is_for_administrators_alone(house: Rig) -> None:
    await home_assistant_user(house).open()
    bert = home_assistant_user(house, BERT, "Bert")
    await bert.open()
    assert (await bert.open("/health")).status == 403
    assert (await bert.change("/health/examine")).status == 403
    assert not house.server.admin[PARTS].examination.is_running


async def test_what_is_unusual_stands_at_the_top(online: Rig) -> None:
    await online.server.store.write(lambda tx: tx.activity.add({"reused": 1, "refreshed": 101, "failed": 31, "refused": 3}))
    page = (await (await by_link(online)).open("/health")).text
    assert '<p class="alert"><strong>A token that was replaced long ago was used again.' in page
    assert "101 tokens were given out within an hour" in page
    assert "31 requests were refused within an hour." in page
    assert "96.2% were answered with tokens." in page


async def test_a_link_that_nobody_uses_is_told_of_before_it_ends(online: Rig) -> None:
    await online.link()
    guest: Guest = await by_link(online)
    assert "nobody uses" not in (await guest.open("/health")).text
    online.clocks.advance(175 * 24 * HOUR)
    guest = await by_link(online)
    page = (await guest.open("/health")).text
    assert "A link that nobody uses ends in 5 days." in page
    assert "for a day Alexa has asked for no token" in page


def test_bars_stay_within_their_chart() -> None:
    values = [None, 0.0, 1.0, 1_000.0, float("inf"), *[2.0] * 19]
    chart = bar_chart("one", "One", Series([f"{hour:02}:00" for hour in range(24)], values, lambda value: f"{value:g}"))
    assert [bar.height for bar in chart.bars[:2]] == [0, 0]
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH for bar in chart.bars)
    assert all(bar.y >= 0 and bar.y + bar.height <= HEIGHT for bar in chart.bars if bar.height)
    assert chart.bars[3].height == chart.bars[4].height > chart.bars[2].height > 0
    assert (chart.top, [bar.label for bar in chart.bars if bar.label]) == ("1000", ["00:00", "06:00", "12:00", "18:00"])


async def test_what_cannot_wait_stands_on_every_page_of_administrators_with_the_way_to_health(house: Rig) -> None:
    """RFC 9700 §4.14.2: a reused refresh token may be a stolen one."""
    anna, bert = home_assistant_user(house), home_assistant_user(house, BERT, "Bert")
    assert "used again" not in (await anna.open("/links")).text
    await bert.open()
    await house.server.store.write(lambda tx: tx.activity.add({"reused": 1, "refreshed": 1, "refused": 1}))
    await house.upkeep.look_out()
    for path in ("/", "/links", "/audit"):
        page = (await anna.open(path)).text
        assert f'used again. <a href="{PATH}/health">' in page, path
        assert "were answered with tokens" not in page, "what can wait is told on Health alone"
    assert (await anna.open("/health")).text.count("used again") == 1
    assert "used again" not in (await bert.open("/links")).text
    house.clocks.advance(25 * HOUR)
    await house.upkeep.look_out()
    assert "used again" not in (await anna.open("/links")).text


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE grants SET payload = x'00' WHERE rowid = 1",
        "UPDATE grants SET payload = (SELECT payload FROM grants WHERE rowid = 2) WHERE rowid = 1",
    ],
)
async def test_a_damaged_row_is_told_with_its_table_and_what_helps(online: Rig, damage: str) -> None:
    """Somebody who can write the database, or a bad disk, changes one payload: the page that helps must not fail by it."""
    for _ in range(2):
        await online.link()
    assert await online.server.store.write(lambda tx: tx.connection.execute(damage).rowcount) == 1  # type: ignore[attr-defined]  # SQLite's
    guest = await by_link(online)
    page = await guest.open("/health")
    assert page.status == 200
    assert "A stored row is damaged" in page.text
    assert "A payload in grants" in page.text
    assert "Restore a backup from before that" in page.text
    links = await guest.open("/links")
    assert (links.status, "The page Health says where it stands" in links.text) == (500, True)


async def test_a_clock_in_doubt_is_believed_again_when_an_administrator_says_that_it_is_right(house: Rig) -> None:
    """A machine without the internet's time: nothing is refused for its age until somebody looks at a watch."""
    anna = home_assistant_user(house)
    assert "The clock is right" not in (await anna.open("/health")).text
    house.clocks.step(2 * HOUR)
    await house.upkeep.watch_clock()
    page = (await anna.open("/health")).text
    assert "so nothing is refused for its age" in page
    assert re.search(r"This machine's clock says <time[^>]*>15 Jan 2027, \d\d:00:00</time>", page)
    answer = await anna.change("/health/clock")
    assert (answer.status, answer.location) == (303, f"{PATH}/health")
    page = (await anna.open("/health")).text
    assert "The clock is believed again." in page
    assert "so nothing is refused for its age" not in page
    assert (await house.send("GET", "/health")).status == 200
    (event,) = await house.audit(EventName.CLOCK_CONFIRMED)
    assert event.detail == {"by": f"ha:{ANNA}"}
    await anna.change("/health/clock")
    assert "Nobody doubts the clock now." in (await anna.open("/health")).text
    assert len(await house.audit(EventName.CLOCK_CONFIRMED)) == 1
    for step in (0, 2 * HOUR):
        house.clocks.step(step)
        await house.upkeep.watch_clock()
    assert len(await house.audit(EventName.CLOCK_DOUBTED)) == 2, "a doubt that comes after is told anew"


async def test_what_shows_inside_is_told_as_it_is_now_whatever_the_last_examination_found(online: Rig) -> None:
    found = (failed(tokens.DISK_NEARLY_FULL, "Full then."), failed(address.PORT_CLOSED, "Closed then."))
    online.server.admin[PARTS].examination.findings = found
    page = (await (await by_link(online)).open("/health")).text
    assert ("Full then." in page, "Closed then." in page) == (False, True)
