"""HTTP to the real process, and what a client has in its hands when the process dies."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, Self
from urllib.parse import urlencode

import aiohttp

from tests.rig import CHALLENGE, CLIENTS, SECRETS, VERIFIER, Answer, basic

ALEXA: Final = "alexa"
WINDOW: Final = "C1"
STRICT: Final = "C3"
"""One client for each profile: `overlap`, `strict_window`, `strict`."""
PROFILES: Final = (ALEXA, WINDOW, STRICT)

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_CONNECTIONS: Final = 64
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)


class NotAnswered(Exception):
    """The connection ended before the answer was whole: the client cannot know what the server did."""


class Wire:
    """Connections to one run of the server."""

    def __init__(self, origin: str, session: aiohttp.ClientSession) -> None:
        self._origin = origin
        self._session = session

    @classmethod
    @asynccontextmanager
    async def to(cls, origin: str) -> AsyncIterator[Self]:
        """Up to 64 connections, kept alive; they end with the block."""
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=_TIMEOUT) as session:
            yield cls(origin, session)

    async def send(
        self, method: str, target: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and read its whole answer, or raise `NotAnswered`."""
        body = urlencode(form).encode() if form is not None else None
        every = {**(_FORM if form is not None else {}), **(headers or {})}
        try:
            async with self._session.request(
                method, self._origin + target, data=body, headers=every, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers.copy(), await response.read())
        except aiohttp.ClientError as error:
            raise NotAnswered from error

    async def begin(self, client_id: str) -> Answer:
        """The consent page of a new request."""
        request = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CLIENTS[client_id]["redirect_uris"][0],
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        page = await self.send("GET", f"/alexa/authorize?{urlencode(request)}")
        assert page.status == 200, page.text
        return page

    async def approve(self, page: Answer) -> str:
        """The code that a person gets by a click on that page."""
        cookie = {"Cookie": page.headers["Set-Cookie"].partition(";")[0]}
        back = await self.send("POST", "/alexa/approve", {**page.hidden, "decision": "approve"}, cookie)
        assert back.status == 303, back.text
        return back.returned["code"]

    async def code(self, client_id: str) -> str:
        """A code that a person approved by a click."""
        return await self.approve(await self.begin(client_id))

    async def redeem(self, client_id: str, code: str) -> Answer:
        redirect_uri = CLIENTS[client_id]["redirect_uris"][0]
        proof = {"code": code, "redirect_uri": redirect_uri, "code_verifier": VERIFIER}
        return await self._token(basic(client_id, SECRETS[client_id]), {"grant_type": "authorization_code", **proof})

    async def refresh(self, client_id: str, refresh_token: str) -> Answer:
        return await self.refresh_as(client_id, SECRETS[client_id], refresh_token)

    async def refresh_as(self, client_id: str, secret: str, refresh_token: str) -> Answer:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._token(basic(client_id, secret), form)

    async def link(self, client_id: str) -> dict[str, str]:
        """A new link's token response."""
        answer = await self.redeem(client_id, await self.code(client_id))
        assert answer.status == 200, answer.text
        return dict(answer.json)

    async def verify(self, access_token: str) -> Answer:
        return await self.send("GET", "/alexa/verify", headers={"Authorization": f"Bearer {access_token}"})

    async def health(self) -> Answer:
        return await self.send("GET", "/health")

    async def _token(self, authorization: str, form: Mapping[str, str]) -> Answer:
        return await self.send("POST", "/alexa/token", form, {"Authorization": authorization})
