"""The panel as Home Assistant shows it: reached through the Supervisor's gateway, on the ports that the image has by itself."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from alexa_oauth.admin.ingress import GATEWAY
from tests.container.addon import AddOn
from tests.container.conftest import MakeAddOn
from tests.container.engine import HERE, as_root
from tests.container.skill import OPTIONS

pytestmark = pytest.mark.container

ANNA: Final = "0123456789abcdef0123456789abcdef"
PATH: Final = "/api/hassio_ingress/xUnEz2QbsRUzy"
ANOTHER_APP: Final = "172.30.33.5"

Ask = Callable[..., Any]


@pytest.fixture
def add_on(make_add_on: MakeAddOn) -> AddOn:
    """An add-on in a network of its own, in which the gateway and another app are, too."""
    add_on = make_add_on(OPTIONS)
    add_on.network = "none"
    del add_on.environment["ALEXA_OAUTH_PORT"], add_on.environment["ALEXA_OAUTH_ADMIN_PORT"]
    add_on.create()
    for address in (str(GATEWAY), ANOTHER_APP):
        inside(add_on, "ip", "address", "add", f"{address}/32", "dev", "lo")
    add_on.wait_until(lambda: "/health" in add_on.log(), seconds=10)
    return add_on


@pytest.fixture
def ask(add_on: AddOn) -> Ask:
    """Ask for the panel from an address, with header fields."""

    def ask(source: str, **fields: str) -> Any:  # noqa: ANN401 - JSON
        said = (f"{name.replace('_', '-')}={value}" for name, value in fields.items())
        return json.loads(inside(add_on, sys.executable, HERE / "gateway.py", source, "8099", *said))

    return ask


def inside(add_on: AddOn, *command: str | Path) -> str:
    """What a program of this machine prints that is run in the container's network."""
    return as_root("nsenter", "--net", "--target", add_on.inspect("{{.State.Pid}}"), *command)


def test_the_person_at_the_panel_gets_a_code_of_their_own(add_on: AddOn, ask: Ask) -> None:
    shown = ask(str(GATEWAY), X_Remote_User_Id=ANNA, X_Ingress_Path=PATH)
    assert shown["status"] == 200
    assert "frame-ancestors 'self'" in shown["headers"]["Content-Security-Policy"]
    assert f'href="{PATH}/"' in shown["body"]
    code = re.search(r"<code>([A-Z]{4}-[A-Z]{4})</code>", shown["body"])
    assert code is not None
    assert code[1] != json.loads(add_on.execute("alexa-oauth", "pairing-code", "--json"))["code"]
    assert code[1] not in add_on.log()


def test_another_app_of_the_same_network_gets_nothing(ask: Ask) -> None:
    shown = ask(ANOTHER_APP, X_Remote_User_Id=ANNA, X_Forwarded_For=str(GATEWAY), X_Ingress_Path=PATH)
    assert (shown["status"], json.loads(shown["body"])["error_description"]) == (403, "Forbidden")
    assert ask("127.0.0.1", X_Remote_User_Id=ANNA)["status"] == 403
