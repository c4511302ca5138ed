"""The panel as Home Assistant shows it: reached through the Supervisor's gateway, on the ports that the image has by itself."""

import json
import re
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from tests.container.conftest import MakeAddOn
from tests.container.home_network import ANOTHER_APP, PATH, SUPERVISOR, HomeNetwork
from tests.container.skill import OPTIONS, REQUEST
from tests.rig import ALEXA_URI, ALEXA_VENDOR

pytestmark = pytest.mark.container

ANNA: Final = "0123456789abcdef0123456789abcdef"
PASSWORD: Final = "correct horse battery staple"
SENT: Final = "MZYXWVUTSRQPO9"


@pytest.fixture
def network(make_add_on: MakeAddOn) -> HomeNetwork:
    return HomeNetwork.around(make_add_on(OPTIONS))


def test_the_person_at_the_panel_gets_a_code_of_their_own(network: HomeNetwork) -> None:
    shown = network.open_panel(ANNA)
    assert shown["status"] == 200
    assert "frame-ancestors 'self'" in shown["headers"]["Content-Security-Policy"]
    assert f'href="{PATH}/"' in shown["body"]
    code = re.search(r"<code[^>]*>([A-Z]{4}-[A-Z]{4})</code>", shown["body"])
    assert code is not None
    assert code[1] != json.loads(network.add_on.execute("alexa-oauth", "pairing-code", "--json"))["code"]
    assert code[1] not in network.add_on.log()


def test_another_app_of_the_same_network_gets_nothing(network: HomeNetwork) -> None:
    shown = network.open_panel(ANNA, ANOTHER_APP, X_Forwarded_For=SUPERVISOR)
    assert (shown["status"], json.loads(shown["body"])["error_description"]) == (403, "Forbidden")
    assert network.open_panel(ANNA, "127.0.0.1")["status"] == 403


def test_a_vendor_id_that_amazon_sent_is_kept_by_the_supervisor(network: HomeNetwork) -> None:
    """The add-on's own token opens that call, which reaches it through every stage of its start."""
    value = re.search(r'name="csrf" value="([^"]+)"', network.open_panel(ANNA)["body"])
    assert value is not None
    csrf = {"csrf": value[1]}
    with network.supervised() as calls:
        assert network.change(ANNA, "/linking", csrf)["status"] == 303
        sent = {**REQUEST, "redirect_uri": ALEXA_URI.replace(ALEXA_VENDOR, SENT)}
        assert network.visit(f"/alexa/authorize?{urlencode(sent)}")["status"] == 400
        assert network.change(ANNA, "/vendor-ids", {**csrf, "vendor_id": SENT})["status"] == 303
        assert f"{SENT} was added" in network.open_panel(ANNA)["body"]
    assert calls == ["GET /addons/self/info", "POST /addons/self/options"]
    assert network.visit(f"/alexa/authorize?{urlencode(sent)}")["status"] == 200


def test_a_password_is_checked_by_the_supervisor(make_add_on: MakeAddOn) -> None:
    """For that `config.yaml` asks for the right `auth_api`; nothing of it stays."""
    network = HomeNetwork.around(make_add_on({**OPTIONS, "sign_in": "password"}))
    with network.supervised(f"anna={PASSWORD}") as calls:
        refused, linked = (approve(network, username=" Anna", password=password) for password in ("a guess", PASSWORD))
    assert (refused["status"], linked["status"]) == (200, 303)
    assert linked["headers"]["Location"].startswith(f"{ALEXA_URI}?")
    assert "code=" in linked["headers"]["Location"]
    assert calls == ["POST /auth"] * 2
    assert PASSWORD not in network.add_on.log()


def approve(network: HomeNetwork, **proof: str) -> Any:  # noqa: ANN401 - JSON
    """What a browser gets that approves with that proof."""
    page = network.visit(f"/alexa/authorize?{urlencode(REQUEST)}")
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page["body"]))
    cookie = page["headers"]["Set-Cookie"].partition(";")[0]
    return network.visit("/alexa/approve", {**hidden, "decision": "approve", **proof}, Cookie=cookie)
