"""No rotation and no restore makes a living link `invalid_grant`: tokens of each age, under every order of what an operator does.

The answer to the first refresh after it is always lost, so that the same token is presented again when the upkeep has retired
whatever it takes to be useless by then.
"""

from itertools import permutations
from typing import Final

import pytest

from alexa_oauth.protocol.events import Event, EventName
from tests.storage.conftest import OpenStore, Surroundings
from tests.storage.records import DAY
from tests.storage.test_restore import restore
from tests.storage.test_rotation import linked, refreshed

HOUR: Final = 3_600
TOLD: Final = Event(EventName.KEY_ROTATED)
AGES: Final = ("head", "predecessor", "newer than the backup", "of a former key")
DEEDS: Final = ("master", "data", "restore", "upkeep")
ORDERS: Final = [order for length in (1, 3) for order in permutations(DEEDS, length)]


class Operator:
    """Does what is named, on one data folder."""

    def __init__(self, open_store: OpenStore, surroundings: Surroundings) -> None:
        self._open_store = open_store
        self._surroundings = surroundings
        self.store = open_store()
        self._backup = b""

    async def back_up(self) -> None:
        self._backup = (await self.store.copy()).read_bytes()

    async def do(self, deed: str) -> None:
        if deed == "master":
            await self.store.keys.rotate_master(TOLD)
        elif deed == "data":
            await self.store.keys.rotate_data(TOLD)
        elif deed == "restore":
            restore(self._backup, self._surroundings, passphrase=None)
            await self.store.close()
            self.store = self._open_store()
        else:
            self._surroundings.advance(2 * HOUR)
            await self.store.keys.renew()

    async def refresh(self, token: str) -> str:
        return await refreshed(self.store, token, self._surroundings)


async def held_token(age: str, operator: Operator, surroundings: Surroundings) -> str:
    """What a client holds when the operator begins, and a backup of then or of before."""
    token = await linked(operator.store)
    await operator.back_up()
    if age == "head":
        return token
    if age == "of a former key":
        await operator.do("data")
        return token
    surroundings.advance(8 * DAY)
    newer = await operator.refresh(token)
    assert newer != token
    if age == "predecessor":
        await operator.back_up()
        return token
    assert await operator.refresh(newer) == newer
    return newer


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
async def test_it_is_answered_now_and_once_more_after_its_answer_was_lost(
    age: str, order: tuple[str, ...], open_store: OpenStore, surroundings: Surroundings
) -> None:
    operator = Operator(open_store, surroundings)
    token = await held_token(age, operator, surroundings)
    for deed in order:
        await operator.do(deed)
    lost = await operator.refresh(token)
    await operator.do("upkeep")
    received = await operator.refresh(token)
    assert received == lost, "a grant has one head, whoever asks how often"
    assert await operator.refresh(received)
    await operator.do("upkeep")
    assert await operator.refresh(await operator.refresh(received))
