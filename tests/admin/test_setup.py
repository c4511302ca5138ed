"""Set up: what goes into the developer console, and how far the first link has come, as it happened."""

import html
import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from alexa_oauth import supervisor as supervisor_calls
from alexa_oauth.protocol.alexa import HOSTS
from alexa_oauth.protocol.events import EventName
from tests.addon import supervisor_api
from tests.addon.supervisor_api import Supervisor
from tests.conftest import StartRig
from tests.panel import ANNA, BERT, Guest, by_link, home_assistant_user
from tests.rig import TOKEN, VERIFIER, Answer, Browser, Rig, running

ADDRESS = "https://alexa.example.org"
MINE = "M1A2B3C4D5E6F7"
SENT = "M9Z8Y7X6W5V4U3"
URI = f"https://layla.amazon.com/api/skill/link/{SENT}"


@pytest.fixture
def no_further_clients(tmp_path: Path) -> None:
    """The built-in client alone."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "oauth_clients.json").write_text("{}")


@pytest.fixture
async def server(start: StartRig, no_further_clients: None) -> Rig:  # noqa: ARG001 - it must be there first
    """A checkout that the internet reaches."""
    return await start(public_url=ADDRESS, vendor_ids=MINE, sign_in="pairing_code")


@pytest.fixture
async def owner(server: Rig) -> Guest:
    """Who sits at its terminal."""
    return await by_link(server)


@pytest.fixture
async def supervisor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    """Home Assistant's Supervisor."""
    stand_in = Supervisor(TOKEN)
    async with supervisor_api.running(stand_in) as origin:
        monkeypatch.setattr(supervisor_calls, "ORIGIN", origin)
        yield stand_in


def steps_on(page: Answer) -> list[str]:
    """The state of each step, in order."""
    return re.findall(r'<li class="(done|open|refused)">', page.text)


async def alexa_asks(rig: Rig, browser: Browser, redirect_uri: str = URI) -> Answer:
    return await browser.authorize(rig.server.settings.client_id, redirect_uri=redirect_uri)


class TestValues:
    async def test_each_value_of_the_console_is_there_to_copy(self, server: Rig, owner: Guest) -> None:
        page = html.unescape((await owner.open()).text)
        for value in (
            f"{ADDRESS}/alexa/authorize",
            f"{ADDRESS}/alexa/token",
            "amazon-alexa",
            "HTTP Basic",
            *("music.read", "music.control"),
            *(f"https://{host}/api/skill/link/{MINE}" for host in HOSTS),
        ):
            assert re.search(
                rf'<code id="([a-z0-9-]+)">{re.escape(value)}</code>\s*<button type="button" class="copy" data-copy="\1"', page
            )
        assert f"{ADDRESS}/health" in page
        assert page.count("<svg") == 2, "the mark and the QR code"
        assert server.server.settings.client_id in page

    async def test_the_secret_is_shown_on_demand_alone_and_who_saw_it_is_written_down(self, server: Rig, owner: Guest) -> None:
        secret = server.store.read(lambda tx: tx.clients.show_secret("amazon-alexa"))
        assert secret is not None
        hidden = await owner.open()
        assert secret not in hidden.text
        assert "clientSecret&#34;" not in hidden.text
        shown = await owner.change("/")
        assert shown.status == 200
        assert shown.text.count(secret) == 2, "to copy, and in the request for the ASK command line"
        assert secret not in (await owner.open()).text
        (event,) = await server.audit(EventName.CLIENT_SECRET_SHOWN)
        assert (event.client_id, event.detail) == ("amazon-alexa", {"by": "local"})

    async def test_the_request_for_the_ask_command_line_is_what_the_command_prints(self, owner: Guest) -> None:
        await owner.open()
        page = await owner.change("/")
        found = re.search(r'<code id="linking-request">(.*?)</code>', page.text, re.DOTALL)
        assert found
        request = json.loads(html.unescape(found[1]))["accountLinkingRequest"]
        assert request["authorizationUrl"] == f"{ADDRESS}/alexa/authorize"
        assert len(request["clientSecret"]) == 64

    @pytest.mark.usefixtures("no_further_clients")
    async def test_a_secret_that_the_operator_chose_is_that_one(self, start: StartRig) -> None:
        owner = await by_link(
            await start(public_url=ADDRESS, sign_in="pairing_code", client_secret="the-operator-chose-this-one")
        )
        await owner.open()
        assert "the-operator-chose-this-one" in (await owner.change("/")).text

    @pytest.mark.usefixtures("no_further_clients")
    async def test_what_is_missing_is_told_with_where_to_set_it(self, start: StartRig) -> None:
        page = await (await by_link(await start(public_url=""))).open()
        assert "ALEXA_OAUTH_PUBLIC_URL" in page.text
        assert "ALEXA_OAUTH_VENDOR_IDS" in page.text
        assert "/alexa/token" not in page.text, "an address of this machine is not for the console"
        assert page.text.count("Shown here as soon as") == 2
        assert "for the ASK command line" not in page.text
        assert page.text.count("<svg") == 1, "there is no address that a phone could open"

    @pytest.mark.usefixtures("no_further_clients", "gateway")
    async def test_in_the_add_on_it_is_the_configuration_tab(self, start: StartRig) -> None:
        page = await home_assistant_user(await start(supervised=True, public_url="")).open()
        assert "Configuration" in page.text
        assert "ALEXA_OAUTH" not in page.text

    async def test_who_administers_nothing_gets_a_code_and_none_of_it(self, house: Rig) -> None:
        await home_assistant_user(house).open()
        bert = home_assistant_user(house, BERT, "Bert")
        page = await bert.open()
        assert re.search(r"<code>[A-Z]{4}-[A-Z]{4}</code>", page.text)
        for told in ("amazon-alexa", "/alexa/token", "Your Secret", '<svg viewBox="0 0 37', "People"):
            assert told not in page.text


