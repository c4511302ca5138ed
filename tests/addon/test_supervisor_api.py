"""The stand-in for the Supervisor answers as the real one does: what tests of the calls to it rely on."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
import pytest

from tests.addon.files import OPTIONS
from tests.addon.supervisor_api import FORM, JSON, Supervisor, running
from tests.rig import basic

TOKEN: Final = "5a" * 56
OWN: Final = {"X-Supervisor-Token": TOKEN}
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
ANNA: Final = {"username": " Anna ", "password": "correct horse"}
VENDOR_ID: Final = "M1A2B3C4D5E6F7"

Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor(TOKEN, {"anna": "correct horse"}, frozenset({"auth_api"}))


@pytest.fixture
async def ask(supervisor: Supervisor) -> AsyncIterator[Ask]:
    """Ask, and get the status and what the body says."""
    async with running(supervisor) as origin, aiohttp.ClientSession(origin) as session:

        async def ask(method: str, path: str, headers: Mapping[str, str] = OWN, **body: Any) -> tuple[int, Any]:  # noqa: ANN401 - as aiohttp
            async with session.request(method, path, headers=headers, **body) as answer:
                return answer.status, await answer.json() if answer.content_type == JSON else None

        yield ask


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (OWN, {"json": ANNA}, 200),
        (OWN, {"data": ANNA}, 200),
        (OWN, {"data": {"user": "anna", "password": "correct horse"}}, 200),
        ({**OWN, "Authorization": basic("anna", "correct horse")}, {}, 200),
        (OWN, {"json": {**ANNA, "password": "wrong"}}, 401),
        (OWN, {"json": {**ANNA, "username": "nobody"}}, 401),
        (OWN, {"json": {**ANNA, "password": ""}}, 401),
        (OWN, {}, 401),
        ({**OWN, "Content-Type": f"{FORM}; charset=utf-8"}, {"data": "username=anna&password=correct+horse"}, 401),
        ({**OWN, "Content-Type": JSON}, {"data": "{"}, 400),
        (BEARER, {"json": ANNA}, 401),
        ({}, {"json": ANNA}, 401),
        ({"X-Supervisor-Token": "of an earlier start"}, {"json": ANNA}, 403),
    ],
)
async def test_passwords(ask: Ask, headers: dict[str, str], body: dict[str, Any], status: int) -> None:
    answered, said = await ask("POST", "/auth", headers, **body)
    assert answered == status
    if status == 200:
        assert said == {"result": "ok", "data": {}}


async def test_without_the_right_or_without_home_assistant_no_password_is_checked(ask: Ask, supervisor: Supervisor) -> None:
    supervisor.core_answers = False
    status, said = await ask("POST", "/auth", json=ANNA)
    assert (status, said["error_key"]) == (500, "auth_home_assistant_api_validation_error")
    supervisor.rights = frozenset()
    status, said = await ask("POST", "/auth", json=ANNA)
    assert (status, said["result"]) == (403, "error")


async def test_options_are_replaced_as_a_whole_and_judged_by_their_types(ask: Ask, supervisor: Supervisor) -> None:
    status, said = await ask("GET", "/addons/self/info", BEARER)
    assert (status, said["data"]["options"]) == (200, OPTIONS)
    changed = {**said["data"]["options"], "vendor_ids": [VENDOR_ID], "nonsense": 1}
    assert await ask("POST", "/addons/self/options", json={"options": changed}) == (200, {"result": "ok", "data": {}})
    assert supervisor.options == {**OPTIONS, "vendor_ids": [VENDOR_ID]}
    status, said = await ask("POST", "/addons/self/options", json={"options": {"vendor_ids": ["m1"]}})
    assert (status, said["result"], "vendor_ids" in said["message"]) == (400, "error", True)
    assert (await ask("GET", "/addons/self/options/config"))[1]["data"]["vendor_ids"] == [VENDOR_ID]
    assert (await ask("POST", "/addons/self/options", json={"options": None}))[0] == 200
    assert supervisor.options == OPTIONS


async def test_what_was_asked_is_remembered(ask: Ask, supervisor: Supervisor) -> None:
    await ask("POST", "/addons/self/restart")
    assert (await ask("GET", "/core/info"))[0] == 404
    assert supervisor.calls == ["POST /addons/self/restart", "GET /core/info"]
