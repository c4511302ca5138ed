"""Login with Amazon as this server asks it: which account a code stands for, and nothing else.

https://developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html describes the pages and answers. What Amazon
gives out for the one question is neither kept nor logged.
"""

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from alexa_oauth.protocol.models import Departure
from alexa_oauth.protocol.pkce import challenge_of
from alexa_oauth.sign_in.asking import Answer, Odd, Question, Session, answering, ask, shown
from alexa_oauth.sign_in.codes import CodeRefused

SERVICE: Final = "Amazon"

ANSWERS_SECONDS: Final = 8.0
"""For all three questions together: a person looks at an empty page meanwhile."""

_USER_ID: Final = re.compile(r"amzn1\.account\.[A-Za-z0-9._-]{1,128}")
_OF_THE_CODE: Final = "invalid_grant"
_OF_THE_SETTINGS: Final = frozenset({"invalid_client", "unauthorized_client"})
_ERROR: Final = re.compile(r"[a-z_]{1,40}")
_ID_CHARACTERS_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Region:
    """Where the people of a part of the world sign in, and where this server asks for them; no slash at the end of either."""

    page: str
    api: str


REGIONS: Final = {
    "na": Region("https://www.amazon.com", "https://api.amazon.com"),
    "eu": Region("https://eu.account.amazon.com", "https://api.amazon.co.uk"),
    "fe": Region("https://apac.account.amazon.com", "https://api.amazon.co.jp"),
}
"""By the value of the setting `amazon_region`."""


@dataclass(frozen=True, slots=True)
class SecurityProfile:
    """This server as Amazon knows it. `return_url` must be one of the profile's Allowed Return URLs."""

    client_id: str
    client_secret: str = field(repr=False)
    return_url: str


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at Amazon. `user_id` is their id for this developer's security profiles, and for no others."""

    user_id: str
    name: str


class LoginWithAmazon:
    """One security profile in one region."""

    def __init__(self, region: Region, profile: SecurityProfile, session: Session) -> None:
        self._region = region
        self._profile = profile
        self._session = session

    def page(self, departure: Departure, *, with_name: bool) -> str:
        """Where a person signs in; only who is asked for their name is asked for consent by Amazon, too."""
        parameters = {
            "client_id": self._profile.client_id,
            "scope": "profile" if with_name else "profile:user_id",
            "response_type": "code",
            "redirect_uri": self._profile.return_url,
            "state": departure.state,
        }
        if departure.verifier is not None:
            parameters |= {"code_challenge": challenge_of(departure.verifier), "code_challenge_method": "S256"}
        return f"{self._region.page}/ap/oa?{urlencode(parameters)}"

    async def identify(self, code: str, verifier: str | None) -> Account:
        """The account that signed in for that code. `CodeRefused`, `Unreachable`."""
        async with answering(SERVICE, ANSWERS_SECONDS):
            token = await self._redeem(code, verifier)
            return await self._account(token, await self._owner(token))

    async def _redeem(self, code: str, verifier: str | None) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._profile.return_url,
            "client_id": self._profile.client_id,
            "client_secret": self._profile.client_secret,
        }
        if verifier is not None:
            form["code_verifier"] = verifier
        answer = await ask(self._session(), Question("POST", f"{self._region.api}/auth/o2/token", form=form))
        if answer.status == HTTPStatus.BAD_REQUEST and answer.body.get("error") == _OF_THE_CODE:
            raise CodeRefused
        return str(_good(answer, "a code")["access_token"])

    async def _owner(self, token: str) -> str:
        """Whose token it is, once it is certain that it was given out for us and lives: anybody's would open the profile.

        `iss` is not compared: it is the region's own server that answers, and only one region's value is documented.
        """
        question = Question("GET", f"{self._region.api}/auth/o2/tokeninfo", query={"access_token": token})
        told = _good(await ask(self._session(), question), "a token")
        if told["aud"] != self._profile.client_id:
            raise Odd("its token is meant for another client")
        if int(told["exp"]) <= 0:
            raise Odd("its token is over")
        if not _USER_ID.fullmatch(told["user_id"]):
            raise Odd("the account has no usable id")
        return str(told["user_id"])

    async def _account(self, token: str, user_id: str) -> Account:
        headers = {"Authorization": f"Bearer {token}"}
        told = _good(await ask(self._session(), Question("GET", f"{self._region.api}/user/profile", headers)), "a profile")
        if told["user_id"] != user_id:
            raise Odd("the profile is not that of the token")
        return Account(user_id, shown(told.get("name"), f"…{user_id[-_ID_CHARACTERS_SHOWN:]}"))


def _good(answer: Answer, question: str) -> dict[str, Any]:
    """The body of an answer that is one. Amazon's word for what went wrong names no secret: `invalid_client` is ours to mend."""
    if answer.status == HTTPStatus.OK:
        return dict(answer.body)
    error = answer.body.get("error")
    told = error if isinstance(error, str) and _ERROR.fullmatch(error) else "no reason"
    hint = ": check amazon_client_id, amazon_client_secret and amazon_region" if told in _OF_THE_SETTINGS else ""
    raise Odd(f"{question} was answered with status {answer.status}, {told}{hint}")
