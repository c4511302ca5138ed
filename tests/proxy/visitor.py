"""Somebody on the far side of the proxy, who reaches its names over TLS and checks its certificate."""

import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from tests.proxy.proxies import DEADLINE_SECONDS, HOME, PLAYER
from tests.rig import CHALLENGE, SECRETS, VERIFIER, Answer, basic

ELSEWHERE: Final = "127.0.0.9"
"""All of 127.0.0.0/8 is this machine, so a caller can come from an address that is not the proxy's."""


STATE: Final = "A2/opaque+state=.--" + "x" * 1_000


class _Here(AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        del family
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST)
        ]

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class Visitor:
    """A browser or a client program; it keeps cookies as a browser does, and follows no redirect by itself."""

    port: int
    session: aiohttp.ClientSession

    async def send(
        self, target: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, host: str = HOME
    ) -> Answer:
        """GET, or POST of a form; the target is not re-written."""
        url = URL(f"https://{host}:{self.port}{target}", encoded=True)
        method = "GET" if form is None else "POST"
        async with self.session.request(method, url, data=form, headers=headers, allow_redirects=False) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.read())

    async def play(self, token: str | None, target: str = "/api", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask the guarded player for something."""
        bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.send(target, headers={**bearer, **(headers or {})}, host=PLAYER)

    async def begin(self, *, headers: Mapping[str, str] | None = None, **changes: str) -> Answer:
        """The consent page of a valid authorization request, with changes."""
        parameters = {
            "response_type": "code",
            "client_id": "C1",
            "redirect_uri": "https://ex.test/cb",
            "state": STATE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return await self.send(f"/alexa/authorize?{urlencode(parameters)}", headers=headers)

    async def approved(self, pairing_code: str, **changes: str) -> Answer:
        """What a person's browser gets who reads that code off the terminal, and approves."""
        page = await self.begin(headers=None, **changes)
        assert page.status == 200, page.text
        return await self.send("/alexa/approve", {**page.hidden, "decision": "approve", "pairing_code": pairing_code})

    async def post(self, path: str, client_id: str = "C1", /, **form: str) -> Answer:
        """A request of the client's."""
        return await self.send(path, form, {"Authorization": basic(client_id, SECRETS[client_id])})

    async def redeemed(self, code: str) -> dict[str, Any]:
        """The tokens for the code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://ex.test/cb"}
        answer = await self.post("/alexa/token", **form, code_verifier=VERIFIER)
        assert answer.status == 200, answer.text
        return dict(answer.json)


@asynccontextmanager
async def visiting(port: int, tls: ssl.SSLContext, address: str = ELSEWHERE) -> AsyncIterator[Visitor]:
    """Somebody who comes from that address of this machine."""
    connector = aiohttp.TCPConnector(resolver=_Here(), ssl=tls, local_addr=(address, 0))
    patience = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=patience) as session:
        yield Visitor(port, session)
