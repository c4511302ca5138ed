"""The one HTTP client: whom it trusts, and that a start does not wait for the list of those."""

import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpServer

from alexa_oauth.outbound import Outbound
from tests.running_server import SOURCE

Serve = Callable[[trustme.CA], Awaitable[TestServer]]

LOADED = """
import os
from alexa_oauth.cli import _loading_quickly
with _loading_quickly():
    from aiohttp import connector
print(len(connector._SSL_CONTEXT_VERIFIED.get_ca_certs()), os.environ["SSL_CERT_FILE"])
"""


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """The only certificate authority that this machine knows."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authorities.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    return authority


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    outbound = Outbound()
    yield outbound
    await outbound.close()


async def _say_here(_: web.Request) -> web.Response:
    return web.Response(text="here")


@pytest.fixture
def serve(aiohttp_server: AiohttpServer) -> Serve:
    """Starts a server whose certificate that authority issued."""

    async def serve(authority: trustme.CA) -> TestServer:
        app = web.Application()
        app.add_routes([web.get("/", _say_here)])
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(tls)
        return await aiohttp_server(app, host="localhost", ssl=tls)

    return serve


async def test_who_has_a_certificate_that_the_machine_trusts_is_asked(
    authority: trustme.CA, outbound: Outbound, serve: Serve
) -> None:
    server = await serve(authority)
    async with outbound.session().get(server.make_url("/")) as answer:
        assert await answer.text() == "here"


@pytest.mark.usefixtures("authority")
async def test_who_has_another_certificate_is_told_nothing(outbound: Outbound, serve: Serve) -> None:
    server = await serve(trustme.CA())
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await outbound.session().get(server.make_url("/"))


@pytest.mark.usefixtures("authority")
def test_a_start_reads_no_certificate_authorities_and_leaves_word_of_them_as_it_was(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], cwd=SOURCE, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", str(tmp_path / "authorities.pem")]
