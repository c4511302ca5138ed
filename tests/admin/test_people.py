"""Who administers the panel inside Home Assistant, where any user can open it."""

import pytest

from alexa_oauth.protocol.events import EventName
from alexa_oauth.protocol.models import Resident
from alexa_oauth.protocol.people import reset
from tests.panel import ANNA, BERT, PATH, home_assistant_user
from tests.rig import Rig


async def people_of(house: Rig) -> tuple[Resident, ...]:
    return house.store.read(lambda tx: tx.people.known())


async def test_the_first_who_opens_it_becomes_its_administrator_and_nobody_after(house: Rig) -> None:
    anna, bert = home_assistant_user(house), home_assistant_user(house, BERT, "Bert")
    assert "administrator" in (await anna.open()).text
    assert "administrator" not in (await bert.open()).text.lower()
    assert await people_of(house) == (
        Resident(f"ha:{ANNA}", "Anna", is_administrator=True),
        Resident(f"ha:{BERT}", "Bert", is_administrator=False),
    )
    (added,) = await house.audit(EventName.ADMINISTRATOR_ADDED)
    assert (added.subject, added.detail["by"]) == (f"ha:{ANNA}", f"ha:{ANNA}")


async def test_a_new_name_is_learnt_and_rights_stay(house: Rig) -> None:
    await home_assistant_user(house).open()
    page = await home_assistant_user(house, ANNA, "Anna Karenina").open()
    assert "Anna Karenina" in page.text
    assert await people_of(house) == (Resident(f"ha:{ANNA}", "Anna Karenina", is_administrator=True),)


async def test_an_administrator_names_another_who_may_then_let_the_first_one_go(house: Rig) -> None:
    anna, bert = home_assistant_user(house), home_assistant_user(house, BERT, "Bert")
    await anna.open()
    await bert.open()
    answer = await anna.change("/people/add", subject=f"ha:{BERT}")
    assert (answer.status, answer.location) == (303, f"{PATH}/")
    assert "Bert is an administrator now." in (await anna.open()).text
    assert "Bert is an administrator now." not in (await anna.open()).text

    await bert.open()
    assert (await bert.change("/people/remove", subject=f"ha:{ANNA}")).status == 303
    assert [person.name for person in await people_of(house) if person.is_administrator] == ["Bert"]
    removed, *_ = await house.audit(EventName.ADMINISTRATOR_REMOVED)
    assert (removed.subject, removed.detail["by"]) == (f"ha:{ANNA}", f"ha:{BERT}")


async def test_the_last_administrator_stays(house: Rig) -> None:
    anna = home_assistant_user(house)
    await anna.open()
    assert (await anna.change("/people/remove", subject=f"ha:{ANNA}")).status == 303
    assert "one administrator must stay" in (await anna.open()).text
    assert await house.audit(EventName.ADMINISTRATOR_REMOVED) == []


@pytest.mark.parametrize("path", ["/people/add", "/people/remove"])
async def test_who_is_no_administrator_changes_nothing(house: Rig, path: str) -> None:
    await home_assistant_user(house).open()
    bert = home_assistant_user(house, BERT, "Bert")
    page = await bert.open()
    assert "/people/" not in page.text
    answer = await bert.change(path, subject=f"ha:{BERT}" if path.endswith("add") else f"ha:{ANNA}")
    assert answer.status == 403
    assert "for administrators" in answer.text
    assert [person.name for person in await people_of(house) if person.is_administrator] == ["Anna"]


async def test_nobody_is_appointed_who_was_never_here(house: Rig) -> None:
    anna = home_assistant_user(house)
    await anna.open()
    await anna.change("/people/add", subject="ha:nobody")
    assert "Nobody by that name" in (await anna.open()).text
    assert len(await people_of(house)) == 1


async def test_after_a_reset_the_next_one_becomes_administrator(house: Rig) -> None:
    anna, bert = home_assistant_user(house), home_assistant_user(house, BERT, "Bert")
    await anna.open()
    await bert.open()
    assert await house.server.store.write(lambda tx: reset(tx, by="command line")) == 1
    assert "administrator" in (await bert.open()).text
    assert "administrator" not in (await anna.open()).text
