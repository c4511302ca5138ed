"""A whole server in this process: real rows, real HTTP on a free port of 127.0.0.1, and clocks that tests set."""

import base64
import hashlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from alexa_oauth.announcement import show_pairing_code
from alexa_oauth.app import Server, build, entropy
from alexa_oauth.clients.definitions import ClientDefinitions
from alexa_oauth.clock import Clock
from alexa_oauth.protocol.clock import Reading
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.protocol.reading import EventQuery
from alexa_oauth.protocol.sign_in import SignInElsewhere
from alexa_oauth.settings.loading import load
from alexa_oauth.storage.store import SqliteStore
from alexa_oauth.upkeep import Upkeep
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.routes import public_application
from alexa_oauth.web.runner import QuietRunner

NOW: Final = 1_800_000_000
TOKEN: Final = "the-supervisors-token-of-this-add-on"
ISSUER: Final = "http://127.0.0.1:8096"
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""RFC 7636 appendix B."""

ALEXA_VENDOR: Final = "M2AAAAAAAAAAAA"
ALEXA_URI: Final = f"https://pitangui.amazon.com/api/skill/link/{ALEXA_VENDOR}"
SECRETS: Final = {name: f"{name}-secret-{'0123456789abcdef' * 2}" for name in ("C1", "C2", "C3", "RS", "alexa")}
CLIENTS: Final[dict[str, dict[str, Any]]] = {
    "C1": {"client_type": "confidential", "redirect_uris": ["https://ex.test/cb"], "client_secret": SECRETS["C1"], "name": "Ex"},
    "C2": {
        "client_type": "confidential",
        "redirect_uris": ["https://two.test/cb?a=1", "https://two.test/other"],
        "client_secret": SECRETS["C2"],
        "pkce": "required",
    },
    "C3": {
        "client_type": "confidential",
        "redirect_uris": ["https://three.test/cb"],
        "client_secret": SECRETS["C3"],
        "refresh": "strict",
    },
    "RS": {
        "client_type": "confidential",
        "redirect_uris": ["https://rs.test/cb"],
        "client_secret": SECRETS["RS"],
        "introspect": True,
    },
    "P1": {"client_type": "public", "redirect_uris": ["http://127.0.0.1/cb", "https://native.test/cb"]},
    "alexa": {"client_type": "confidential", "redirect_uris": [ALEXA_URI], "client_secret": SECRETS["alexa"]},
}
"""C1, RS: strict_window. C2: strict_window, PKCE required. C3: strict. P1: public, with a loopback URI. alexa: overlap."""


class FakeClocks:
    """Both clocks. Time passes by `advance`; `step` moves the wall clock alone, as a person or NTP would."""

    def __init__(self, now: float = NOW) -> None:
        self.wall = now
        self.running = 1_000.0

    def read(self) -> Reading:
        return Reading(self.wall, self.running)

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.running += seconds

    def step(self, seconds: float) -> None:
        self.wall += seconds


class CountedChance:
    """Bytes that look random, never repeat, and are the same in every run."""

    def __init__(self) -> None:
        self._counter = itertools.count()

    def __call__(self, size: int) -> bytes:
        blocks = (size + 31) // 32
        return b"".join(hashlib.sha256(b"chance %d" % next(self._counter)).digest() for _ in range(blocks))[:size]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the server says
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and `error` of a refusal in JSON, which no cache may keep."""
        assert (self.headers["Cache-Control"], self.headers["Content-Type"]) == ("no-store", "application/json")
        assert self.json.keys() == {"error", "error_description"}
        return self.status, self.json["error"]

    @property
    def returned(self) -> dict[str, str]:
        """The parameters that a redirect carries back to the client."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query, strict_parsing=True).items()}

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of a consent page."""
        fields = (dict(re.findall(r'([a-z]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", self.text))
        return {tag["name"]: unescape(tag["value"]) for tag in fields if tag.get("type") == "hidden"}


@dataclass(slots=True)
class Browser:
    """A browser: it keeps cookies, whatever the scheme, and follows no redirect by itself."""

    rig: "Rig"
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, target: str, form: Mapping[str, str] | None = None, **headers: str) -> Answer:
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        body = urlencode(form).encode() if form is not None else None
        content = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.rig.send(method, target, body, {**cookie, **content, **named})
        for name, morsel in SimpleCookie(answer.headers.get("Set-Cookie", "")).items():
            self.cookies[name] = morsel.value
        return answer

    async def authorize(self, client_id: str = "C1", **changes: str | None) -> Answer:
        return await self.send("GET", f"/alexa/authorize?{urlencode(self.rig.authorization(client_id, **changes))}")

    async def sign_in(self, page: Answer) -> Answer:
        """Press the button that leads to the page of another service."""
        return await self.send("POST", "/alexa/approve", {**page.hidden, "decision": "sign_in"})

    async def approve(self, page: Answer, **fields: str) -> Answer:
        form = {**page.hidden, "decision": "approve", **fields}
        if 'name="pairing_code"' in page.text and "pairing_code" not in fields:
            form["pairing_code"] = await self.rig.pairing_code()
        return await self.send("POST", "/alexa/approve", form)


@dataclass(slots=True)
class Rig:
    """One server under test, with the calls of an honest client."""

    server: Server
    clocks: FakeClocks
    upkeep: Upkeep
    origin: str
    admin_origin: str
    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)
    """Header fields of every request, such as a proxy's `X-Forwarded-For`."""

    async def send(self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request whose target is not re-written."""
        url = URL(self.origin + target, encoded=True)
        every = {**self.headers, **(headers or {})}
        async with self.session.request(method, url, data=body, headers=every, allow_redirects=False) as response:
            return Answer(response.status, response.headers.copy(), await response.read())

    def browser(self) -> Browser:
        return Browser(self)

    async def pairing_code(self) -> str:
        shown = await self.server.store.write(lambda tx: show_pairing_code(tx, CountedChance()))
        return shown.code

    def authorization(self, client_id: str = "C1", **changes: str | None) -> dict[str, str]:
        """A valid authorization request of the client; a change to `None` leaves the parameter out."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": _first_uri(client_id),
            "scope": "music.read music.control",
            "state": "st/at+e=",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    async def code(self, client_id: str = "C1", **changes: str | None) -> str:
        """A fresh code for the client, approved by a person."""
        browser = self.browser()
        answer = await browser.approve(await browser.authorize(client_id, **changes))
        return answer.returned["code"]

    async def post(self, path: str, client_id: str | None, form: Mapping[str, str | None], **headers: str) -> Answer:
        """POST a form with the client's authentication: HTTP Basic, or its id alone if it has no secret."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        fields = {name: value for name, value in form.items() if value is not None}
        if client_id is not None and "Authorization" not in named:
            if client_id in SECRETS:
                named["Authorization"] = basic(client_id, SECRETS[client_id])
            else:
                fields.setdefault("client_id", client_id)
        return await self.send(
            "POST", path, urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded", **named}
        )

    async def redeem(self, code: str, client_id: str | None = "C1", /, **changes: str | None) -> Answer:
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": _first_uri(client_id or "C1"),
            "code_verifier": VERIFIER,
            **changes,
        }
        return await self.post("/alexa/token", client_id, form)

    async def link(self, client_id: str = "C1") -> dict[str, Any]:
        """A token response, after a whole link."""
        answer = await self.redeem(await self.code(client_id), client_id)
        assert answer.status == 200, answer.body
        return dict(answer.json)

    async def refresh(self, refresh_token: str, client_id: str | None = "C1", /, **changes: str | None) -> Answer:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **changes}
        return await self.post("/alexa/token", client_id, form)

    async def revoke(self, token: str, client_id: str | None = "C1", /, **changes: str | None) -> Answer:
        return await self.post("/alexa/revoke", client_id, {"token": token, **changes})

    async def introspect(self, token: str, client_id: str | None = "RS", /, **changes: str | None) -> Answer:
        return await self.post("/alexa/introspect", client_id, {"token": token, **changes})

    async def verify(self, token: str, query: str = "") -> Answer:
        return await self.send("GET", f"/alexa/verify{query}", headers={"Authorization": f"Bearer {token}"})

    async def is_live(self, token: str) -> bool:
        """Whether a token is live, asked by introspection: for an access token that is a use."""
        return bool((await self.introspect(token)).json["active"])

    @property
    def store(self) -> SqliteStore:
        """The opened store."""
        assert self.server.store.opened is not None
        return self.server.store.opened

    async def audit(self, name: EventName | None = None) -> list[Event]:
        """The audit trail, newest first; of one kind of event if it is named."""
        await self.upkeep.write_refusals()
        async with self.store.reader() as reader:
            return [recorded.event for recorded in await reader.events(EventQuery(10_000)) if name in {None, recorded.event.name}]


def basic(client_id: str, secret: str) -> str:
    """The `Authorization` header field of HTTP Basic."""
    return f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"


@asynccontextmanager
async def running(
    folder: Path,
    settings: Mapping[str, str],
    clocks: FakeClocks | None = None,
    chance: Entropy = entropy,
    *,
    elsewhere: SignInElsewhere | None = None,
    supervised: bool = False,
) -> AsyncIterator[Rig]:
    """A server on the folder. Called again on the same folder, it is a restart.

    `elsewhere` is a way of the test's own. `supervised`: by Home Assistant.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    clients_file = folder / "oauth_clients.json"
    if not clients_file.exists():
        clients_file.write_text(json.dumps(CLIENTS))
    values = {"data_dir": str(folder), "public_url": ISSUER, "sign_in": "approve_only", **settings}
    add_on = {"SUPERVISOR_TOKEN": TOKEN} if supervised else {}
    loaded = load({f"ALEXA_OAUTH_{name.upper()}": value for name, value in values.items()} | add_on, {})
    clocks = clocks or FakeClocks()
    server = build(
        loaded.settings,
        ClientDefinitions(loaded.settings),
        Clock(clocks.read),
        chance,
        supervisor_token=TOKEN if supervised else None,
    )
    if elsewhere is not None:
        parts = replace(server.public[PARTS], sign_in=elsewhere, elsewhere=elsewhere)
        server = replace(server, public=public_application(parts))
    assert server.store.try_to_open()
    upkeep = Upkeep(server)
    await upkeep.prepare()
    runners = [QuietRunner(server.public), QuietRunner(server.admin)]
    origins = [await _listen(runner) for runner in runners]
    try:
        async with aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield Rig(server, clocks, upkeep, origins[0], origins[1], session)
    finally:
        for runner in runners:
            await runner.cleanup()
        await server.outbound.close()
        await server.store.close()


async def _listen(runner: QuietRunner) -> str:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


def _first_uri(client_id: str) -> str:
    uris: list[str] = CLIENTS.get(client_id, CLIENTS["C1"])["redirect_uris"]
    return uris[0]
