"""Home Assistant's passwords as an add-on can have them checked: by the Supervisor, which asks Core.

https://developers.home-assistant.io/docs/api/supervisor/endpoints#auth. The call needs `auth_api: true` in `config.yaml`.
"""

from http import HTTPStatus
from typing import Final

from alexa_oauth.sign_in.asking import Odd, Question, Session, answering, ask

SUPERVISOR: Final = "http://supervisor"
SERVICE: Final = "Home Assistant"

_SECONDS: Final = 10
"""Core hashes passwords on purpose so that it takes long, on small machines too."""


class SupervisorPasswords:
    """What the Supervisor says of a name and a password: yes or no, without a user id, a group or a second factor."""

    def __init__(self, token: str, session: Session, address: str = SUPERVISOR) -> None:
        """`token` is what the Supervisor gave this add-on; another address is for tests."""
        self._own = {"X-Supervisor-Token": token}
        self._session = session
        self._url = f"{address}/auth"

    async def fits(self, name: str, password: str) -> bool:
        """Whether Home Assistant knows that name with that password. `Unreachable` says nothing of the password.

        Our own token travels in a field of its own: any `Authorization` would be taken for the person's credentials.
        """
        async with answering("Supervisor", _SECONDS):
            body = {"username": name, "password": password}
            answer = await ask(self._session(), Question("POST", self._url, self._own, json=body))
            if answer.status not in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}:
                raise Odd(f"a password was answered with status {answer.status}")
            return answer.status == HTTPStatus.OK
