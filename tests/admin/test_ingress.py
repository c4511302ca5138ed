"""The panel of an add-on: only Home Assistant's ingress gateway is let in, and what it says of the person is believed."""

import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from alexa_oauth.admin import ingress
from alexa_oauth.admin.routes import AdminParts, admin_application
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import EventName
from alexa_oauth.web.pages import Pages
from tests.conftest import StartRig
from tests.rig import CountedChance, Rig

ANNA = "0123456789abcdef0123456789abcdef"
BERT = "fedcba9876543210fedcba9876543210"
PATH = "/api/hassio_ingress/xUnEz2QbsRUzy-Vk_mVsmcj7Xg"

Panel = TestClient[web.Request, web.Application]
Open = Callable[..., Awaitable[Panel]]


@pytest.fixture
async def house(start: StartRig) -> Rig:
    return await start(sign_in="pairing_code")


@pytest.fixture
def knock(house: Rig, aiohttp_client: Callable[..., Awaitable[Panel]]) -> Open:
    """The admin listener as any peer finds it."""

    async def begin(*, asks_for_code: bool = True) -> Panel:
        parts = AdminParts(house.server.store, Pages(), CountedChance(), asks_for_code)
        return await aiohttp_client(TestServer(admin_application(parts, supervised=True)))

    return begin


@pytest.fixture
def gateway(knock: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    """The admin listener as the gateway finds it."""
    monkeypatch.setattr(ingress, "GATEWAY", ip_address("127.0.0.1"))
    return knock


async def shown(panel: Panel, **headers: str) -> str:
    answer = await panel.get("/", headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status == 200
    return await answer.text()


def code_on(page: str) -> str:
    found = re.search(r"<code>([A-Z]{4}-[A-Z]{4})</code>", page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("path", ["/", "/open/x", "/metrics", "/elsewhere"])
async def test_another_container_gets_nothing_whatever_it_says_of_itself(knock: Open, path: str) -> None:
    panel = await knock()
    said = {
        "X-Remote-User-Id": ANNA,
        "X-Forwarded-For": str(ingress.GATEWAY),
        "X-Real-IP": str(ingress.GATEWAY),
        "X-Hass-Source": "core.ingress",
        "X-Ingress-Path": PATH,
        "Host": str(ingress.GATEWAY),
    }
    answer = await panel.get(path, headers=said)
    assert answer.status == 403
    assert await answer.json() == {"error": "invalid_request", "error_description": "Forbidden"}


async def test_the_gateway_is_where_the_supervisor_is() -> None:
    assert str(ingress.GATEWAY) == "172.30.32.2"


async def test_a_code_links_in_the_name_of_the_person_who_was_shown_it(house: Rig, gateway: Open) -> None:
    panel = await gateway()
    pages = [await shown(panel, X_Remote_User_Id=user) for user in (ANNA, BERT, ANNA)]
    annas, berts, annas_again = (code_on(page) for page in pages)
    assert annas == annas_again != berts
    browser = house.browser()
    await browser.approve(await browser.authorize(), pairing_code=berts)
    (approved,) = await house.audit(EventName.CONSENT_APPROVED)
    assert approved.subject == f"ha:{BERT}"
    assert code_on(await shown(panel, X_Remote_User_Id=BERT)) != berts


@pytest.mark.parametrize("said", [{}, {"X-Remote-User-Id": ""}, {"X-Remote-User-Id": "a b"}, {"X-Remote-User-Name": "anna"}])
async def test_nobody_is_shown_no_code(gateway: Open, said: dict[str, str]) -> None:
    page = await shown(await gateway(), **said)
    assert "Home Assistant did not say who you are" in page
    assert "<code>" not in page


async def test_two_names_for_one_person_are_none(gateway: Open) -> None:
    panel = await gateway()
    answer = await panel.get("/", headers=[("X-Remote-User-Id", ANNA), ("X-Remote-User-Id", BERT)])
    assert "did not say who you are" in await answer.text()


async def test_home_assistant_may_frame_it_and_nobody_else(gateway: Open) -> None:
    answer = await (await gateway()).get("/", headers={"X-Remote-User-Id": ANNA})
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("said", "link"),
    [(PATH, f'href="{PATH}/"'), ("", 'href="/"'), ("//evil.test", 'href="/"'), (f'{PATH}"><script>', 'href="/"')],
)
async def test_its_links_lead_where_the_browser_is(gateway: Open, said: str, link: str) -> None:
    page = await shown(await gateway(), X_Remote_User_Id=ANNA, X_Ingress_Path=said)
    assert re.findall(r'href="[^"]*"', page) == [link]


async def test_where_no_code_is_asked_for_none_is_shown(gateway: Open) -> None:
    page = await shown(await gateway(asks_for_code=False), X_Remote_User_Id=ANNA)
    assert "pairing code" not in page.lower()
    assert "Log" in page


async def test_a_disk_that_takes_no_writes_is_said_in_words(house: Rig, gateway: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_rule: object) -> None:
        raise StorageUnavailable("disk full")

    panel = await gateway()
    monkeypatch.setattr(type(house.server.store), "write", lambda _store, rule: refuse(rule))
    answer = await panel.get("/", headers={"X-Remote-User-Id": ANNA})
    assert (answer.status, answer.headers["X-Frame-Options"]) == (503, "SAMEORIGIN")
    assert "Nothing is lost" in await answer.text()


async def test_no_one_time_link_opens_it(gateway: Open) -> None:
    assert (await (await gateway()).get("/open/anything")).status == 404
