"""The real server behind the real proxies, and who visits it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.proxy.player import Player, playing
from tests.proxy.proxies import HOME, PLAYER, PROXIES, Proxy, Site
from tests.proxy.visitor import ELSEWHERE, Visitor, visiting
from tests.rig import CLIENTS
from tests.running_server import RunningServer, free_ports


@dataclass(slots=True)
class Home:
    """A household: the server, the player that is guarded, and the port of the proxy before both."""

    server: RunningServer
    player: Player
    port: int
    authority: trustme.CA
    stack: AsyncExitStack

    async def visitor(self, address: str = ELSEWHERE) -> Visitor:
        """Somebody who comes to the proxy from that address."""
        tls = ssl.create_default_context()
        self.authority.configure_trust(tls)
        return await self.stack.enter_async_context(visiting(self.port, tls, address))

    async def link(self, **changes: str) -> dict[str, Any]:
        """The tokens of a link that a person made through the proxy."""
        visitor = await self.visitor()
        pairing_code = await asyncio.to_thread(self.server.pairing_code)
        answer = await visitor.approved(pairing_code, **changes)
        return await visitor.redeemed(answer.returned["code"])

    async def audit(self, event: str) -> list[dict[str, Any]]:
        """These events of the audit trail, newest last, as `audit --json` tells them."""
        shown = await asyncio.to_thread(self.server.run, "audit", "--json", "--event", event)
        assert shown.returncode == 0, shown.stderr
        return list(json.loads(shown.stdout))


StartHome = Callable[..., Awaitable[Home]]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the proxies' certificate."""
    return trustme.CA()


@pytest.fixture(params=PROXIES, ids=lambda proxy: proxy.program)
async def start(request: pytest.FixtureRequest, tmp_path: Path, authority: trustme.CA) -> AsyncIterator[StartHome]:
    """Start a household with settings of one's own; everything ends with the test."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    issued = authority.issue_cert(HOME, PLAYER)
    issued.private_key_pem.write_to_path(key)
    for part in issued.cert_chain_pems:
        part.write_to_path(certificate, append=True)
    async with AsyncExitStack() as stack:

        async def begin(*, behind_another: bool = False, asked: int | None = None, **settings: str) -> Home:
            """`asked` is the port of another server that the guard asks in place of ours."""
            port, _ = free_ports()
            player = await stack.enter_async_context(playing())
            server = RunningServer(_data_dir(tmp_path), _environment(port, settings))
            stack.callback(server.__exit__, None, None, None)
            await asyncio.to_thread(server.start)
            site = Site(port, asked or server.port, player.port, certificate, key)
            proxy: Proxy = request.param(site, _folder(tmp_path / "proxy"), behind_another=behind_another)
            await stack.enter_async_context(proxy.running())
            return Home(server, player, port, authority, stack)

        yield begin


@pytest.fixture
async def home(start: StartHome) -> Home:
    """A household as the examples recommend it: the server trusts its proxy's word about addresses."""
    return await start(trusted_proxies="127.0.0.1")


def _data_dir(folder: Path) -> Path:
    data_dir = _folder(folder / "data")
    (data_dir / "oauth_clients.json").write_text(json.dumps(CLIENTS), "utf-8")
    return data_dir


def _environment(port: int, settings: dict[str, str]) -> dict[str, str]:
    values = {"public_url": f"https://{HOME}:{port}", **settings}
    return {f"ALEXA_OAUTH_{name.upper()}": value for name, value in values.items()}


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path
