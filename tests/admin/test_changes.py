"""Each change is wanted by the person in whose name it arrives, or it is not made."""

from collections.abc import AsyncIterator

import pytest

from alexa_oauth.admin.entry import Route, Who
from alexa_oauth.admin.routes import ROUTES
from tests.panel import BERT, PATH, Guest, by_link, home_assistant_user
from tests.rig import Rig

CHANGE = "/people/add"
FORM = "application/x-www-form-urlencoded"
MADE = (303, "See Other")


@pytest.fixture
async def anna(house: Rig) -> Guest:
    """The administrator, with a page open."""
    guest = home_assistant_user(house)
    await guest.open()
    return guest


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "null", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://home.test", "X_Forwarded_Host": "home.test", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
    ],
)
async def test_the_panel_s_own_forms_pass(anna: Guest, headers: dict[str, str]) -> None:
    answer = await anna.post(CHANGE, {"csrf": anna.csrf, "subject": "ha:x"}, **headers)
    assert (answer.status, answer.location) == (303, f"{PATH}/")


async def test_a_form_of_which_the_gateway_does_not_say_how_long_it_is_passes(anna: Guest) -> None:
    """It passes on what arrives while it arrives, since a backup may be large."""

    async def streamed() -> AsyncIterator[bytes]:
        yield f"csrf={anna.csrf}".encode()
        yield b"&subject=ha%3Ax"

    headers = {name.replace("_", "-"): said for name, said in anna.said.items()} | {"Content-Type": FORM}
    url = anna.rig.origin + CHANGE
    async with anna.rig.session.post(url, data=streamed(), headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, f"{PATH}/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "https://evil.test", "X_Forwarded_Host": "home.test"},
        {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_another_site_s_form_is_refused_even_with_the_right_value(anna: Guest, headers: dict[str, str]) -> None:
    answer = await anna.post(CHANGE, {"csrf": anna.csrf, "subject": "ha:x"}, **headers)
    assert answer.status == 403
    assert "Another site asked for this" in answer.text


@pytest.mark.parametrize("form", [{}, {"csrf": ""}, {"csrf": "A" * 43}, {"csrf": "ä"}])
async def test_a_form_without_the_visitor_s_own_value_changes_nothing(anna: Guest, form: dict[str, str]) -> None:
    answer = await anna.post(CHANGE, {**form, "subject": "ha:x"})
    assert answer.status == 403
    assert "Nothing was changed" in answer.text


async def test_one_person_s_value_is_worth_nothing_in_another_s_name(house: Rig, anna: Guest) -> None:
    bert = home_assistant_user(house, BERT, "Bert")
    await bert.open()
    assert bert.csrf != anna.csrf
    assert (await anna.post(CHANGE, {"csrf": bert.csrf})).status == 403


async def test_one_session_s_value_is_worth_nothing_in_another(checkout: Rig, owner: Guest) -> None:
    other = await by_link(checkout)
    await other.open()
    assert (await owner.post("/sign-out", {"csrf": other.csrf})).status == 403
    assert (await owner.open()).status == 200


async def test_a_value_given_twice_is_none(anna: Guest) -> None:
    body = f"csrf={anna.csrf}&csrf={anna.csrf}".encode()
    said = {name.replace("_", "-"): value for name, value in anna.said.items()}
    answer = await anna.rig.send("POST", CHANGE, body, {**said, "Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 403


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/json"])
async def test_what_is_no_form_is_no_change(anna: Guest, content_type: str) -> None:
    answer = await anna.post(CHANGE, {"csrf": anna.csrf}, Content_Type=content_type)
    assert answer.status == 415


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=lambda route: route.path)
async def test_no_change_can_be_asked_for_by_a_link_or_without_a_value(anna: Guest, route: Route) -> None:
    path = route.path.replace("{", "").replace("}", "")
    if route.path not in {other.path for other in ROUTES if other.method == "GET"}:
        assert (await anna.open(path)).status == 405
    assert (await anna.post(path, {})).status == 403


@pytest.mark.parametrize("route", [route for route in ROUTES if route.who is Who.ADMINISTRATORS], ids=lambda route: route.path)
@pytest.mark.usefixtures("anna")
async def test_what_is_for_administrators_is_for_nobody_else(house: Rig, route: Route) -> None:
    bert = home_assistant_user(house, BERT, "Bert")
    page = await bert.open()
    path = route.path.replace("{", "").replace("}", "")
    answer = await bert.open(path) if route.method == "GET" else await bert.change(path)
    assert answer.status == 403
    assert "for administrators" in answer.text
    shared = {other.path for other in ROUTES if other.who is Who.EVERYBODY}
    assert route.path in shared or f'"{PATH}{route.path}"' not in page.text


async def test_an_address_that_leads_nowhere_is_told_in_the_panel_s_words(anna: Guest) -> None:
    answer = await anna.open("/elsewhere")
    assert answer.status == 404
    assert "There is no such page" in answer.text


def test_what_everybody_may_who_is_let_in_is_this_and_nothing_more() -> None:
    everybody = {f"{route.method} {route.path}" for route in ROUTES if route.who is Who.EVERYBODY}
    assert everybody == {"GET /", "GET /links", "POST /links/end", "GET /attempts"}
