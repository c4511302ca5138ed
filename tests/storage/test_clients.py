"""Client secrets that this server made."""

from dataclasses import replace

import pytest

from alexa_oauth.protocol.credentials import secret_digest
from alexa_oauth.protocol.models import ClientType
from alexa_oauth.storage.store import SqliteStore
from tests.storage.conftest import Surroundings
from tests.storage.records import ALEXA, DAY, NOW, OTHER

OLD, NEW = secret_digest("old"), secret_digest("new")


def digests(store: SqliteStore) -> tuple[bytes, ...]:
    client = store.read(lambda tx: tx.clients.find("amazon-alexa"))
    assert client is not None
    assert replace(client, secret_digests=()) == ALEXA
    return client.secret_digests


async def test_a_client_without_a_configured_secret_gets_the_one_made_at_the_first_start(store: SqliteStore) -> None:
    assert digests(store) == (), "nobody can be this client before it has a secret"
    await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "old"))
    await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "new"))
    assert digests(store) == (OLD,)
    assert store.read(lambda tx: tx.clients.show_secret("amazon-alexa")) == "old"


async def test_what_is_configured_is_left_alone(store: SqliteStore, surroundings: Surroundings) -> None:
    await store.write(lambda tx: tx.clients.ensure_secret("other", "old"))
    assert store.read(lambda tx: tx.clients.find("other")) == OTHER
    assert store.read(lambda tx: tx.clients.find("nobody")) is None
    public = replace(ALEXA, client_type=ClientType.PUBLIC)
    await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "old"))
    surroundings.clients["amazon-alexa"] = public
    assert store.read(lambda tx: tx.clients.find("amazon-alexa")) == public
    del surroundings.clients["amazon-alexa"]
    assert store.read(lambda tx: tx.clients.find("amazon-alexa")) is None


async def test_a_replaced_secret_stays_good_until_the_console_has_the_new_one(
    store: SqliteStore, surroundings: Surroundings
) -> None:
    await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "old"))
    await store.write(lambda tx: tx.clients.replace_secret("amazon-alexa", "new", at_once=False))
    assert digests(store) == (NEW, OLD)
    assert store.read(lambda tx: tx.clients.show_secret("amazon-alexa")) == "new"
    surroundings.advance(7 * DAY - 1)
    assert digests(store) == (NEW, OLD)
    surroundings.advance(1)
    assert digests(store) == (NEW,)


async def test_a_leaked_secret_is_replaced_at_once(store: SqliteStore) -> None:
    await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "old"))
    assert digests(store) == (OLD,)
    await store.write(lambda tx: tx.clients.replace_secret("amazon-alexa", "new", at_once=True))
    assert digests(store) == (NEW,)


@pytest.mark.parametrize(
    ("now", "doubtful", "good"),
    [(NOW + 900 * DAY, True, (NEW, OLD)), (NOW - 900 * DAY, True, (NEW, OLD)), (NOW - 900 * DAY, False, (NEW,))],
    ids=["too old, in doubt", "from the future, in doubt", "from the future"],
)
async def test_a_wrong_clock_neither_cuts_alexa_off_nor_keeps_a_former_secret_for_years(
    store: SqliteStore, surroundings: Surroundings, now: int, good: tuple[bytes, ...], *, doubtful: bool
) -> None:
    await store.write(lambda tx: tx.clients.ensure_secret("amazon-alexa", "old"))
    await store.write(lambda tx: tx.clients.replace_secret("amazon-alexa", "new", at_once=False))
    (surroundings.doubt if doubtful else surroundings.trust)(now)
    assert digests(store) == good