class TestSteps:
    async def test_they_turn_green_as_the_first_link_goes_through(self, server: Rig, owner: Guest) -> None:
        secret = server.store.read(lambda tx: tx.clients.show_secret("amazon-alexa"))
        uri, client = f"https://layla.amazon.com/api/skill/link/{MINE}", {"client_id": "amazon-alexa", "client_secret": secret}
        assert 'id="linking" data-live="4"' in (await owner.open()).text
        seen = [steps_on(await owner.open())]
        browser = server.browser()
        page = await browser.authorize("amazon-alexa", redirect_uri=uri)
        seen.append(steps_on(await owner.open()))
        code = (await browser.approve(page)).returned["code"]
        seen.append(steps_on(await owner.open()))
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri, "code_verifier": VERIFIER}
        tokens = (await server.post("/alexa/token", None, {**grant, **client})).json
        seen.append(steps_on(await owner.open()))
        assert (await server.verify(tokens["access_token"])).status == 200
        seen.append(steps_on(await owner.open()))
        assert seen == [["done"] * done + ["open"] * (4 - done) for done in range(5)]
        linked = (await owner.open()).text
        assert "Linked." in linked
        assert 'id="linking" data-live' not in linked, "nothing is left to wait for"

    async def test_no_button_makes_a_step_green(self, owner: Guest) -> None:
        await owner.open()
        await owner.change("/linking")
        assert steps_on(await owner.open()) == ["open"] * 4

    async def test_who_begins_again_sees_the_new_attempt(self, server: Rig, owner: Guest) -> None:
        uri = f"https://layla.amazon.com/api/skill/link/{MINE}"
        await server.browser().authorize("amazon-alexa", redirect_uri=uri)
        assert steps_on(await owner.open())[0] == "done"
        await owner.change("/linking")
        assert steps_on(await owner.open())[0] == "open"

    async def test_a_refusal_is_told_with_its_reason(self, server: Rig, owner: Guest) -> None:
        await alexa_asks(server, server.browser())
        await server.upkeep.write_refusals()
        page = await owner.open()
        assert steps_on(page) == ["refused", "open", "open", "open"]
        assert "redirect_uri_not_registered" in page.text

    async def test_what_stopped_the_newest_attempt_is_told_where_the_person_waits_for_it(self, server: Rig, owner: Guest) -> None:
        await alexa_asks(server, server.browser())
        page = (await owner.open()).text
        assert "<strong>Another vendor id.</strong> Alexa wants to be answered" in page, "before it is written"
        assert "If it is yours, add it to vendor_ids." in page
        await owner.change("/linking")
        server.clocks.advance(1)
        assert "Another vendor id" not in (await owner.open()).text, "that was before they began anew"

    async def test_that_amazon_never_came_is_told_after_a_minute(self, server: Rig, owner: Guest) -> None:
        browser = server.browser()
        await browser.approve(
            await browser.authorize("amazon-alexa", redirect_uri=f"https://layla.amazon.com/api/skill/link/{MINE}")
        )
        assert "do not get through" not in (await owner.open()).text
        server.clocks.advance(60)
        assert "<strong>Amazon's servers do not get through.</strong>" in unescape((await owner.open()).text)

    async def test_what_strangers_and_other_clients_are_refused_is_not_told_there(self, server: Rig, owner: Guest) -> None:
        await server.browser().authorize("nobody", redirect_uri="https://evil.test/")
        assert "Wrong client id" not in (await owner.open()).text

    async def test_what_another_client_does_is_no_step(self, checkout: Rig) -> None:
        await checkout.link("C1")
        assert steps_on(await (await by_link(checkout)).open()) == ["open"] * 4


