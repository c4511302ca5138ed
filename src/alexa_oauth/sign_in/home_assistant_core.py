"""Home Assistant Core as this server asks it: which account a code stands for, and nothing else.

Core's own pages and answers are described at https://developers.home-assistant.io/docs/auth_api. What it gives out for the one
question is revoked before the answer is used, and neither kept nor logged.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from alexa_oauth.sign_in.asking import ANSWER_BYTES, Odd, Question, Session, Unreachable, answering, ask, shown
from alexa_oauth.sign_in.codes import CodeRefused

ANSWER_SECONDS: Final = 3.0
"""For one question."""
ANSWERS_SECONDS: Final = 5.0
"""For all questions about a code together, but for the revocation that follows: a person looks at an empty page meanwhile."""

_METADATA_PATH: Final = "/.well-known/oauth-authorization-server"
_USER_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")


class AccountRefused(Exception):
    """Core knows the code's account and does not let it in: it is disabled, or allowed in the home network alone."""


@dataclass(frozen=True, slots=True)
class User:
    """An account of Home Assistant's."""

    user_id: str
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What Core gave out, and at which of its addresses."""

    address: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


class HomeAssistantCore:
    """Core at the first of some addresses at which it answers."""

    def __init__(self, addresses: tuple[str, ...], client_id: str, session: Session) -> None:
        """`addresses` are origins, the likeliest first; `client_id` is the one under which codes were asked for."""
        self._addresses = addresses
        self._client_id = client_id
        self._session = session

    async def offers_pkce(self) -> bool:
        """Whether this Core holds a code to its challenge; from 2026.10 on it does. `Unreachable`."""
        _, metadata = await find_core(self._addresses, self._session)
        return "S256" in metadata.get("code_challenge_methods_supported", ())

    async def identify(self, code: str, verifier: str | None) -> User:
        """The account that signed in for that code. `CodeRefused`, `AccountRefused`, `Unreachable`.

        Whatever comes of the question, the tokens that Core gives out for it are revoked.
        """
        tokens = None
        try:
            async with answering("Home Assistant", ANSWERS_SECONDS):
                address, _ = await find_core(self._addresses, self._session)
                tokens = await self._redeem(address, code, verifier)
                return await self._current_user(tokens)
        finally:
            if tokens is not None:
                await self._revoke(tokens)

    async def _redeem(self, address: str, code: str, verifier: str | None) -> _Tokens:
        form = {"grant_type": "authorization_code", "code": code, "client_id": self._client_id}
        if verifier is not None:
            form["code_verifier"] = verifier
        async with answering(address, ANSWER_SECONDS):
            answer = await ask(self._session(), Question("POST", f"{address}/auth/token", form=form))
            match answer.status:
                case HTTPStatus.OK:
                    return _Tokens(address, str(answer.body["access_token"]), str(answer.body["refresh_token"]))
                case HTTPStatus.BAD_REQUEST:
                    raise CodeRefused
                case HTTPStatus.FORBIDDEN if answer.body.get("error") == "access_denied":
                    raise AccountRefused
                case _:
                    raise Odd(f"a code was answered with status {answer.status}")

    async def _current_user(self, tokens: _Tokens) -> User:
        async with (
            answering(tokens.address, ANSWER_SECONDS),
            self._session().ws_connect(f"{tokens.address}/api/websocket", max_msg_size=ANSWER_BYTES) as socket,
        ):
            await _expect(socket, "auth_required")
            await socket.send_json({"type": "auth", "access_token": tokens.access_token})
            await _expect(socket, "auth_ok")
            await socket.send_json({"id": 1, "type": "auth/current_user"})
            result = (await _expect(socket, "result"))["result"]
            return User(
                _checked_id(result["id"]), shown(result["name"], "Home Assistant user"), is_admin=result["is_admin"] is True
            )

    async def _revoke(self, tokens: _Tokens) -> None:
        """RFC 7009; a Core that keeps the token counts as one that did not answer, so that the operator hears of it."""
        form = {"token": tokens.refresh_token}
        async with answering(tokens.address, ANSWER_SECONDS):
            answer = await ask(self._session(), Question("POST", f"{tokens.address}/auth/revoke", form=form))
            if answer.status != HTTPStatus.OK:
                raise Odd(f"its token could not be revoked (status {answer.status})")


async def find_core(addresses: tuple[str, ...], session: Session) -> tuple[str, Mapping[str, Any]]:
    """The first of the addresses at which a Core answers, and its metadata (RFC 8414). `Unreachable`.

    Whoever else listens there is shown no secret.
    """
    problems = []
    for address in addresses:
        try:
            async with answering(address, ANSWER_SECONDS / len(addresses)):
                return address, await _metadata(address, session)
        except Unreachable as unreachable:
            problems.append(str(unreachable))
    raise Unreachable("; ".join(problems))


async def _metadata(address: str, session: Session) -> Mapping[str, Any]:
    answer = await ask(session(), Question("GET", address + _METADATA_PATH))
    if answer.status != HTTPStatus.OK or not answer.body["token_endpoint"].endswith("/auth/token"):
        raise Odd("it is not Home Assistant")
    return answer.body


async def _expect(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    message = await socket.receive_json()
    if message["type"] != kind or message.get("success") is False:
        raise Odd(f"it does not say {kind}")
    return dict(message)


def _checked_id(value: object) -> str:
    if not isinstance(value, str) or not _USER_ID.fullmatch(value):
        raise Odd("the account has no usable id")
    return value
