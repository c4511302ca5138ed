"""A store in a folder of its own, on a clock that stands still until a test moves it."""

import hashlib
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.models import Client, Instant
from alexa_oauth.storage.opening import Opening
from alexa_oauth.storage.store import SqliteStore
from tests.storage.records import CLIENTS, NOW


class CountedEntropy:
    """Bytes that never repeat and are the same in every run."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def __call__(self, size: int) -> bytes:
        digest = hashlib.shake_256(b"entropy %d" % next(self._numbers))
        return digest.digest(size)


@dataclass
class Surroundings:
    """What a store is given; tests change it as their story goes."""

    folder: Path
    instant: Instant = field(default_factory=lambda: Instant(NOW, NOW - 1_000))
    entropy: CountedEntropy = field(default_factory=CountedEntropy)
    clients: dict[str, Client] = field(default_factory=lambda: dict(CLIENTS))
    told: list[Event] = field(default_factory=list)

    def advance(self, seconds: int) -> None:
        self.instant = replace(self.instant, now=self.instant.now + seconds)

    def doubt(self, now: int) -> None:
        self.instant = Instant(now, now, doubtful=True)

    def trust(self, now: int) -> None:
        self.instant = Instant(now, now)

    def opening(self, *, serving: bool = True, master_key: bytes | None = None) -> Opening:
        return Opening(
            master_key=master_key,
            instant=lambda: self.instant,
            entropy=self.entropy,
            definitions=lambda: self.clients,
            on_commit=self.told.extend,
            serving=serving,
        )


OpenStore = Callable[..., SqliteStore]


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path / "data")


@pytest.fixture
async def open_store(surroundings: Surroundings) -> AsyncIterator[OpenStore]:
    """Open the store of the test's folder; what is still open at the end of the test is closed."""
    async with AsyncExitStack() as stack:

        def begin(*, serving: bool = True, master_key: bytes | None = None) -> SqliteStore:
            store = SqliteStore.open(surroundings.folder, surroundings.opening(serving=serving, master_key=master_key))
            stack.push_async_callback(store.close)
            return store

        yield begin


@pytest.fixture
def store(open_store: OpenStore) -> SqliteStore:
    return open_store()