class TestVendorIds:
    async def test_it_is_offered_to_who_began_just_before_and_links_at_once(self, server: Rig, owner: Guest) -> None:
        await owner.open()
        await owner.change("/linking")
        assert (await alexa_asks(server, server.browser())).status == 400
        page = await owner.open()
        assert f"<code>{SENT}</code>" in page.text
        assert "Settings → My IDs" in page.text
        await owner.change("/vendor-ids", vendor_id=SENT)
        assert f"{SENT} was added" in (await owner.open()).text
        assert (await alexa_asks(server, server.browser())).status == 200
        (event,) = await server.audit(EventName.VENDOR_ID_ADDED)
        assert event.detail == {"vendor_id": SENT, "by": "local"}
        assert f"<code>{SENT}</code>" not in (await owner.open()).text

    @pytest.mark.usefixtures("no_further_clients")
    async def test_it_outlives_a_restart(self, tmp_path: Path) -> None:
        settings = {"public_url": ADDRESS, "sign_in": "pairing_code"}
        async with running(tmp_path / "data", settings) as server:
            owner = await by_link(server)
            await owner.open()
            await owner.change("/linking")
            await alexa_asks(server, server.browser())
            await owner.change("/vendor-ids", vendor_id=SENT)
        async with running(tmp_path / "data", settings) as again:
            assert (await alexa_asks(again, again.browser())).status == 200

    async def test_a_stranger_s_is_not_offered_unless_somebody_began(self, server: Rig, owner: Guest) -> None:
        await alexa_asks(server, server.browser())
        assert f"<code>{SENT}</code>" not in (await owner.open()).text
        await owner.change("/vendor-ids", vendor_id=SENT)
        assert "Nothing was added" in (await owner.open()).text
        assert (await alexa_asks(server, server.browser())).status == 400

    async def test_what_came_before_they_began_is_not_offered(self, server: Rig, owner: Guest) -> None:
        await alexa_asks(server, server.browser())
        server.clocks.advance(1)
        await owner.open()
        await owner.change("/linking")
        assert f"<code>{SENT}</code>" not in (await owner.open()).text

    async def test_ten_minutes_later_it_is_offered_no_longer(self, server: Rig, owner: Guest) -> None:
        await owner.open()
        await owner.change("/linking")
        await alexa_asks(server, server.browser())
        server.clocks.advance(600)
        assert f"<code>{SENT}</code>" not in (await owner.open()).text
        await owner.change("/vendor-ids", vendor_id=SENT)
        assert "Nothing was added" in (await owner.open()).text

    @pytest.mark.parametrize(
        "uri",
        [
            "https://evil.test/api/skill/link/M9Z8Y7X6W5V4U3",
            "https://layla.amazon.com.evil.test/api/skill/link/M9Z8Y7X6W5V4U3",
            "https://layla.amazon.com/api/skill/link/M9Z8Y7X6W5V4U3/more",
            "https://layla.amazon.com/api/skill/link/m9z8y7x6w5v4u3",
            "https://layla.amazon.com/api/skill/link/M9Z8Y7X6W5V4U3\n",
            "https://layla.amazon.com/api/skill/link/",
        ],
    )
    async def test_only_amazon_s_hosts_with_a_vendor_id_are_looked_at(self, server: Rig, owner: Guest, uri: str) -> None:
        await owner.open()
        await owner.change("/linking")
        await alexa_asks(server, server.browser(), uri)
        assert "It is mine" not in (await owner.open()).text

    async def test_what_another_client_is_refused_for_is_not_offered(self, checkout: Rig) -> None:
        owner = await by_link(checkout)
        await owner.open()
        await owner.change("/linking")
        assert (await checkout.browser().authorize("C1", redirect_uri=URI)).status == 400
        assert "It is mine" not in (await owner.open()).text
        assert (await checkout.browser().authorize("amazon-alexa", redirect_uri=URI)).status == 400
        assert "It is mine" in (await owner.open()).text

    async def test_an_id_that_was_never_sent_is_not_added(self, server: Rig, owner: Guest) -> None:
        await owner.open()
        await owner.change("/linking")
        await owner.change("/vendor-ids", vendor_id=SENT)
        assert await server.audit(EventName.VENDOR_ID_ADDED) == []

    async def test_a_flood_leaves_a_few_to_look_at(self, server: Rig, owner: Guest) -> None:
        await owner.open()
        await owner.change("/linking")
        for number in range(40):
            await alexa_asks(server, server.browser(), URI.replace("4U3", f"{number:03}"))
        assert (await owner.open()).text.count("It is mine") == 8


