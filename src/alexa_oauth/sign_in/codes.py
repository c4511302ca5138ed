"""The code with which a browser comes back from another service's page, and how it is judged, whichever service it was."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from alexa_oauth.protocol.models import PendingRequest
from alexa_oauth.protocol.sign_in import ServiceUnavailable, SignInCrowded, SignInVerdict, Visitor
from alexa_oauth.sign_in.asking import Unreachable
from alexa_oauth.sign_in.throttle import Throttle, Tries

_CODE: Final = re.compile(r"[\x21-\x7e]{1,512}")

Inquiry = Callable[[str, str | None], Awaitable[SignInVerdict]]
"""Asks the service about a code, with PKCE's verifier if one belongs to it. May raise `CodeRefused` and `Unreachable`."""


class CodeRefused(Exception):
    """The service gave out no such code, or it is used or too old."""


class Codes:
    """Failed codes slow down the next ones: each costs the service a question, and Home Assistant an entry in its log."""

    def __init__(self, service: str, throttle: Throttle, tries: Tries) -> None:
        """`service` is its name as people know it."""
        self._service = service
        self._throttle = throttle
        self._tries = tries

    async def judge(
        self, pending: PendingRequest, answer: Mapping[str, str], visitor: Visitor, inquire: Inquiry
    ) -> SignInVerdict:
        """Have the service asked, unless the answer (RFC 6749 §4.1.2) is an error or holds no code."""
        departure, code = pending.departure, answer.get("code", "")
        if departure is None or "error" in answer or not _CODE.fullmatch(code):
            return self._tries.failed(pending)
        wait = await self._throttle.admit(self._service, visitor)
        if wait is not None:
            return SignInCrowded(wait)
        try:
            verdict = await inquire(code, departure.verifier)
        except CodeRefused:
            return self._tries.failed(pending)
        except Unreachable as unreachable:
            verdict = ServiceUnavailable(self._service, str(unreachable))
        self._throttle.forgive(self._service, visitor)
        return verdict
