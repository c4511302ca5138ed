"""The panel of an add-on: only Home Assistant's ingress gateway is let in, and what it says of the person is believed."""

import re

import pytest

from alexa_oauth.admin import ingress
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import EventName
from tests.conftest import StartRig
from tests.panel import ANNA, BERT, PATH, at_the_panel, home_assistant_user
from tests.rig import ISSUER, Rig


def code_on(page: str) -> str:
    found = re.search(r"<code>([A-Z]{4}-[A-Z]{4})</code>", page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("path", ["/", "/open/x", "/metrics", "/elsewhere"])
async def test_another_container_gets_nothing_whatever_it_says_of_itself(start: StartRig, path: str) -> None:
    stranger = at_the_panel(
        await start(supervised=True),
        X_Remote_User_Id=ANNA,
        X_Forwarded_For=str(ingress.GATEWAY),
        X_Real_IP=str(ingress.GATEWAY),
        X_Hass_Source="core.ingress",
        X_Ingress_Path=PATH,
        Host=str(ingress.GATEWAY),
    )
    for answer in (await stranger.open(path), await stranger.change(path)):
        assert answer.status == 403
        assert answer.json == {"error": "invalid_request", "error_description": "Forbidden"}


async def test_the_gateway_is_where_the_supervisor_is() -> None:
    assert str(ingress.GATEWAY) == "172.30.32.2"


async def test_a_code_links_in_the_name_of_the_person_who_was_shown_it(house: Rig) -> None:
    pages = [await home_assistant_user(house, user).open() for user in (ANNA, BERT, ANNA)]
    annas, berts, annas_again = (code_on(page.text) for page in pages)
    assert annas == annas_again != berts
    browser = house.browser()
    await browser.approve(await browser.authorize(), pairing_code=berts)
    (approved,) = await house.audit(EventName.CONSENT_APPROVED)
    assert approved.subject == f"ha:{BERT}"
    assert code_on((await home_assistant_user(house, BERT).open()).text) != berts


@pytest.mark.parametrize(
    "said", [{}, {"X_Remote_User_Id": "a b"}, {"X_Remote_User_Id": f"{ANNA}\u0661"}, {"X_Remote_User_Name": "anna"}]
)
async def test_nobody_is_shown_nothing(house: Rig, said: dict[str, str]) -> None:
    answer = await at_the_panel(house, **said).open()
    assert answer.status == 403
    assert "Home Assistant did not say who you are" in answer.text
    assert "<code>" not in answer.text
    assert "<nav" not in answer.text


async def test_two_names_for_one_person_are_none(house: Rig) -> None:
    headers = [("X-Remote-User-Id", ANNA), ("X-Remote-User-Id", BERT)]
    async with house.session.get(house.admin_origin, headers=headers) as answer:
        assert "did not say who you are" in await answer.text()


async def test_home_assistant_may_frame_it_and_nobody_else(house: Rig) -> None:
    answer = await home_assistant_user(house).open()
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Server" not in answer.headers


@pytest.mark.parametrize(("said", "base"), [(PATH, PATH), ("", ""), ("//evil.test", ""), (f'{PATH}"><script>', "")])
async def test_its_links_and_forms_lead_where_the_browser_is(house: Rig, said: str, base: str) -> None:
    await home_assistant_user(house, BERT, "Bert").open()
    page = await at_the_panel(house, X_Remote_User_Id=BERT, X_Remote_User_Name="Bert", X_Ingress_Path=said).open()
    led = set(re.findall(r'(?:href|action)="([^"]*)"', page.text)) - {"#content"}
    led -= {"https://developer.amazon.com/alexa/console/ask", f"{ISSUER}/health"}
    assert f"{base}/" in led
    assert all(target.startswith(f"{base}/") for target in led)


@pytest.mark.usefixtures("gateway")
async def test_where_no_code_is_asked_for_none_is_shown(start: StartRig) -> None:
    page = await home_assistant_user(await start(supervised=True)).open()
    assert "pairing code" not in page.text.lower()


async def test_a_disk_that_takes_no_writes_is_said_in_words(house: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_rule: object) -> None:
        raise StorageUnavailable("disk full")

    monkeypatch.setattr(type(house.server.store), "write", lambda _store, rule: refuse(rule))
    answer = await home_assistant_user(house).open()
    assert (answer.status, answer.headers["X-Frame-Options"]) == (503, "SAMEORIGIN")
    assert "Nothing is lost" in answer.text


async def test_no_one_time_link_opens_it(house: Rig) -> None:
    answer = await home_assistant_user(house).open("/open/anything")
    assert answer.status == 404


@pytest.mark.parametrize("name", ["", " ", "<b>Änna</b>", "A" * 500, "\u202eannA"])
async def test_whatever_somebody_is_called_their_name_is_only_a_name(house: Rig, name: str) -> None:
    page = await home_assistant_user(house, ANNA, name).open()
    assert page.status == 200
    assert "<b>" not in page.text
    assert "A" * 81 not in page.text
    assert "\u202e" not in page.text