@pytest.mark.usefixtures("no_further_clients", "gateway")
class TestVendorIdsOfTheAddOn:
    async def add(self, rig: Rig) -> Answer:
        anna = home_assistant_user(rig, ANNA)
        await anna.open()
        await anna.change("/linking")
        await alexa_asks(rig, rig.browser())
        await anna.change("/vendor-ids", vendor_id=SENT)
        return await anna.open()

    async def test_it_is_kept_in_the_options_beside_all_that_is_there(self, start: StartRig, supervisor: Supervisor) -> None:
        supervisor.options |= {"vendor_ids": [MINE], "log_level": "debug"}
        rig = await start(supervised=True, sign_in="pairing_code", public_url=ADDRESS, vendor_ids=MINE)
        assert f"{SENT} was added" in (await self.add(rig)).text
        assert supervisor.options["vendor_ids"] == [MINE, SENT]
        assert supervisor.options["log_level"] == "debug"
        assert supervisor.calls == ["GET /addons/self/info", "POST /addons/self/options"]
        assert (await alexa_asks(rig, rig.browser())).status == 200
        assert rig.store.read(lambda tx: tx.clients.vendor_ids()) == (), "the options alone keep it"
        (event,) = await rig.audit(EventName.VENDOR_ID_ADDED)
        assert event.detail["by"] == f"ha:{ANNA}"

    async def test_a_supervisor_that_refuses_is_told_with_its_own_words(self, start: StartRig, supervisor: Supervisor) -> None:
        supervisor.options |= {"vendor_ids": ["no vendor id"]}
        rig = await start(supervised=True, sign_in="pairing_code", public_url=ADDRESS)
        page = await self.add(rig)
        assert "Nothing was added: Invalid value for option vendor_ids" in page.text
        assert (await alexa_asks(rig, rig.browser())).status == 400
        assert await rig.audit(EventName.VENDOR_ID_ADDED) == []

    async def test_a_supervisor_that_knows_us_not_or_is_not_there_changes_nothing(
        self, start: StartRig, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        supervisor.token = "another"
        rig = await start(supervised=True, sign_in="pairing_code", public_url=ADDRESS)
        assert "Nothing was added: the Supervisor did not answer" in (await self.add(rig)).text
        monkeypatch.setattr(supervisor_calls, "ORIGIN", "http://127.0.0.1:9")
        assert "Nothing was added: the Supervisor did not answer" in (await self.add(rig)).text
        assert (await alexa_asks(rig, rig.browser())).status == 400
