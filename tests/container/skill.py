"""A skill that is linked to the add-on: what Amazon's servers send, and what the person at home types."""

import json
from typing import Final
from urllib.parse import urlencode

from tests.container.addon import AddOn
from tests.durability.wire import Wire
from tests.rig import ALEXA_URI, ALEXA_VENDOR, CHALLENGE, VERIFIER, Answer, basic

OPTIONS: Final = {"public_url": "https://music.example.org", "vendor_ids": [ALEXA_VENDOR]}
"""What a household sets."""

NOBODY_AT_HOME: Final = ("--add-host", "music.example.org:127.0.0.1")
"""What is asked at the public address then stays on this machine, where port 443 is nobody's."""

PASSPHRASE: Final = "four words that nobody says"
"""That of sealed backups."""

CLIENT: Final = "amazon-alexa"


class Skill:
    """The built-in client, with the secret that was copied into the developer console."""

    def __init__(self, add_on: AddOn, wire: Wire) -> None:
        self._add_on = add_on
        self._wire = wire
        request = json.loads(add_on.execute("alexa-oauth", "alexa-config", "--json"))
        self.secret: Final[str] = request["accountLinkingRequest"]["clientSecret"]

    async def link(self, pairing_code: str | None = None) -> dict[str, str]:
        """A new link's tokens, for which this code is typed; unless it is given, that of the terminal."""
        page = await self._wire.send("GET", f"/alexa/authorize?{urlencode(REQUEST)}")
        assert page.status == 200, page.text
        cookie = {"Cookie": page.headers["Set-Cookie"].partition(";")[0]}
        form = {
            **page.hidden,
            "decision": "approve",
            "pairing_code": self.pairing_code() if pairing_code is None else pairing_code,
        }
        back = await self._wire.send("POST", "/alexa/approve", form, cookie)
        assert back.status == 303, back.text
        code = back.returned["code"]
        proof = {"code": code, "redirect_uri": ALEXA_URI, "code_verifier": VERIFIER}
        answer = await self._token({"grant_type": "authorization_code", **proof})
        assert answer.status == 200, answer.text
        return {"code": code, **answer.json}

    def pairing_code(self) -> str:
        """The code that the terminal shows."""
        return str(json.loads(self._add_on.execute("alexa-oauth", "pairing-code", "--json"))["code"])

    async def refresh(self, tokens: dict[str, str]) -> dict[str, str]:
        """Newer tokens of the link; that it lives is asserted."""
        answer = await self.try_to_refresh(tokens)
        assert answer.status == 200, answer.text
        return {**tokens, **answer.json}

    async def try_to_refresh(self, tokens: dict[str, str]) -> Answer:
        """The answer to a refresh, whatever it is."""
        return await self._token({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})

    async def is_good(self, tokens: dict[str, str]) -> bool:
        """Whether the access token opens what is guarded."""
        return (await self._wire.verify(tokens["access_token"])).status == 200

    async def _token(self, form: dict[str, str]) -> Answer:
        return await self._wire.send("POST", "/alexa/token", form, {"Authorization": basic(CLIENT, self.secret)})


REQUEST: Final = {
    "response_type": "code",
    "client_id": CLIENT,
    "redirect_uri": ALEXA_URI,
    "scope": "music.read music.control",
    "state": "st/at+e=",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
