"""Wrong sign-ins slow down the next ones, and keep nobody out."""

import asyncio

import pytest

from alexa_oauth.protocol.sign_in import Visitor
from alexa_oauth.sign_in.throttle import (
    ACCOUNT_SECONDS,
    ADDRESS_SECONDS,
    FORGOTTEN_SECONDS,
    WAITING,
    WAITING_OF_ADDRESS,
    Throttle,
)
from tests.rig import FakeClocks

OWNER = Visitor("192.0.2.1", address_is_known=True)


class Waits:
    """A throttle whose waits are written down instead of waited for, unless they are held."""

    def __init__(self) -> None:
        self.clocks = FakeClocks()
        self.seconds: list[float] = []
        self.over = asyncio.Event()
        self.over.set()
        self.throttle = Throttle(lambda: self.clocks.running, self._pause)

    async def _pause(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self.over.wait()

    async def fail(self, times: int, account: str = "owner", visitor: Visitor = OWNER) -> list[float]:
        """The wait before each of so many wrong tries."""
        waits = []
        for _ in range(times):
            self.seconds = [0]
            assert await self.throttle.admit(account, visitor) is None
            waits.append(self.seconds[-1])
        return waits


@pytest.fixture
def waits() -> Waits:
    return Waits()


def stranger(number: int) -> Visitor:
    return Visitor(f"198.51.100.{number}", address_is_known=True)


async def test_a_few_mistypings_cost_nothing_and_each_further_one_doubles_the_wait(waits: Waits) -> None:
    assert await waits.fail(12) == [0, 0, 0, 1, 2, 4, 8, 16, 32, 32, 32, 32]


async def test_an_account_is_guarded_against_many_addresses(waits: Waits) -> None:
    assert [(await waits.fail(1, visitor=stranger(number)))[0] for number in range(9)] == [0, 0, 0, 1, 2, 4, 8, 16, 16]


async def test_an_address_is_slowed_down_whatever_account_it_tries(waits: Waits) -> None:
    assert [(await waits.fail(1, f"account {number}"))[0] for number in range(6)] == [0, 0, 0, 1, 2, 4]


async def test_strangers_make_the_owner_wait_for_seconds_and_never_keep_them_out(waits: Waits) -> None:
    for number in range(200):
        await waits.fail(20, visitor=stranger(number))
    assert await waits.fail(1) == [ACCOUNT_SECONDS]


async def test_a_hundred_tries_at_once_are_no_way_around_the_wait(waits: Waits) -> None:
    waits.over.clear()
    tries = [asyncio.create_task(waits.throttle.admit("owner", OWNER)) for _ in range(100)]
    await asyncio.sleep(0)
    assert waits.seconds == [1, 2, 4, 8]
    assert len(waits.seconds) == WAITING_OF_ADDRESS
    waits.over.set()
    turned_away = [seconds for seconds in await asyncio.gather(*tries) if seconds is not None]
    assert turned_away == [16] * 93
    assert await waits.fail(1) == [16], "who was turned away was not judged, and does not count"


async def test_one_address_that_waits_leaves_room_for_the_owner(waits: Waits) -> None:
    await waits.fail(10, visitor=stranger(1))
    waits.over.clear()
    strangers = [asyncio.create_task(waits.throttle.admit("owner", stranger(1))) for _ in range(100)]
    await asyncio.sleep(0)
    owners = asyncio.create_task(waits.throttle.admit("owner", OWNER))
    await asyncio.sleep(0)
    waits.over.set()
    assert await owners is None
    assert (await asyncio.gather(*strangers)).count(None) == WAITING_OF_ADDRESS


async def test_how_many_wait_at_once_is_bounded(waits: Waits) -> None:
    await waits.fail(10)
    waits.over.clear()
    everybody = [asyncio.create_task(waits.throttle.admit("owner", stranger(number))) for number in range(100)]
    await asyncio.sleep(0)
    waits.over.set()
    assert (await asyncio.gather(*everybody)).count(None) == WAITING


async def test_right_tries_cost_nothing_however_many_they_are(waits: Waits) -> None:
    for _ in range(20):
        assert await waits.fail(1) == [0]
        waits.throttle.forgive("owner", OWNER)


async def test_after_an_hour_without_a_try_all_is_forgotten(waits: Waits) -> None:
    assert (await waits.fail(12))[-1] == ADDRESS_SECONDS
    waits.clocks.advance(FORGOTTEN_SECONDS + 1)
    assert await waits.fail(1) == [0]


async def test_behind_an_unknown_proxy_the_account_alone_is_counted(waits: Waits) -> None:
    everybody = Visitor("192.0.2.9", address_is_known=False)
    assert [(await waits.fail(1, f"account {number}", everybody))[0] for number in range(6)] == [0] * 6
    assert await waits.fail(5, "owner", everybody) == [0, 0, 0, 1, 2]


async def test_an_account_that_is_named_like_an_address_is_not_one(waits: Waits) -> None:
    await waits.fail(10, OWNER.address, stranger(1))
    assert await waits.fail(1, "somebody") == [0]
