"""Login with Amazon in Amazon's shapes, in so far as a sign-in asks it: tokens, whose they are, and the profile."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web

from alexa_oauth.protocol.pkce import challenge_of
from alexa_oauth.sign_in.login_with_amazon import Region, SecurityProfile
from tests.sign_in.standing_in import Handler, answering_at

PROFILE: Final = SecurityProfile(
    "amzn1.application-oa2-client.0123456789abcdef",
    "amzn1.oa2-cs.v1.fedcba9876543210fedcba9876543210",
    "https://oauth.test/alexa/sign-in/amazon",
)
ANNA: Final = {"user_id": "amzn1.account.AGANNA0123456789ANNA", "name": "Anna Amsel", "email": "anna@example.org"}
BODO: Final = {"user_id": "amzn1.account.AGBODO0123456789BODO", "name": "Bodo Bär", "email": "bodo@example.org"}
ERROR_PAGE: Final = "<html><body><h1>Sorry! Something went wrong.</h1></body></html>"


@dataclass(slots=True)
class StandInAmazon:
    """One region. `codes` by code: client id, return URL, scope, challenge and account; `tokens` likewise by access token.

    `instead` replaces what a path answers, `told` what token info says. `asked` are the paths in order; what was given out is
    kept, so that a test can look for it where it must not be.
    """

    url: str = ""
    codes: dict[str, tuple[dict[str, str], Mapping[str, str]]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    told: dict[str, object] = field(default_factory=dict)
    instead: dict[str, Handler] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    given_out: list[str] = field(default_factory=list)
    profile: SecurityProfile = PROFILE

    @property
    def region(self) -> Region:
        """Both of its addresses."""
        return Region(self.url, self.url)

    def sign_in(self, location: str, account: Mapping[str, str] = ANNA) -> dict[str, str]:
        """What a person does on Amazon's page: the parameters of the way back, with a code for what the location asks."""
        target = urlsplit(location)
        assert f"{target.scheme}://{target.netloc}{target.path}" == f"{self.url}/ap/oa"
        asked = {name: value for name, (value,) in parse_qs(target.query, strict_parsing=True).items()}
        assert asked["client_id"] == self.profile.client_id, "else an error page, from which nobody comes back"
        assert asked["redirect_uri"] == self.profile.return_url, "the same"
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256", "without it Amazon takes the challenge for the verifier itself"
        code = f"AN{len(self.codes):018d}"
        self.codes[code] = asked, account
        return {"code": code, "scope": asked["scope"], "state": asked["state"]}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Every request arrives here."""
        self.asked.append(request.path)
        if request.path in self.instead:
            return await self.instead[request.path](request)
        return await {
            "/ap/oa": self._page,
            "/auth/o2/token": self._token,
            "/auth/o2/tokeninfo": self._token_info,
            "/user/profile": self._user_profile,
        }[request.path](request)

    async def _page(self, request: web.Request) -> web.Response:
        back = self.sign_in(self.url + str(request.rel_url))
        return web.Response(status=302, headers={"Location": f"{request.query['redirect_uri']}?{urlencode(back)}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (self.profile.client_id, self.profile.client_secret):
            return _error(401, "invalid_client", "Client authentication failed")
        asked, account = self.codes.pop(form["code"], ({}, {}))
        if not asked or asked["redirect_uri"] != form["redirect_uri"]:
            return _error(400, "invalid_grant", "The request has an invalid grant parameter : code")
        if challenge_of(form["code_verifier"]) != asked["code_challenge"]:
            return _error(400, "invalid_grant", "The request has an invalid grant parameter : code_verifier")
        token, refresh = (f"{kind}|{base64.b64encode(form['code'].encode() * 12).decode()}" for kind in ("Atza", "Atzr"))
        self.tokens[token] = asked["scope"], account
        self.given_out += [token, refresh]
        return web.json_response({"access_token": token, "refresh_token": refresh, "token_type": "bearer", "expires_in": 3600})

    async def _token_info(self, request: web.Request) -> web.Response:
        known = self.tokens.get(request.query["access_token"])
        if known is None:
            return _error(400, "invalid_token", "The access token provided is invalid")
        told = {
            "aud": self.profile.client_id,
            "user_id": known[1]["user_id"],
            "iss": "https://www.amazon.com",
            "exp": 3597,
            "app_id": "amzn1.application.0123456789abcdef",
            "iat": 1_800_000_000,
        }
        return web.json_response({**told, **self.told})

    async def _user_profile(self, request: web.Request) -> web.Response:
        known = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if known is None:
            return _error(400, "invalid_token", "The access token provided is invalid")
        scope, account = known
        return web.json_response(dict(account) if scope == "profile" else {"user_id": account["user_id"]})


def _error(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description, "request_id": "0-1"}, status=status)


@asynccontextmanager
async def served(amazon: StandInAmazon) -> AsyncIterator[StandInAmazon]:
    """Answer on a free port of this machine until the block ends."""
    async with answering_at(amazon.answer) as amazon.url:
        yield amazon
