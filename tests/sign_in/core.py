"""Home Assistant Core as it answers from 2026.10 on, where it is asked: metadata, tokens and their users, notifications."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web

from alexa_oauth.protocol.pkce import challenge_of
from tests.sign_in.standing_in import Handler, answering_at

ANNA: Final = {"id": "a" * 32, "name": "Anna", "is_owner": True, "is_admin": True, "credentials": [], "mfa_modules": []}
BODO: Final = {"id": "b" * 32, "name": "Bodo", "is_owner": False, "is_admin": False, "credentials": [], "mfa_modules": []}
LONG_LIVED: Final = "canary.long-lived-token.0123456789"
"""An access token that a user made by hand."""

_ENDPOINTS: Final = {"authorization": "authorize", "token": "token", "revocation": "revoke"}


@dataclass(slots=True)
class StandInCore:
    """One Core. `codes` by code: client id, challenge and account. Of the tokens, `given` are all, `living` the unrevoked ones.

    `instead` replaces what a path answers. `asked` are the paths that were asked for, in order; `notifications` what
    stands there, by id.
    """

    url: str = ""
    with_pkce: bool = True
    codes: dict[str, tuple[str, str | None, dict[str, Any]]] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    living: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    issued: int = 0
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    notifications: dict[str, str] = field(default_factory=dict)
    instead: dict[str, Handler] = field(default_factory=dict)
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def sign_in(self, location: str, user: dict[str, Any] = ANNA) -> str:
        """What a person does on Core's page: query of the way back, with a code for what the location asks."""
        target = urlsplit(location)
        assert f"{target.scheme}://{target.netloc}{target.path}" == f"{self.url}/auth/authorize"
        asked = {name: value for name, (value,) in parse_qs(target.query, strict_parsing=True).items()}
        assert asked["redirect_uri"].startswith(asked["client_id"]), "only then Core asks the client nothing"
        assert ("code_challenge" in asked) == ("code_challenge_method" in asked) == self.with_pkce
        self.issued += 1
        code = f"{self.issued:032x}"
        self.codes[code] = asked["client_id"], asked.get("code_challenge"), user
        return f"{urlsplit(asked['redirect_uri']).path}?code={code}&state={asked['state']}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Every request arrives here."""
        self.asked.append(request.path)
        if request.path in self.instead:
            return await self.instead[request.path](request)
        return await {
            "/.well-known/oauth-authorization-server": self._metadata,
            "/auth/token": self._token,
            "/auth/revoke": self._revoke,
            "/api/websocket": self._websocket,
            "/api/services/persistent_notification/create": self._create,
            "/api/services/persistent_notification/dismiss": self._dismiss,
        }[request.path](request)

    async def break_off(self, request: web.Request) -> web.Response:
        """Close the connection in place of an answer."""
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def hang(self, _: web.Request) -> web.Response:
        """Answer nothing until the end."""
        await self.ending.wait()
        return web.Response()

    async def _metadata(self, _: web.Request) -> web.Response:
        pkce = {"code_challenge_methods_supported": ["S256"]} if self.with_pkce else {}
        names = {f"{name}_endpoint": f"/auth/{path}" for name, path in _ENDPOINTS.items()}
        return web.json_response({**names, **pkce})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        client_id, challenge, user = self.codes.pop(form["code"], ("", None, ANNA))
        verifier = form.get("code_verifier")
        if client_id != form["client_id"] or (verifier is None) != (challenge is None):
            return web.json_response({"error": "invalid_request"}, status=400)
        if verifier is not None and challenge_of(verifier) != challenge:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if user["id"] in self.disabled:
            return web.json_response({"error": "access_denied", "error_description": "User is not active"}, status=403)
        self.issued += 1
        refresh_token = f"{self.issued:0128x}"
        self.living[refresh_token] = user
        access_token = f"access-{refresh_token}"
        self.given += [access_token, refresh_token]
        tokens = {"access_token": access_token, "refresh_token": refresh_token, "token_type": "Bearer", "expires_in": 1800}
        return web.json_response({**tokens, "ha_auth_provider": "homeassistant"})

    async def _revoke(self, request: web.Request) -> web.Response:
        self.living.pop(str((await request.post())["token"]), None)
        return web.Response()

    async def _create(self, request: web.Request) -> web.Response:
        fields = await self._action(request)
        self.notifications[fields["notification_id"]] = fields["message"]
        return web.json_response([])

    async def _dismiss(self, request: web.Request) -> web.Response:
        self.notifications.pop((await self._action(request))["notification_id"], None)
        return web.json_response([])

    async def _action(self, request: web.Request) -> dict[str, str]:
        if request.headers["Authorization"] != f"Bearer {LONG_LIVED}":
            raise web.HTTPUnauthorized(text=request.headers["Authorization"])
        return dict(await request.json())

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "auth_required", "ha_version": "2026.10.0"})
        user = self.living.get((await socket.receive_json())["access_token"].removeprefix("access-"))
        if user is None:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            return socket
        await socket.send_json({"type": "auth_ok", "ha_version": "2026.10.0"})
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                asked = json.loads(message.data)
                assert asked["type"] == "auth/current_user"
                await socket.send_json({"id": asked["id"], "type": "result", "success": True, "result": user})
        return socket


@asynccontextmanager
async def core_running(core: StandInCore) -> AsyncIterator[StandInCore]:
    """Core on a free port of this machine."""
    async with answering_at(core.answer) as core.url:
        try:
            yield core
        finally:
            core.ending.set()
