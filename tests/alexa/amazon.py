"""Amazon's side of a link, as captured requests, its documentation and other people's logs show it."""

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from tests.alexa.home import Home
from tests.rig import CHALLENGE, VERIFIER, Answer, basic

PHONE: Final = (
    "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 "
    "Chrome/115.0.0.0 Mobile Safari/537.36"
)
SERVER: Final = "Apache-HttpClient/4.5.14 (Java/1.8.0_412)"
SCOPE: Final = "music.read music.control"
STATE: Final = (
    "A2SAAEAEGHk7y+/"
    + "".join(base64.b64encode(hashlib.sha512(b"%d" % n).digest()).decode() for n in range(12))
    + ".dGhlIHNlY29uZA==--bm90aGluZw=="
)
"""Opaque, and over 1,000 characters of Base64 with its `+`, `/` and `=`, with dots and double hyphens between."""
RETRIES_AFTER: Final = (5, 15, 90)
"""Amazon gives up on an answer after 4.5 s, and asks again."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one of Amazon's servers holds, in true time."""

    access_token: str
    refresh_token: str
    received_at: float
    expires_at: float


class Amazon:
    """Alexa's account linking for one skill, with two servers that tell one another of new tokens, sooner or later."""

    def __init__(self, home: Home, client_id: str, secret: str) -> None:
        """The skill as it stands in the developer console, where a secret must be given even to a public client."""
        self.home = home
        self.client_id = client_id
        self.secret = secret
        self.happened: Counter[str] = Counter()
        self._held: dict[str, Tokens] = {}
        self._news: list[tuple[float, Tokens]] = []
        self._generations: list[str] = []

    async def link(self, redirect_uri: str) -> None:
        """A person enables the skill on a phone and approves; the first answer to the exchange is lost."""
        code = await self._authorize(redirect_uri)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": VERIFIER}
        lost = await self._post(form)
        await self.home.live(RETRIES_AFTER[0])
        answer = await self._post(form)
        assert answer.json | {"expires_in": 0} == lost.json | {"expires_in": 0}
        tokens = self._read(answer)
        self._held = {"here": tokens, "there": tokens}

    async def hear(self, server: str, *, lost: int = 0, lag: float = 0) -> None:
        """A person speaks to Alexa, and that server needs a living access token for it.

        `lost` answers to its refresh do not arrive; of new tokens the other server learns after `lag` seconds.
        """
        self._learn_news()
        if self._held[server].expires_at <= self.home.now and not await self._refresh(server, lost):
            self.happened["command failed"] += 1
            return
        tokens = self._held[server]
        self._news.append((tokens.received_at + lag, tokens))
        await self._use(tokens.access_token)

    async def _authorize(self, redirect_uri: str) -> str:
        request = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": STATE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        phone = self.home.rig.browser()
        page = await phone.send("GET", f"/alexa/authorize?{urlencode(request)}", User_Agent=PHONE)
        assert page.status == 200, page.text
        back = await phone.approve(page)
        assert back.location.startswith(f"{redirect_uri}?")
        assert back.returned["state"] == STATE
        return back.returned["code"]

    async def _refresh(self, server: str, lost: int) -> bool:
        """Ask until an answer arrives; whether one did."""
        presented = self._held[server].refresh_token
        for number, wait in enumerate((0, *RETRIES_AFTER)):
            await self.home.live(wait)
            self._note(presented)
            answer = await self._post({"grant_type": "refresh_token", "refresh_token": presented})
            tokens = self._read(answer)
            if number >= lost:
                self._held[server] = tokens
                return True
            self.happened["answer lost"] += 1
        return False

    async def _use(self, access_token: str) -> None:
        answer = await self.home.rig.verify(access_token, "?scope=music.control")
        assert answer.status == 200
        assert (answer.headers["X-OAuth-Client"], answer.headers["X-OAuth-Scope"]) == (self.client_id, SCOPE)
        self.happened["command"] += 1

    async def _post(self, form: dict[str, str]) -> Answer:
        headers = {"User-Agent": SERVER, "Authorization": basic(self.client_id, self.secret)}
        answer = await self.home.rig.post("/alexa/token", None, {**form, "client_id": self.client_id}, **headers)
        assert answer.status == 200, f"after {self.home.now / 86_400:.2f} days: {answer.text}"
        return answer

    def _read(self, answer: Answer) -> Tokens:
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        body: dict[str, Any] = answer.json
        assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
        assert (body["token_type"], body["scope"]) == ("Bearer", SCOPE)
        assert type(body["expires_in"]) is int
        assert 0 < body["expires_in"] <= 1_800
        if body["refresh_token"] not in self._generations:
            self._generations.append(body["refresh_token"])
            self.happened["generation"] += 1
        now = self.home.now
        return Tokens(body["access_token"], body["refresh_token"], now, now + body["expires_in"])

    def _note(self, presented: str) -> None:
        self.happened["refresh"] += 1
        if presented != self._generations[-1]:
            self.happened["predecessor presented"] += 1

    def _learn_news(self) -> None:
        for arrived_at, tokens in self._news:
            if arrived_at <= self.home.now:
                self._held = {
                    server: max(held, tokens, key=lambda known: known.received_at) for server, held in self._held.items()
                }
        self._news = [(arrives_at, tokens) for arrives_at, tokens in self._news if arrives_at > self.home.now]
