"""Telling Home Assistant what is unusual, as its persistent notifications, in the name of a user who gave a token for it.

Its REST API is described at https://developers.home-assistant.io/docs/api/rest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from math import inf
from typing import Final

from alexa_oauth.diagnosis.notices import Kind, Notice
from alexa_oauth.sign_in.asking import Odd, Question, Session, Unreachable, answering, ask
from alexa_oauth.sign_in.home_assistant_core import ANSWER_SECONDS, find_core

TITLE: Final = "Alexa Link"
REWORDED_SECONDS: Final = 3_600
"""How long a notification stands before other words take its place: who dismissed it is not bothered by each new number."""
AGAIN_SECONDS: Final = 6 * 3_600
"""After which one that stands is sent anew: Home Assistant forgets its notifications at each start, and tells nobody."""

_ACTIONS: Final = "/api/services/persistent_notification"
_REFUSED: Final = "Home Assistant refuses home_assistant_token; it is not tried again. Set a new one, and start anew"


@dataclass(frozen=True, slots=True)
class Access:
    """Where Home Assistant may answer, the likeliest address first, and a long-lived access token of a user's."""

    addresses: tuple[str, ...]
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What stands in Home Assistant for a kind of notice, `None` for nothing, since when."""

    message: str | None
    since: float


class _TokenRefused(Exception):
    """Home Assistant does not know the token, or no more."""


class Notifications:
    """One notification a kind of notice, by the same id each time, so that sending it anew adds none."""

    def __init__(self, access: Access, session: Session, running: Callable[[], float]) -> None:
        """`running` counts seconds. What an earlier run left in Home Assistant is not known; the first telling puts it right."""
        self._access = access
        self._session = session
        self._running = running
        self._shown = dict.fromkeys(Kind, _Shown("", -inf))
        self._is_refused = False

    async def tell(self, notices: Iterable[Notice]) -> str | None:
        """Let Home Assistant show these and no others. What hinders that, in words for the operator; `None` if nothing does.

        A refused token is not shown again: each time counts as a failed login there, for which it may ban this machine.
        """
        changes = self._changes(_messages(notices))
        if self._is_refused or not changes:
            return _REFUSED if self._is_refused else None
        try:
            address, _ = await find_core(self._access.addresses, self._session)
            for kind, message in changes.items():
                await self._send(address, kind, message)
                self._shown[kind] = _Shown(message, self._running())
        except Unreachable as unreachable:
            return str(unreachable)
        except _TokenRefused:
            self._is_refused = True
            return _REFUSED
        return None

    def _changes(self, messages: dict[Kind, str]) -> dict[Kind, str | None]:
        wanted = {kind: messages.get(kind) for kind in Kind}
        return {kind: message for kind, message in wanted.items() if self._is_due(self._shown[kind], message)}

    def _is_due(self, shown: _Shown, message: str | None) -> bool:
        if shown.message is None or message is None:
            return shown.message != message
        return self._running() - shown.since >= (AGAIN_SECONDS if shown.message == message else REWORDED_SECONDS)

    async def _send(self, address: str, kind: Kind, message: str | None) -> None:
        fields = {"notification_id": f"alexa_oauth_{kind}"}
        action = "dismiss" if message is None else "create"
        if message is not None:
            fields |= {"title": TITLE, "message": message}
        headers = {"Authorization": f"Bearer {self._access.token}"}
        async with answering(address, ANSWER_SECONDS):
            answer = await ask(self._session(), Question("POST", f"{address}{_ACTIONS}/{action}", headers, json=fields))
            if answer.status == HTTPStatus.UNAUTHORIZED:
                raise _TokenRefused
            if answer.status != HTTPStatus.OK:
                raise Odd(f"a notification was answered with status {answer.status}")


def _messages(notices: Iterable[Notice]) -> dict[Kind, str]:
    """What each kind of notice has to say, with where to read on."""
    told: dict[Kind, list[Notice]] = {}
    for notice in notices:
        told.setdefault(notice.kind, []).append(notice)
    return {
        kind: " ".join([*(notice.sentence for notice in alike), alike[0].advice, f"More: {TITLE} → Health."])
        for kind, alike in told.items()
    }
