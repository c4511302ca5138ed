"""Accounts of another service that an administrator lets in, at the panel."""

from dataclasses import replace

import pytest

from alexa_oauth.protocol.departure import keep_waiting
from alexa_oauth.protocol.events import EventName
from alexa_oauth.protocol.models import Person
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.sign_in import AwaitsAdministrator
from tests.conftest import StartRig
from tests.panel import ANNA, BERT, Guest, home_assistant_user
from tests.rig import Rig

PAGE = "/waiting"
NOBODY_KNOWS = Person("amazon:amzn1.account.X", "Xaver <3")


@pytest.fixture
async def anna(house: Rig) -> Guest:
    """The administrator."""
    guest = home_assistant_user(house)
    await guest.open()
    return guest


@pytest.fixture
async def attempt(house: Rig) -> str:
    """The reference of a request for which somebody signed in whom nobody knows."""
    page = await house.browser().authorize()

    def wait(tx: Transaction) -> str:
        pending = tx.authorizations.find(page.hidden["request"])
        assert pending is not None
        keep_waiting(tx, pending, AwaitsAdministrator(NOBODY_KNOWS))
        return pending.attempt

    return await house.server.store.write(wait)


def let_in(house: Rig) -> bool:
    return house.store.read(lambda tx: tx.accounts.is_confirmed(NOBODY_KNOWS.subject))


async def test_who_waits_for_an_administrator_is_shown_by_name_and_id_and_let_in(house: Rig, anna: Guest, attempt: str) -> None:
    page = await anna.open(PAGE)
    assert "Signed in as <strong><bdi>Xaver &lt;3</bdi></strong>, who waits for you" in page.text
    assert f"<code>{NOBODY_KNOWS.subject}</code>" in page.text
    assert (await anna.change("/accounts/add", attempt=attempt)).status == 303
    page = await anna.open(PAGE)
    assert "Xaver &lt;3 may link from now on." in page.text
    assert "Accounts that may link" in page.text
    assert "who waits for you" not in page.text
    assert let_in(house)
    (event,) = await house.audit(EventName.ACCOUNT_CONFIRMED)
    assert (event.subject, event.detail) == (NOBODY_KNOWS.subject, {"name": NOBODY_KNOWS.name, "by": f"ha:{ANNA}"})


async def test_an_account_is_sent_away_again(house: Rig, anna: Guest, attempt: str) -> None:
    await anna.open(PAGE)
    await anna.change("/accounts/add", attempt=attempt)
    assert (await anna.change("/accounts/remove", subject=NOBODY_KNOWS.subject)).status == 303
    page = await anna.open(PAGE)
    assert "Xaver &lt;3 may link no longer." in page.text
    assert "Accounts that may link" not in page.text
    assert not let_in(house)
    assert (await anna.change("/accounts/remove", subject=NOBODY_KNOWS.subject)).status == 303
    assert "Nothing was changed" in (await anna.open(PAGE)).text


@pytest.mark.parametrize("attempt", ["", "00000000", "'; --"])
async def test_a_request_that_is_gone_lets_nobody_in(house: Rig, anna: Guest, attempt: str) -> None:
    await anna.open(PAGE)
    await anna.change("/accounts/add", attempt=attempt)
    assert "That request waits no longer." in (await anna.open(PAGE)).text
    assert await house.audit(EventName.ACCOUNT_CONFIRMED) == []


async def test_a_request_for_which_nobody_signed_in_lets_nobody_in(house: Rig, anna: Guest) -> None:
    page = await house.browser().authorize()
    pending = house.store.read(lambda tx: tx.authorizations.find(page.hidden["request"]))
    assert pending is not None
    await anna.open(PAGE)
    await anna.change("/accounts/add", attempt=pending.attempt)
    await house.server.store.write(
        lambda tx: tx.authorizations.remember_person(pending, replace(NOBODY_KNOWS, is_confirmed=True))
    )
    await anna.change("/accounts/add", attempt=pending.attempt)
    assert not let_in(house)


async def test_who_is_no_administrator_lets_nobody_in(house: Rig, anna: Guest, attempt: str) -> None:
    await anna.open(PAGE)
    bert = home_assistant_user(house, BERT, "Bert")
    await bert.open()
    for path, fields in (("/accounts/add", {"attempt": attempt}), ("/accounts/remove", {"subject": NOBODY_KNOWS.subject})):
        answer = await bert.change(path, **fields)
        assert (answer.status, "This page is for administrators" in answer.text) == (403, True)
    assert not let_in(house)


@pytest.mark.parametrize("way", ["password", "approve_only"])
async def test_every_page_reminds_administrators_of_a_weak_way_to_sign_in(start: StartRig, gateway: None, way: str) -> None:  # noqa: ARG001 - it must be there before anybody knocks
    house = await start(supervised=True, sign_in=way)
    anna, bert = home_assistant_user(house), home_assistant_user(house, BERT, "Bert")
    for path in ("/", PAGE, "/links"):
        assert f"sign_in is {way}: " in (await anna.open(path)).text
    assert "sign_in is" not in (await bert.open("/links")).text


async def test_a_sound_way_to_sign_in_is_no_news(anna: Guest) -> None:
    assert "sign_in is" not in (await anna.open(PAGE)).text
