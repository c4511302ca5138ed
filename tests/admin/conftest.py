"""The panel as it is reached from a checkout, and as Home Assistant opens it."""

from ipaddress import ip_address

import pytest

from alexa_oauth.admin import ingress
from tests.conftest import StartRig
from tests.panel import Guest, by_link
from tests.rig import Rig


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is Home Assistant's ingress gateway."""
    monkeypatch.setattr(ingress, "GATEWAY", ip_address("127.0.0.1"))


@pytest.fixture
async def house(start: StartRig, gateway: None) -> Rig:  # noqa: ARG001 - it must be there before anybody knocks
    """The add-on."""
    return await start(supervised=True, sign_in="pairing_code")


@pytest.fixture
async def checkout(start: StartRig) -> Rig:
    """A server started from a terminal."""
    return await start(sign_in="pairing_code")


@pytest.fixture
async def owner(checkout: Rig) -> Guest:
    """Who sits at that terminal."""
    return await by_link(checkout)
