"""One of everything that a server does, with every secret of it kept, so that logs and files can be searched for them."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote

import pytest

from alexa_oauth.announcement import new_admin_link
from alexa_oauth.app import entropy
from alexa_oauth.protocol.accounts import confirm, withdraw
from alexa_oauth.protocol.models import LOCAL_SUBJECT, Person
from alexa_oauth.protocol.people import welcome
from alexa_oauth.storage.pairing_codes import PairingCodeRows
from tests.attacks.disk import disk_full, folder_of
from tests.attacks.wire import ask, request
from tests.panel import Guest, by_link
from tests.rig import ALEXA_URI, ALEXA_VENDOR, CLIENTS, SECRETS, VERIFIER, Answer, Rig, basic, running

MASTER_KEY: Final = base64.urlsafe_b64encode(hashlib.sha256(b"the master key").digest()).decode()
CLIENT_SECRET: Final = "built-in-client-secret-0f1e2d3c4b5a"
STATE: Final = "canary-state-8f7e/6d=5c+4b"
REFERER: Final = "https://mail.test/inbox/canary-referer-77?session=canary-session-78"
HOSTILE: Final = "agent\u009b2J\u2028forged\u202e"
"""A command to the terminal, a line break and a change of direction, as header fields can carry them."""

PASSPHRASE: Final = "canary horse battery staple"

SETTINGS: Final = {
    "sign_in": "pairing_code",
    "encryption_key": MASTER_KEY,
    "client_secret": CLIENT_SECRET,
    "metrics_token": "canary-metrics-token-1234",
    "amazon_client_secret": "canary-amazon-secret-1234",
    "home_assistant_token": "canary-home-assistant-token-1234",
    "home_assistant_url": "http://127.0.0.1:1",
    "vendor_ids": "M2AAAAAAAAAAAA",
    "log_level": "debug",
}
SECRET_SETTINGS: Final = ("encryption_key", "client_secret", "metrics_token", "amazon_client_secret", "home_assistant_token")
LEAST_CHARACTERS: Final = 8
"""A pairing code's; what is shorter is no secret, and stands in any log by chance."""
_SECRET_FIELDS: Final = (
    *("code", "code_verifier", "client_secret", "refresh_token", "access_token", "token"),
    *("csrf", "request", "state", "pairing_code", "ticket", "passphrase"),
)


