"""A client that outlives the server: what it received, and what it never heard of."""

from collections import Counter
from collections.abc import Awaitable
from typing import Any, Final

from alexa_oauth.protocol.policy import ACCESS_TOKENS_PER_GRANT
from tests.durability.wire import ALEXA, STRICT, NotAnswered, Wire
from tests.rig import Answer

LOST: Final = "answer lost"
REPEATED: Final = "exchange repeated"
OVERTAKING: Final = 1
"""Two servers of Amazon share a link, so one request asked for earlier may be carried out later."""


class Holder:
    """A client of one profile, with one link at a time.

    Each method raises `NotAnswered` when the server dies, and is called again with a wire to the next one. `happened` counts
    what was received, in the words of the audit trail where it has one.
    """

    def __init__(self, client_id: str, happened: Counter[str]) -> None:
        self.client_id = client_id
        self._happened = happened
        self._code: str | None = None
        self._refresh_token: str | None = None
        self._unheard = False
        """Whether the last request on code or token had no answer."""
        self._asked = 0
        """How many access tokens the server can have issued in this link."""
        self._received: list[tuple[int, str]] = []
        """Access tokens in the order in which they came, each with how many were asked for, itself included."""
        self._checked = 0

    async def link(self, wire: Wire) -> None:
        """Come by a link, if there is none. An exchange without an answer is repeated."""
        while self._refresh_token is None:
            self._code = self._code or await wire.code(self.client_id)
            await self._redeem(wire, self._code)

    async def use(self, wire: Wire) -> None:
        """Refresh on and on, with the newest token or with the one whose answer was lost."""
        while True:
            await self.link(wire)
            await self.refresh(wire)

    async def refresh(self, wire: Wire) -> None:
        """Refresh once. Only under `strict` may a lost answer cost the link."""
        assert self._refresh_token is not None
        self._asked += 1
        number = self._asked
        answer = await self._hear(wire.refresh(self.client_id, self._refresh_token))
        if answer.status == 200:
            self._take(answer, number)
            self._happened["token.refreshed"] += 1
        else:
            assert (self.client_id, self._unheard) == (STRICT, True), answer.text
            await self._bury(wire, answer)
        self._unheard = False

    async def check(self, wire: Wire) -> None:
        """Every access token received since the last check is good, but for those that newer ones have pushed out."""
        for number, access_token in self._received[self._checked :]:
            if self._asked - number < ACCESS_TOKENS_PER_GRANT - OVERTAKING:
                assert (await wire.verify(access_token)).status == 200, self.client_id
                self._happened["token.used"] += 1
        self._checked = len(self._received)

    async def _redeem(self, wire: Wire, code: str) -> None:
        answer = await self._hear(wire.redeem(self.client_id, code))
        if answer.status == 200:
            if self._unheard and self.client_id == ALEXA:
                await self._repeat(wire, code, answer)
            self._asked = 1
            self._take(answer, self._asked)
            self._happened["token.issued"] += 1
        else:
            # It was redeemed before the server died, and no other client gets the answer twice.
            assert self.client_id != ALEXA
            assert self._unheard, answer.text
            assert answer.json["error_description"] == "Invalid or expired authorization code"
        self._code, self._unheard = None, False

    async def _repeat(self, wire: Wire, code: str, answer: Answer) -> None:
        """Alexa repeats, and as long as no token was used it hears the same."""
        again = await wire.redeem(self.client_id, code)
        assert again.json | {"expires_in": 0} == answer.json | {"expires_in": 0}
        self._happened[REPEATED] += 1

    async def _bury(self, wire: Wire, answer: Answer) -> None:
        """The link was ended by what looked like a theft; if so, then all of it."""
        assert answer.refusal == (400, "invalid_grant")
        for _, access_token in self._received[-ACCESS_TOKENS_PER_GRANT:]:
            assert (await wire.verify(access_token)).status == 401
        self._refresh_token, self._checked = None, 0
        self._received.clear()
        self._happened["grant.ended"] += 1

    async def _hear(self, request: Awaitable[Answer]) -> Answer:
        try:
            return await request
        except NotAnswered:
            self._unheard = True
            self._happened[LOST] += 1
            raise

    def _take(self, answer: Answer, number: int) -> None:
        tokens: dict[str, Any] = answer.json
        self._refresh_token = tokens["refresh_token"]
        self._received.append((number, tokens["access_token"]))
