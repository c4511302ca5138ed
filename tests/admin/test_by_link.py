"""The panel from a checkout: a one-time link opens it, for a while, in one browser."""

import pytest

from alexa_oauth.admin.by_link import IDLE_SECONDS, LINK_SECONDS, SESSION_LIMIT, SESSION_SECONDS
from alexa_oauth.protocol.errors import StorageUnavailable
from tests.panel import Guest, at_the_panel, by_link, link_to
from tests.rig import Rig


async def test_without_a_link_it_is_closed(checkout: Rig) -> None:
    answer = await at_the_panel(checkout).open()
    assert answer.status == 403
    assert "alexa-oauth admin-link" in answer.text
    assert "<nav" not in answer.text


async def test_a_link_opens_it_once(checkout: Rig) -> None:
    path = await link_to(checkout)
    first, second = at_the_panel(checkout), at_the_panel(checkout)
    answer = await first.send("GET", path)
    cookie = answer.headers["Set-Cookie"]
    assert all(attribute in cookie for attribute in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert (await first.open()).status == 200
    assert (await second.send("GET", path)).status == 403
    assert (await second.open()).status == 403


async def test_a_link_is_over_after_ten_minutes(checkout: Rig) -> None:
    path = await link_to(checkout)
    checkout.clocks.advance(LINK_SECONDS)
    assert (await at_the_panel(checkout).send("GET", path)).status == 403


async def test_on_a_full_disk_the_link_says_so_and_is_not_used_up(checkout: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """To spend it is to write; who comes to see what is wrong gets a page, and no fault of the server's."""
    path = await link_to(checkout)

    async def refuse(*_: object) -> None:
        raise StorageUnavailable("disk full")

    with monkeypatch.context() as full:
        full.setattr(checkout.server.store, "write", refuse)
        answer = await at_the_panel(checkout).send("GET", path)
    assert (answer.status, "a full disk is the usual cause" in answer.text) == (503, True)
    assert (await at_the_panel(checkout).send("GET", path)).status == 200


async def test_nobody_may_frame_it(owner: Guest) -> None:
    answer = await owner.open()
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert (answer.headers["Cache-Control"], "Server" in answer.headers) == ("no-store", False)


@pytest.mark.parametrize(
    "host", ["rebound.test", "rebound.test:8099", "127.0.0.1.rebound.test", "", "[", "[::1", "127.0.0.1:x", "2130706433"]
)
async def test_dns_rebinding_a_name_of_the_internet_that_points_here_finds_nothing(
    checkout: Rig, owner: Guest, host: str
) -> None:
    await owner.open()
    for answer in (
        await owner.open("/", Host=host),
        await owner.post("/sign-out", {"csrf": owner.csrf}, Host=host),
        await at_the_panel(checkout).send("GET", await link_to(checkout), Host=host),
    ):
        assert answer.status in {400, 404}
        assert b"csrf" not in answer.body


@pytest.mark.parametrize("host", ["localhost", "localhost:8099", "[::1]:8099", "192.168.1.7:8099"])
async def test_addresses_and_the_machine_s_own_name_are_no_rebinding(checkout: Rig, host: str) -> None:
    guest = at_the_panel(checkout, Host=host)
    assert (await guest.send("GET", await link_to(checkout), Host=host)).status == 200
    assert (await guest.open()).status == 200


async def test_headers_of_home_assistant_mean_nothing_here(checkout: Rig) -> None:
    assert (await at_the_panel(checkout, X_Remote_User_Id="a" * 32, X_Ingress_Path="/x").open()).status == 403


async def test_a_visit_ends_when_nobody_uses_it(checkout: Rig, owner: Guest) -> None:
    for _ in range(3):
        checkout.clocks.advance(IDLE_SECONDS - 1)
        assert (await owner.open()).status == 200
    checkout.clocks.advance(IDLE_SECONDS)
    assert (await owner.open()).status == 403


async def test_what_a_page_fetches_by_itself_is_no_use(checkout: Rig, owner: Guest) -> None:
    checkout.clocks.advance(IDLE_SECONDS - 1)
    assert (await owner.open("/", X_Panel_Live="1")).status == 200
    checkout.clocks.advance(1)
    assert (await owner.open()).status == 403


async def test_a_visit_ends_after_half_a_day_however_busy(checkout: Rig, owner: Guest) -> None:
    for _ in range(SESSION_SECONDS // 1_800 - 1):
        checkout.clocks.advance(1_800)
        assert (await owner.open()).status == 200
    checkout.clocks.advance(1_800)
    assert (await owner.open()).status == 403


async def test_signing_out_ends_it_at_once(owner: Guest) -> None:
    await owner.open()
    assert "You are signed out" in (await owner.change("/sign-out")).text
    assert (await owner.open()).status == 403


async def test_visits_are_bounded_in_number(checkout: Rig, owner: Guest) -> None:
    for _ in range(SESSION_LIMIT):
        await by_link(checkout)
    assert (await owner.open()).status == 403
