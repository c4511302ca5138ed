"""The part of the Supervisor's API that an add-on can reach, as its documents and its source tell: for tests that call it.

In a test, `async with running(Supervisor(...)) as origin:`. In a container's network, where a process can be in one network
only, as a program: `python -m tests.addon.supervisor_api ADDRESS TOKEN` answers on port 80, and prints the path of each call.
"""

import asyncio
import base64
import binascii
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tests.addon.files import CONFIGURATION, OPTIONS, TYPES

PORT: Final = 80
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
ASK: Final = {"WWW-Authenticate": 'Basic realm="Home Assistant Authentication"'}


@dataclass(slots=True)
class Supervisor:
    """What it knows, and what it was asked: method and path of each call.

    `people` are the names and passwords that Home Assistant knows, `rights` the keys of `config.yaml` that the add-on has.
    While `core_answers` is off, Home Assistant is starting.
    """

    token: str
    people: Mapping[str, str] = field(default_factory=dict)
    rights: frozenset[str] = frozenset(key for key in ("auth_api", "hassio_api", "homeassistant_api") if CONFIGURATION.get(key))
    options: dict[str, Any] = field(default_factory=lambda: dict(OPTIONS))
    core_answers: bool = True
    calls: list[str] = field(default_factory=list)

    def application(self) -> web.Application:
        """The API; whoever has no token that is known gets nothing."""
        app = web.Application(middlewares=[self._known_only])
        app.add_routes(
            [
                web.route("*", "/auth", self.check_password),
                web.get("/addons/self/info", self.info),
                web.post("/addons/self/options", self.set_options),
                web.get("/addons/self/options/config", self.valid_options),
                web.post("/addons/self/restart", self.restart),
            ]
        )
        return app

    @web.middleware
    async def _known_only(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's
        self.calls.append(f"{request.method} {request.path}")
        _, _, bearer = request.headers.get("Authorization", "").partition("Bearer ")
        token = request.headers.get("X-Supervisor-Token") or request.headers.get("X-Hassio-Key") or bearer
        if not token:
            raise web.HTTPUnauthorized
        if token != self.token:
            raise web.HTTPForbidden
        answer: web.StreamResponse = await handler(request)
        return answer

    async def check_password(self, request: web.Request) -> web.Response:
        """Whether Home Assistant knows that name with that password. A bearer's token counts as somebody's credentials."""
        if "auth_api" not in self.rights:
            return _error(HTTPStatus.FORBIDDEN, "Can't use Home Assistant auth!")
        try:
            credentials = await _credentials(request)
        except ValueError:
            return _error(HTTPStatus.BAD_REQUEST, "Invalid json")
        if credentials is None:
            raise web.HTTPUnauthorized(headers=ASK)
        name, password = credentials
        if not (isinstance(name, str) and isinstance(password, str) and name and password):
            return _error(HTTPStatus.UNAUTHORIZED, "Username and password must be strings", "auth_invalid_non_string_value_error")
        if not self.core_answers:
            message = "Unable to validate authentication details with Home Assistant"
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, message, "auth_home_assistant_api_validation_error")
        if self.people.get(name.strip().casefold()) != password:
            raise web.HTTPUnauthorized
        return _ok({})

    async def info(self, _request: web.Request) -> web.Response:
        """What the add-on may know of itself; the real answer has many more keys."""
        slug = f"local_{CONFIGURATION['slug']}"
        known = {"slug": slug, "hostname": slug.replace("_", "-"), "name": CONFIGURATION["name"], "state": "started"}
        return _ok({**known, "version": CONFIGURATION["version"], "options": self.options, "network": CONFIGURATION["ports"]})

    async def set_options(self, request: web.Request) -> web.Response:
        """Keep these options in the place of all that there were; they count from the next start."""
        options = (await request.json()).get("options")
        if options is None:
            self.options = dict(OPTIONS)
            return _ok({})
        known = {name: value for name, value in options.items() if name in TYPES}
        for name, value in known.items():
            if not all(TYPES[name].accepts(item) for item in (value if isinstance(value, list) else [value])):
                return _error(HTTPStatus.BAD_REQUEST, f"Invalid value for option {name}")
        self.options = known
        return _ok({})

    async def valid_options(self, _request: web.Request) -> web.Response:
        """The options as they are handed to the add-on."""
        return _ok({**OPTIONS, **self.options})

    async def restart(self, _request: web.Request) -> web.Response:
        """Say yes; whoever started the add-on starts it again."""
        return _ok({})


async def _credentials(request: web.Request) -> tuple[object, object] | None:
    """The first that is there: basic authentication, JSON, a form. The content types must be exactly these."""
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        kind, _, encoded = authorization.partition(" ")
        try:
            name, found, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (name, password) if found and kind == "Basic" else None
    content_type = request.headers.get("Content-Type")
    if content_type not in {JSON, FORM}:
        return None
    body: Mapping[str, object] = json.loads(await request.text()) if content_type == JSON else await request.post()
    return body.get("username", body.get("user")), body.get("password")


def _ok(data: Mapping[str, object]) -> web.Response:
    return web.json_response({"result": "ok", "data": data})


def _error(status: HTTPStatus, message: str, key: str | None = None) -> web.Response:
    named = {} if key is None else {"error_key": key, "extra_fields": None}
    return web.json_response({"result": "error", "message": message, **named}, status=status)


@asynccontextmanager
async def running(supervisor: Supervisor, address: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Answer until the block ends; the origin."""
    runner = web.AppRunner(supervisor.application(), access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        yield f"http://{address}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class _Printed(list[str]):
    def append(self, call: str) -> None:
        print(call, flush=True)  # noqa: T201 - its answer


async def _main(address: str, token: str, *people: str) -> None:
    known = dict(person.split("=", 1) for person in people)
    async with running(Supervisor(token, known, calls=_Printed()), address, PORT):
        print("ready", flush=True)  # noqa: T201 - its answer
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