@dataclass
class WatchedRig(Rig):
    """A rig that keeps every secret that goes in or comes out."""

    secrets: set[str] = field(default_factory=set)

    async def send(self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        every = {"Referer": REFERER, "User-Agent": HOSTILE, **(headers or {})}
        self.keep_request(target, body, every)
        answer = await super().send(method, target, body, every)
        self.keep_answer(answer)
        return answer

    def keep(self, *values: str) -> None:
        self.secrets.update(value for value in values if len(value) >= LEAST_CHARACTERS)

    def keep_request(self, target: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        query = target.partition("?")[2]
        self.keep(query, (body or b"").decode("utf-8", "replace"))
        for pairs in (query, (body or b"").decode("utf-8", "replace")):
            self.keep(*(value for name, value in parse_qsl(pairs) if name in _SECRET_FIELDS))
        for value in (headers.get(name, "") for name in ("Authorization", "Cookie", "Referer")):
            self.keep(value, value.partition("?")[0], value.rpartition(" ")[2], value.rpartition("=")[2])

    def keep_answer(self, answer: Answer) -> None:
        location = answer.headers.get("Location", "")
        self.keep(location.partition("?")[2], *re.findall(r"[?&]code=([^&]+)", location))
        self.keep(*re.findall(r"=([A-Za-z0-9_-]{43})", answer.headers.get("Set-Cookie", "")))
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            self.keep(*(value for name, value in answer.hidden.items() if name in _SECRET_FIELDS))
        elif answer.body and answer.headers.get("Content-Type") == "application/json":
            self.keep(*(str(value) for name, value in answer.json.items() if name in _SECRET_FIELDS))


@dataclass
class Chance:
    """The kernel's, with everything that was drawn in amounts that are secrets: ids that are shown are 8 bytes and less."""

    drawn: list[bytes] = field(default_factory=list, repr=False)

    def __call__(self, size: int) -> bytes:
        drawn = entropy(size)
        if size > 8:
            self.drawn.append(drawn)
        return drawn


@asynccontextmanager
async def watched(folder: Path, chance: Chance, **changes: str) -> AsyncIterator[WatchedRig]:
    """A server on the folder, with changes of its settings, all of whose secrets are kept."""
    async with running(folder, {**SETTINGS, **changes}, chance=chance) as rig:
        watching = WatchedRig(**{part.name: getattr(rig, part.name) for part in fields(rig)})
        watching.keep(*SECRETS.values(), *(SETTINGS[name] for name in SECRET_SETTINGS))
        yield watching


def spellings(secret: bytes) -> Iterator[bytes]:
    """A secret as it may have been written down: as it is, or it or its digest in hexadecimal, in base64, as Python shows it."""
    yield secret
    for octets in (secret, hashlib.sha256(secret).digest()):
        yield octets.hex().encode()
        yield repr(octets)[2:-1].encode()
        yield base64.b64encode(octets).rstrip(b"=")
        yield base64.urlsafe_b64encode(octets).rstrip(b"=")


def found_in(octets: bytes, rig: WatchedRig, chance: Chance) -> set[bytes]:
    """The secrets that stand in there in any spelling."""
    texts = {text for secret in rig.secrets for text in (secret, unquote(secret))}
    secrets = [*(text.encode() for text in texts), *chance.drawn, base64.urlsafe_b64decode(MASTER_KEY)]
    return {spelling for secret in secrets for spelling in spellings(secret) if spelling in octets}


async def everything(rig: WatchedRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of flow, good and bad."""
    await _link_and_use(rig)
    await _approve_wrongly(rig)
    await _guess(rig)
    await _administer(rig)
    await _let_in(rig)
    await _keep(rig)
    await _break(rig, monkeypatch)
    await rig.upkeep.watch_clock()
    await rig.upkeep.write_refusals()


async def _link_and_use(rig: WatchedRig) -> None:
    for client_id in ("C1", "C2", "C3", "P1", "alexa"):
        code = await rig.code(client_id, state=STATE)
        tokens = (await rig.redeem(code, client_id)).json
        await rig.redeem(code, client_id)
        await rig.verify(tokens["access_token"])
        await rig.verify(tokens["access_token"], f"?access_token={tokens['access_token']}")
        rig.clocks.advance(8 * 86_400)
        head = (await rig.refresh(tokens["refresh_token"], client_id)).json
        await rig.introspect(head["access_token"])
        await rig.introspect(head["refresh_token"])
        await rig.refresh(tokens["refresh_token"], client_id)
        await rig.refresh(head["refresh_token"], "RS")
        await rig.revoke(head["access_token"], client_id)
        await rig.revoke(head["refresh_token"], client_id)
        await rig.refresh(head["refresh_token"], client_id)
    rig.keep((await rig.store.write(lambda tx: new_admin_link(tx, entropy, "http://127.0.0.1:8099"))).rpartition("/")[2])


async def _approve_wrongly(rig: WatchedRig) -> None:
    browser = rig.browser()
    page = await browser.authorize("C1", state=STATE)
    rig.keep(await rig.pairing_code(), (await rig.pairing_code()).replace("-", ""))
    await browser.approve(page, pairing_code="WRNG-CXDQ")
    await browser.approve(page, csrf="canary-wrong-csrf-12345")
    await rig.browser().approve(page)
    await browser.send(
        "POST", "/alexa/approve", {**page.hidden, "decision": "approve"}, Origin="https://evil.test/?canary-origin"
    )
    await browser.send("POST", "/alexa/approve", {**page.hidden, "decision": "deny"})
    await browser.authorize("nobody\x1b[31m\r\nforged", state=STATE)
    await browser.authorize("C1", state=STATE, redirect_uri="https://evil.test/cb?canary=redirect")
    for change in ({"scope": 'a"b'}, {"code_challenge_method": "plain"}, {"response_type": "token"}, {"prompt": "none"}):
        await browser.authorize("C1", state=STATE, **change)


async def _guess(rig: WatchedRig) -> None:
    await rig.send("GET", f"/alexa/authorize?state={STATE}", headers={"X-Forwarded-For": HOSTILE})
    tokens = await rig.link()
    for authorization in (
        basic("C1", "canary-wrong-secret-123"),
        "Basic canary-no-base64",
        "Bearer canary-no-token",
        "Basic é-canary-bytes",
    ):
        await rig.post("/alexa/token", None, {"grant_type": "refresh_token", **tokens}, Authorization=authorization)
    for path in ("/alexa/token", "/alexa/revoke", "/alexa/introspect", "/alexa/verify", "/nowhere/canary-path-1234"):
        await rig.send("GET", f"{path}?token={tokens['access_token']}&state={STATE}")
        await rig.post(f"{path}?state={STATE}", None, {"client_id": "C1", "client_secret": "canary-wrong-secret-124", **tokens})
    await rig.send("POST", "/alexa/token", json.dumps(tokens).encode(), {"Content-Type": "application/json"})
    for octets in (
        f"GET /alexa/authorize?state={STATE} HTTP/9.9\r\nReferer: {REFERER}\r\n\r\n".encode(),
        request(f"GET /alexa/verify?{VERIFIER}", {"Authorization": f"Bearer {tokens['access_token']}\x01"}),
        request("POST /alexa/token", {"Transfer-Encoding": "chunked", "Content-Length": "5"}, tokens["refresh_token"].encode()),
    ):
        await ask(rig, octets)


async def _administer(rig: WatchedRig) -> None:
    """The panel, by its one-time link, with forms that are good and bad."""
    guest = await by_link(rig)
    await guest.open()
    rig.keep(guest.csrf, *guest.cookies.values())
    await guest.post("/people/add", {"csrf": "canary-wrong-panel-csrf"})
    await guest.change("/")
    await guest.change("/linking")
    await rig.browser().authorize("amazon-alexa", redirect_uri=ALEXA_URI.replace(ALEXA_VENDOR, "M9ZZZZZZZZZZZZ"))
    await guest.change("/vendor-ids", vendor_id="M9ZZZZZZZZZZZZ")
    await rig.store.write(lambda tx: welcome(tx, "ha:canary", HOSTILE))
    await rig.store.write(lambda tx: welcome(tx, "ha:other", HOSTILE))
    await guest.change("/people/add", subject="ha:other")
    await guest.change("/people/remove", subject="ha:other")
    await _let_through(rig, guest)
    await guest.change("/sign-out")


async def _let_through(rig: WatchedRig, guest: Guest) -> None:
    """The button, pressed, used and taken back; and a person whom the console sends to the wrong address with all they bring."""
    await guest.change("/waiting/arm")
    browser = rig.browser()
    await browser.approve(await browser.authorize(), pairing_code="")
    page = await rig.browser().authorize()
    rig.keep(*page.hidden.values())
    attempt = rig.store.read(lambda tx: tx.authorizations.waiting(1))[0].pending.attempt
    await guest.change("/waiting/allow", attempt=attempt)
    await guest.change("/waiting/release")
    await guest.open("/attempts")
    await rig.send("GET", f"/alexa/token?response_type=code&state={STATE}&code=canary-code-at-the-wrong-address")


async def _let_in(rig: WatchedRig) -> None:
    """An account of another service that an administrator lets in, and sends away again."""
    page = await rig.browser().authorize("C1", state=STATE)
    pending = rig.store.read(lambda tx: tx.authorizations.find(page.hidden["request"]))
    assert pending is not None
    person = Person("amazon:canary", HOSTILE, is_confirmed=False)
    await rig.store.write(lambda tx: confirm(tx, replace(pending, person=person), LOCAL_SUBJECT))
    await rig.store.write(lambda tx: withdraw(tx, person.subject, LOCAL_SUBJECT))


async def _keep(rig: WatchedRig) -> None:
    """Backups and keys: a file that is sealed, a copy that fails, one that is restored, and keys that come and go."""
    guest = await by_link(rig)
    await guest.open("/backup")
    rig.keep(guest.csrf, *guest.cookies.values(), PASSPHRASE)
    await guest.change("/backup/make", passphrase=PASSPHRASE, again=PASSPHRASE)
    await guest.change("/backup/make", passphrase=PASSPHRASE, again="canary-of-another-passphrase")
    copies = folder_of(rig) / "backups"
    copies.rename(copies.with_name("away"))
    copies.touch()
    await rig.upkeep.copy_daily()
    copies.unlink()
    await rig.upkeep.copy_daily()
    await rig.upkeep.look_out()
    checked = await guest.change("/backup/check-copy", name=next(copies.iterdir()).name)
    restored = asyncio.create_task(guest.change("/backup/restore", ticket=checked.hidden["ticket"]))
    while not restored.done():
        await rig.upkeep.put_restored_in_place()
        await asyncio.sleep(0)
    await guest.open("/links")
    await guest.change("/links/reviewed")
    await guest.change("/links/end-all")
    await guest.change("/backup/rotate", kind="master")
    await guest.change("/backup/rotate", kind="data")
    await rig.upkeep.renew_keys()
    rig.clocks.advance(31 * 86_400)
    await rig.upkeep.renew_keys()


async def _break(rig: WatchedRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a broken clients file, and a fault of our own that has the secrets in its frames and in its words."""
    with disk_full(rig, "COMMIT"):
        await rig.browser().authorize("C1", state=STATE)
        await rig.redeem("canary-code-on-a-full-disk")
    file = folder_of(rig) / "oauth_clients.json"
    file.write_text(json.dumps({**CLIENTS, "C1": {**CLIENTS["C1"], "pkce": "canary", "client_secret": "short-canary"}}))
    await rig.upkeep.reload_clients()
    file.unlink()

    def fail(*arguments: object) -> None:
        raise RuntimeError(f"it cannot be {arguments}")

    code, tokens = await rig.code(), await rig.link()
    for name in ("alexa_oauth.web.token.redeem", "alexa_oauth.web.verify.check_bearer"):
        monkeypatch.setattr(name, fail)
    assert (await rig.redeem(code)).refusal == (500, "server_error")
    assert (await rig.verify(tokens["access_token"])).status == 500
    browser = rig.browser()
    page, pairing_code = await browser.authorize(), await rig.pairing_code()
    rig.keep(pairing_code.replace("-", ""))

    def fail_without_words(_rows: PairingCodeRows, _code: str) -> None:
        raise RuntimeError

    monkeypatch.setattr(PairingCodeRows, "find", fail_without_words)  # a code is too short to be known as one in a text
    assert (await browser.approve(page, pairing_code=pairing_code)).status == 500
