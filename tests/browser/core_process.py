"""A real Home Assistant Core, as its own environment runs it: onboarded, with people in it whom tests know."""

import asyncio
import base64
import hmac
import json
import struct
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.error import URLError
from urllib.parse import urlencode

import aiohttp

from tests.running_server import DEADLINE_SECONDS, POLL_SECONDS, free_ports

HASS: Final = Path(__file__).parents[2] / ".venv-home-assistant" / "bin" / "hass"
PASSWORD: Final = "correct horse battery staple"
_COMPONENTS: Final = "http:\n  server_host: 127.0.0.1\n  server_port: {port}\nfrontend:\n"
_TOTP_SECONDS: Final = 30
_START_SECONDS: Final = 10 * DEADLINE_SECONDS


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who lives there. `secret` is of their second factor, `None` if they have none."""

    user_id: str
    username: str
    name: str
    secret: str | None = None

    @property
    def second_factor(self) -> str:
        """The six digits of now (RFC 6238)."""
        assert self.secret is not None
        digest = hmac.digest(base64.b32decode(self.secret), struct.pack(">Q", int(time.time()) // _TOTP_SECONDS), "sha1")
        (number,) = struct.unpack_from(">I", digest, digest[-1] & 0xF)
        return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


class CoreProcess:
    """One Core on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_ports()[0]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_token = ""
        (folder / "configuration.yaml").write_text(_COMPONENTS.format(port=self.port))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def outside_url(self) -> str:
        """The same place by a name that only browsers know."""
        return f"http://core.test:{self.port}"

    @property
    def printed(self) -> str:
        """Its log."""
        return (self._folder / "printed.log").read_text()

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        with (self._folder / "printed.log").open("ab") as printed:
            command = [str(HASS), "--config", str(self._folder), "--skip-pip"]
            self._process = subprocess.Popen(command, stdout=printed, stderr=printed, cwd=self._folder)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(POLL_SECONDS)
        return self

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(DEADLINE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def onboard(self, name: str) -> None:
        """Make the owner, as the first visitor does."""
        owner = {"client_id": f"{self.url}/", "name": name, "username": name.lower(), "password": PASSWORD, "language": "en"}
        code = self._post("/api/onboarding/users", json.dumps(owner).encode(), "application/json")["auth_code"]
        self._owner_token = self._redeem(code)

    async def owner(self, name: str) -> Account:
        """The owner's account, from now on with a second factor."""
        async with self._asking() as ask:
            user_id = (await ask("auth/current_user"))["id"]
            step = await ask("auth/setup_mfa", mfa_module_id="totp")
            account = Account(user_id, name.lower(), name, step["description_placeholders"]["code"])
            done = await ask("auth/setup_mfa", flow_id=step["flow_id"], user_input={"code": account.second_factor})
            assert done["type"] == "create_entry"
            return account

    async def add(self, name: str) -> Account:
        """A further account, which administers nothing."""
        async with self._asking() as ask:
            user_id = (await ask("config/auth/create", name=name, group_ids=["system-users"]))["user"]["id"]
            login = {"user_id": user_id, "username": name.lower(), "password": PASSWORD}
            await ask("config/auth_provider/homeassistant/create", **login)
            return Account(user_id, name.lower(), name)

    async def let_in(self, account: Account, *, allowed: bool) -> None:
        """Disable an account, or enable it again."""
        async with self._asking() as ask:
            await ask("config/auth/update", user_id=account.user_id, is_active=allowed)

    async def long_lived_token(self, account: Account) -> str:
        """What that person makes on their profile, under Security."""
        async with self._asking(await asyncio.to_thread(self._sign_in, account)) as ask:
            return str(await ask("auth/long_lived_access_token", client_name="Alexa Link", lifespan=365))

    async def notifications(self) -> dict[str, dict[str, Any]]:
        """What stands in the notifications of everybody, by id."""
        async with self._asking() as ask:
            return {shown["notification_id"]: shown for shown in await ask("persistent_notification/get")}

    async def holders_of_owners_access(self) -> set[str]:
        """The clients that hold a refresh token of the owner's."""
        async with self._asking() as ask:
            return {token["client_id"] for token in await ask("auth/refresh_tokens")}

    @asynccontextmanager
    async def _asking(self, token: str | None = None) -> AsyncIterator["_Ask"]:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{self.url}/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": token or self._owner_token})
            assert (await socket.receive_json())["type"] == "auth_ok"
            yield _Ask(socket)

    def _sign_in(self, account: Account) -> str:
        """An access token of that person's, who has no second factor."""
        client_id = f"{self.url}/"
        asked = {"client_id": client_id, "handler": ["homeassistant", None], "redirect_uri": client_id}
        flow = self._post("/auth/login_flow", json.dumps(asked).encode(), "application/json")
        login = {"client_id": client_id, "username": account.username, "password": PASSWORD}
        code = self._post(f"/auth/login_flow/{flow['flow_id']}", json.dumps(login).encode(), "application/json")["result"]
        return self._redeem(code)

    def _redeem(self, code: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "client_id": f"{self.url}/"}
        return str(self._post("/auth/token", urlencode(form).encode(), "application/x-www-form-urlencoded")["access_token"])

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/onboarding", timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 - http, to ourselves
                return bool(answer.status == 200)
        except URLError:
            return False

    def _post(self, path: str, body: bytes, content_type: str) -> Mapping[str, Any]:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": content_type})  # noqa: S310 - http, to ourselves
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 - the same
            return dict(json.loads(answer.read()))


class _Ask:
    """Commands to Core's WebSocket, one after another."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def __call__(self, command: str, **fields: object) -> Any:  # noqa: ANN401 - whatever the command gives
        """The result of a command."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "type": command, **fields})
        async with asyncio.timeout(DEADLINE_SECONDS):
            message = await self._socket.receive_json()
        assert message["success"], message
        return message["result"]
