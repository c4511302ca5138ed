"""The panel's pages on every screen: with nothing in them, with one link, and with five hundred."""

from dataclasses import replace

import pytest

from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import Grant
from alexa_oauth.protocol.people import welcome
from alexa_oauth.protocol.ports import Transaction
from tests.browser.conftest import OpenPanel
from tests.browser.panel_rooms import SCREENS, PanelRoom
from tests.browser.visitor import Screen
from tests.panel import ANNA, BERT
from tests.rig import VERIFIER

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

READY = {"public_url": "https://alexa.example.org", "vendor_ids": "M1A2B3C4D5E6F7"}
URI = "https://layla.amazon.com/api/skill/link/M1A2B3C4D5E6F7"


async def link_alexa(panel: PanelRoom, **fields: str) -> None:
    """The first link, from Alexa's request to the first use of its token. `fields` are entered on the consent page."""
    rig = panel.rig
    secret = rig.store.read(lambda tx: tx.clients.show_secret("amazon-alexa"))
    browser = rig.browser()
    answer = await browser.approve(await browser.authorize("amazon-alexa", redirect_uri=URI), **fields)
    grant = {"grant_type": "authorization_code", "redirect_uri": URI, "code_verifier": VERIFIER, **answer.returned}
    client = {"client_id": "amazon-alexa", "client_secret": secret}
    tokens = (await rig.post("/alexa/token", None, {**grant, **client})).json
    await rig.verify(tokens["access_token"])


async def add_links(panel: PanelRoom, number: int) -> None:
    """So many links of a few people, each with its events."""

    def add(tx: Transaction) -> None:
        for count in range(number):
            subject = ("local", "ha:2", "ha:3", "amazon:amzn1.account.AEYM2VBPTVZ6Q5RLQ7GDAHO4R5DA")[count % 4]
            grant = Grant(
                grant_id=f"{count:016x}",
                client_id="amazon-alexa",
                subject=subject,
                scope=("music.read", "music.control"),
                seed=bytes(20),
                attempt=f"{count:08x}",
                created_at=tx.now - count * 50_000,
                generation=1,
                rotated_at=tx.now,
                rotated_profile=None,
                head_used_at=None,
                first_used_at=None,
                last_used_at=tx.now - count * 977,
            )
            tx.grants.add(grant)
            event = Event(EventName.TOKEN_ISSUED, grant.attempt, grant.client_id, subject, grant.grant_id, address="203.0.113.7")
            tx.events.record(event)
        welcome(tx, "ha:2", "Bert")
        welcome(tx, "ha:3", "Charlotte-Amalie von und zu Hohenlohe-Langenburg")

    await panel.rig.store.write(add)


@pytest.mark.parametrize("number", [0, 1, 500])
@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_links_and_audit(screen: Screen, number: int, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen)
    if number:
        await add_links(panel, number)
        hostile = {"redirect_uri": "https://layla.amazon.com/api/skill/link/" + "M2A3B4" * 20, "scope": "<b>music</b>"}
        refused = Event(
            EventName.AUTHORIZE_REFUSED, "cafe0001", "amazon-alexa", address="2001:db8::/64", count=1_234, detail=hostile
        )
        await panel.rig.store.write(lambda tx: tx.events.record(replace(refused, reason=Reason.REDIRECT_URI_NOT_REGISTERED)))
    await panel.show("/audit", f"audit-{number}")
    await panel.show("/links", f"links-{number}")
    if number:
        await panel.page.get_by_text("End", exact=True).first.click()
        await panel.look(f"links-{number}-asked")
        await panel.page.get_by_role("button", name="End this link").click()
        await panel.look(f"links-{number}-ended")


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_set_up_from_a_checkout(screen: Screen, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen, public_url="http://127.0.0.1:8096")
    await panel.show("/", "setup-missing")


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_set_up_while_linking(screen: Screen, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen, **READY)
    await panel.show("/", "setup-ready")
    await panel.page.get_by_role("button", name="Start linking now").click()
    await panel.look("setup-begun")
    await panel.rig.browser().authorize("amazon-alexa", redirect_uri=URI.replace("M1", "M9"))
    await panel.rig.upkeep.write_refusals()
    await panel.show("/", "setup-offer")
    await link_alexa(panel)
    await panel.visitor.open("/")
    await panel.page.get_by_role("button", name="Show", exact=True).click()
    await panel.page.get_by_text("The same for the ASK command line").click()
    await panel.look("setup-linked")


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_set_up_inside_home_assistant(screen: Screen, open_panel: OpenPanel) -> None:
    panel = await open_panel(screen, user=(ANNA, "Anna"), **READY)
    await panel.visitor.open("/")
    await panel.rig.store.write(lambda tx: welcome(tx, "ha:2", "Bert"))
    await panel.rig.store.write(lambda tx: welcome(tx, "ha:3", "Charlotte-Amalie von und zu Hohenlohe-Langenburg"))
    await panel.page.reload()
    await panel.page.get_by_role("button", name="Make administrator").first.click()
    await panel.page.get_by_text("Remove", exact=True).first.click()
    await panel.look("setup-people")
    panel = await open_panel(screen, user=(BERT, "Bert"), **READY)
    await panel.show("/", "welcome")
    await link_alexa(panel, pairing_code=await panel.page.locator(".code code").inner_text())
    await panel.show("/links", "links-own")
    assert await panel.page.get_by_role("heading", level=1).inner_text() == "Your links"
    assert await panel.page.get_by_role("cell", name="Bert").count() == 1
