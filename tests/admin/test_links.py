"""Links: everybody sees and ends their own, an administrator all of them."""

import re
from dataclasses import replace

import pytest

from alexa_oauth.admin.links import ON_A_PAGE
from alexa_oauth.protocol.events import EventName, Reason
from tests.panel import ANNA, BERT, PATH, Guest, by_link, home_assistant_user
from tests.rig import NOW, Answer, Rig
from tests.storage.records import grant


async def add_links(rig: Rig, subject: str, *numbers: int) -> list[str]:
    """Links of that person, which the trail need not know; their ids."""
    links = [replace(grant(number, "C1"), subject=subject, scope=("music.read",), created_at=NOW + number) for number in numbers]
    for link in links:
        await rig.server.store.write(lambda tx: tx.grants.add(link))  # noqa: B023 - it is called at once
    return [link.grant_id for link in links]


def ids_on(page: Answer) -> list[str]:
    return re.findall(r'name="link" value="([0-9a-f]{16})"', page.text)


@pytest.fixture
async def anna(house: Rig) -> Guest:
    """The administrator."""
    guest = home_assistant_user(house)
    await guest.open()
    return guest


@pytest.fixture
async def bert(house: Rig, anna: Guest) -> Guest:  # noqa: ARG001 - she was first
    """Somebody who administers nothing."""
    guest = home_assistant_user(house, BERT, "Bert")
    await guest.open()
    return guest


async def test_without_links_it_says_how_one_is_made(owner: Guest) -> None:
    page = await owner.open("/links")
    assert "Nobody has linked Alexa yet" in page.text
    assert "<table" not in page.text


async def test_an_administrator_sees_who_linked_what_and_until_when(house: Rig, anna: Guest, bert: Guest) -> None:
    await add_links(house, f"ha:{BERT}", 1)
    page = await anna.open("/links")
    for told in ("Bert", "Ex", "15 Jan 2027", "15 Apr 2027", "just now"):
        assert told in page.text
    assert "1 link" in page.text
    assert "End all links" not in page.text, "there is one"
    assert "Your links" in (await bert.open("/links")).text


async def test_everybody_else_sees_their_own(house: Rig, bert: Guest) -> None:
    await add_links(house, f"ha:{ANNA}", 1, 2)
    (own,) = await add_links(house, f"ha:{BERT}", 3)
    page = await bert.open("/links")
    assert ids_on(page) == [own]
    assert "Anna" not in page.text


async def test_and_ends_their_own_at_once(house: Rig, bert: Guest) -> None:
    (own,) = await add_links(house, f"ha:{BERT}", 3)
    await bert.open("/links")
    answer = await bert.change("/links/end", link=own)
    assert (answer.status, answer.location) == (303, f"{PATH}/links")
    page = await bert.open("/links")
    assert "The link has ended." in page.text
    assert ids_on(page) == []
    (ended,) = await house.audit(EventName.GRANT_ENDED)
    assert (ended.reason, ended.subject, ended.detail) == (Reason.REVOKED_BY_OPERATOR, f"ha:{BERT}", {"by": f"ha:{BERT}"})


async def test_nobody_ends_another_s(house: Rig, bert: Guest) -> None:
    (annas,) = await add_links(house, f"ha:{ANNA}", 1)
    await add_links(house, f"ha:{BERT}", 2)
    await bert.open("/links")
    await bert.change("/links/end", link=annas)
    assert "had ended already" in (await bert.open("/links")).text
    assert (await bert.change("/links/end-all")).status == 403
    assert await house.audit(EventName.GRANT_ENDED) == []


async def test_what_ends_here_ends_its_tokens(checkout: Rig, owner: Guest) -> None:
    tokens = await checkout.link("C1")
    (link,) = ids_on(await owner.open("/links"))
    await owner.change("/links/end", link=link)
    assert (await checkout.refresh(tokens["refresh_token"])).refusal == (400, "invalid_grant")
    assert (await checkout.verify(tokens["access_token"])).status == 401


async def test_an_administrator_ends_them_all_by_name(house: Rig, anna: Guest) -> None:
    await add_links(house, f"ha:{BERT}", *range(1, 60))
    page = await anna.open("/links")
    assert "59 links will end at once" in page.text
    await anna.change("/links/end-all")
    page = await anna.open("/links")
    assert "59 links ended" in page.text
    assert {event.detail["by"] for event in await house.audit(EventName.GRANT_ENDED)} == {f"ha:{ANNA}"}


@pytest.mark.parametrize("link", ["", "0", "../..", "a1b2c3d4e5f60718", "\u0661"])
async def test_a_link_that_is_not_there_is_told_as_ended(owner: Guest, link: str) -> None:
    await owner.open("/links")
    await owner.change("/links/end", link=link)
    assert "had ended already" in (await owner.open("/links")).text


async def test_hundreds_stay_usable(checkout: Rig) -> None:
    ids = await add_links(checkout, "local", *range(1, 121))
    owner = await by_link(checkout)
    first, last = await owner.open("/links"), await owner.open("/links?page=3")
    assert ids_on(first) == ids[::-1][:ON_A_PAGE]
    assert ids_on(last) == ids[::-1][2 * ON_A_PAGE :]
    assert "page 3 of 3" in last.text
    assert "?page=2" in first.text
    assert "?page=4" not in last.text


@pytest.mark.parametrize("asked", ["0", "-1", "x", "999999", "9" * 40, "%D9%A2", "1&page=2"])
async def test_a_page_that_is_none_is_the_nearest(checkout: Rig, asked: str) -> None:
    await add_links(checkout, "local", *range(1, 61))
    assert (await (await by_link(checkout)).open(f"/links?page={asked}")).status == 200
