"""Audit: what happened, who did it and why."""

import json

import pytest

from alexa_oauth.admin import audit
from alexa_oauth.admin.audit import ON_A_PAGE
from alexa_oauth.protocol.events import Event, EventName
from tests.panel import BERT, Guest, home_assistant_user
from tests.rig import Answer, Rig


def lines(answer: Answer) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer.text.splitlines()]


async def record(rig: Rig, *events: Event) -> None:
    for event in events:
        await rig.server.store.write(lambda tx: tx.events.record(event))  # noqa: B023 - it is called at once


async def test_before_anything_happened_it_says_what_to_expect(owner: Guest) -> None:
    assert "Nothing has happened yet" in (await owner.open("/audit")).text


async def test_newest_first_with_who_did_it(house: Rig) -> None:
    anna = home_assistant_user(house)
    await anna.open()
    await home_assistant_user(house, BERT, "Bert").open()
    await anna.change("/people/add", subject=f"ha:{BERT}")
    await house.link("C1")
    page = (await anna.open("/audit")).text
    assert page.index("<strong>token.issued") < page.index("<strong>consent.approved") < page.index("<strong>administrator.added")
    assert "by <bdi>Anna</bdi>" in page
    assert "<bdi>Bert</bdi>" in page


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("event=token.refused", 1),
        ("attempt=cafe0001", 2),
        ("link=00000000000000aa", 1),
        ("subject=ha%3A1", 1),
        ("event=token.refused&attempt=cafe0002", 0),
        ("event=nonsense", 3),
        ("attempt=%00&subject=%0a", 3),
        ("attempt=%27+OR+1=1+--", 0),
        ("before=x", 3),
    ],
)
async def test_filters(checkout: Rig, owner: Guest, query: str, number: int) -> None:
    await record(
        checkout,
        Event(EventName.CONSENT_APPROVED, "cafe0001", "C1", "ha:1"),
        Event(EventName.TOKEN_REFUSED, "cafe0001", "C1"),
        Event(EventName.GRANT_ENDED, grant_id="00000000000000aa"),
    )
    assert (await owner.open(f"/audit?{query}")).text.count('data-label="What"') == number
    assert len(lines(await owner.open(f"/audit/export?{query}"))) == number


async def test_pages_lead_back_to_the_beginning(checkout: Rig, owner: Guest) -> None:
    events = [Event(EventName.TOKEN_REFUSED, f"{number:08x}") for number in range(ON_A_PAGE + 20)]
    await record(checkout, *events, Event(EventName.CLOCK_DOUBTED))
    first = await owner.open("/audit?event=token.refused")
    assert first.text.count('data-label="What"') == ON_A_PAGE
    older = next(part.split('"')[0] for part in first.text.split('href="') if "before=" in part)
    second = await owner.open(older.replace("&amp;", "&"))
    assert second.text.count('data-label="What"') == 20
    assert "00000000" in second.text
    assert "before=" not in second.text


async def test_the_export_is_whole_however_long(checkout: Rig, owner: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "AT_ONCE", 7)
    await record(checkout, *(Event(EventName.TOKEN_REFUSED, f"{number:08x}") for number in range(50)))
    answer = await owner.open("/audit/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="alexa-oauth-audit.jsonl"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert [line["attempt"] for line in lines(answer)] == [f"{number:08x}" for number in reversed(range(50))]


async def test_what_strangers_wrote_is_shown_as_text(checkout: Rig, owner: Guest) -> None:
    hostile = "<script>alert(1)</script>"
    await record(checkout, Event(EventName.AUTHORIZE_REFUSED, client_id=hostile, detail={"redirect_uri": hostile}))
    page = (await owner.open("/audit")).text
    assert hostile not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


@pytest.mark.parametrize("path", ["/audit", "/audit/export"])
async def test_it_is_for_administrators(house: Rig, path: str) -> None:
    await home_assistant_user(house).open()
    assert (await home_assistant_user(house, BERT, "Bert").open(path)).status == 403
