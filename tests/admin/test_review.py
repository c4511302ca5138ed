"""After a restore the panel reminds its administrators of the links that live again, until one of them has looked."""

from typing import Final

import pytest

from alexa_oauth.protocol.events import Event, EventName
from tests.panel import ANNA, BERT, Guest, home_assistant_user
from tests.rig import Rig

REMINDER: Final = "Links that ended since then live again"
PAGES: Final = ("/", "/links")


@pytest.fixture
async def anna(house: Rig) -> Guest:
    """The administrator."""
    guest = home_assistant_user(house)
    await guest.open()
    return guest


async def restore(rig: Rig, name: EventName = EventName.DATABASE_ADOPTED) -> None:
    event = Event(name, detail={"as_of": "2026-11-20T08:30:00+00:00"})
    await rig.server.store.write(lambda tx: tx.events.record(event))


async def reminds(guest: Guest) -> list[bool]:
    return [REMINDER in (await guest.open(page)).text for page in PAGES]


@pytest.mark.parametrize("name", [EventName.DATABASE_ADOPTED, EventName.BACKUP_RESTORED])
async def test_an_administrator_is_reminded_until_the_links_were_looked_through(house: Rig, anna: Guest, name: EventName) -> None:
    assert await reminds(anna) == [False, False]
    await restore(house, name)
    assert await reminds(anna) == [True, True]
    assert "20 Nov 2026" in (await anna.open("/links")).text
    answer = await anna.change("/links/reviewed")
    assert (answer.status, answer.location.endswith("/links")) == (303, True)
    assert await reminds(anna) == [False, False]
    (event,) = await house.audit(EventName.LINKS_REVIEWED)
    assert event.detail["by"] == f"ha:{ANNA}"


async def test_the_next_restore_reminds_again(house: Rig, anna: Guest) -> None:
    await restore(house)
    await anna.change("/links/reviewed")
    await restore(house)
    assert await reminds(anna) == [True, True]


@pytest.mark.usefixtures("anna")
async def test_others_are_not_asked_and_cannot_say_that_they_looked(house: Rig) -> None:
    bert = home_assistant_user(house, BERT, "Bert")
    await restore(house)
    assert await reminds(bert) == [False, False]
    assert (await bert.change("/links/reviewed")).status == 403
    assert await house.audit(EventName.LINKS_REVIEWED) == []
