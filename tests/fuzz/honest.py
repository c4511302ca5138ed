"""Honest requests for every public route, with a real code, token, cookie or state in it, so that a change meets real rows."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from tests.attacks.wire import FORM
from tests.identity_service import way_back
from tests.rig import SECRETS, VERIFIER, Answer, Browser, Rig, basic

Pairs = tuple[tuple[str, str], ...]
"""Names and values as they stand on the wire, one character an octet."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request whose parts can be changed one by one. The connection ends with its answer."""

    method: str
    path: str
    query: Pairs = ()
    fields: Pairs = ()
    form: Pairs | None = None

    @property
    def octets(self) -> bytes:
        """It as it is sent; the length is that of the body."""
        target = self.path + ("?" + _joined(self.query) if self.query else "")
        body = _joined(self.form).encode("latin-1") if self.form is not None else b""
        length = (("Content-Length", str(len(body))),) if self.form is not None else ()
        head = "".join(f"{name}: {value}\r\n" for name, value in (*self.fields, *length, ("Connection", "close")))
        return f"{self.method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def _joined(pairs: Pairs) -> str:
    return "&".join(f"{name}={value}" for name, value in pairs)


def _pairs(values: Mapping[str, str]) -> Pairs:
    return tuple((name, quote(value, safe="")) for name, value in values.items())


def _fields(rig: Rig, more: Mapping[str, str] | None = None) -> Pairs:
    return tuple({"Host": "oauth.test", "User-Agent": "fuzz", **rig.headers, **(more or {})}.items())


def _cookies(browser: Browser) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


async def _signed_in(rig: Rig) -> tuple[Browser, Answer]:
    """A browser whose consent page knows already who is there."""
    browser = rig.browser()
    back = way_back(await browser.sign_in(await browser.authorize()))
    return browser, await browser.send("GET", back)


async def link(rig: Rig) -> dict[str, str]:
    """The tokens of a whole link."""
    browser, page = await _signed_in(rig)
    answer = await rig.redeem((await browser.approve(page)).returned["code"])
    assert answer.status == 200, answer.text
    return {name: answer.json[name] for name in ("access_token", "refresh_token")}


async def _authorize(rig: Rig) -> Sent:
    return Sent("GET", "/alexa/authorize", _pairs(rig.authorization()), _fields(rig))


async def _authorize_by_form(rig: Rig) -> Sent:
    return Sent("POST", "/alexa/authorize", (), _fields(rig, FORM), _pairs(rig.authorization()))


async def _approve(rig: Rig) -> Sent:
    browser, page = await _signed_in(rig)
    form = _pairs({**page.hidden, "decision": "approve"})
    return Sent("POST", "/alexa/approve", (), _fields(rig, {**FORM, **_cookies(browser), "Origin": "null"}), form)


async def _return(rig: Rig) -> Sent:
    browser = rig.browser()
    back = urlsplit(way_back(await browser.sign_in(await browser.authorize())))
    return Sent("GET", back.path, _pairs(dict(parse_qsl(back.query))), _fields(rig, _cookies(browser)))


async def _exchange(rig: Rig) -> Sent:
    browser, page = await _signed_in(rig)
    code = (await browser.approve(page)).returned["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://ex.test/cb", "code_verifier": VERIFIER}
    return _call(rig, "/alexa/token", "C1", form)


async def _refresh(rig: Rig) -> Sent:
    form = {"grant_type": "refresh_token", "refresh_token": (await link(rig))["refresh_token"], "scope": "music.read"}
    return _call(rig, "/alexa/token", None, {**form, "client_id": "C1", "client_secret": SECRETS["C1"]})


async def _revoke(rig: Rig) -> Sent:
    return _call(rig, "/alexa/revoke", "C1", {"token": (await link(rig))["refresh_token"], "token_type_hint": "refresh_token"})


async def _introspect(rig: Rig) -> Sent:
    return _call(rig, "/alexa/introspect", "RS", {"token": (await link(rig))["access_token"]})


def _call(rig: Rig, path: str, client_id: str | None, form: Mapping[str, str]) -> Sent:
    authorization = {"Authorization": basic(client_id, SECRETS[client_id])} if client_id else {}
    return Sent("POST", path, (), _fields(rig, {**FORM, **authorization}), _pairs(form))


async def _verify(rig: Rig) -> Sent:
    authorization = {"Authorization": f"Bearer {(await link(rig))['access_token']}"}
    return Sent("GET", "/alexa/verify", _pairs({"scope": "music.read"}), _fields(rig, authorization))


def _plain(path: str) -> "Honest":
    async def ask(rig: Rig) -> Sent:
        return Sent("GET", path, (), _fields(rig, {"Accept-Language": "de;q=0.9, *", "If-None-Match": '"x"'}))

    return ask


Honest = Callable[[Rig], Awaitable[Sent]]

HONEST: Final[dict[str, tuple[Honest, ...]]] = {
    "GET /": (_plain("/"),),
    "GET /alexa/authorize": (_authorize,),
    "POST /alexa/authorize": (_authorize_by_form,),
    "POST /alexa/approve": (_approve,),
    "GET /alexa/sign-in/home-assistant": (_return,),
    "POST /alexa/token": (_exchange, _refresh),
    "POST /alexa/revoke": (_revoke,),
    "POST /alexa/introspect": (_introspect,),
    "GET /alexa/verify": (_verify,),
    "GET /.well-known/oauth-authorization-server": (_plain("/.well-known/oauth-authorization-server"),),
    "GET /.well-known/oauth-authorization-server/alexa": (_plain("/.well-known/oauth-authorization-server/alexa"),),
    "GET /health": (_plain("/health"),),
}
"""By method and path of the route; HEAD goes wherever aiohttp adds it to a GET, and is one of the methods tried on each."""
REQUESTS: Final = tuple(honest for several in HONEST.values() for honest in several)
