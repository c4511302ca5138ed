"""The page of link attempts: what people at the panel read of what happened at the public door."""

import re
from html import unescape

import pytest

from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.words import words_of
from tests.attacks.verdict import assert_code
from tests.panel import ANNA, BERT, Guest, home_assistant_user
from tests.rig import ALEXA_URI, SECRETS, VERIFIER, Rig

PAGE = "/attempts"
FOREIGN = "https://layla.amazon.com/api/skill/link/M3OTHERVENDOR"


@pytest.fixture
async def anna(house: Rig) -> Guest:
    """The administrator."""
    guest = home_assistant_user(house)
    await guest.open()
    return guest


async def read(guest: Guest, query: str = "") -> str:
    """What the page says, as text."""
    answer = await guest.open(PAGE + query)
    assert answer.status == 200
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


async def approved(house: Rig, client_id: str = "alexa") -> str:
    """The code of a link that the person at the terminal approved."""
    browser = house.browser()
    return assert_code(await browser.approve(await browser.authorize(client_id)), uri=ALEXA_URI)


async def test_before_anything_happens_the_page_says_what_it_will_show(anna: Guest) -> None:
    assert "No attempt yet" in await read(anna)


async def test_a_link_goes_through_step_by_step(house: Rig, anna: Guest) -> None:
    browser = house.browser()
    page = await browser.authorize("alexa")
    assert "Under way" in (told := await read(anna))
    assert "waiting for a person" in told
    code = assert_code(await browser.approve(page), uri=ALEXA_URI)
    assert "waiting for Amazon's servers" in await read(anna)
    tokens = (await house.redeem(code, "alexa")).json
    assert "Say something to Alexa" in await read(anna)
    assert (await house.verify(tokens["access_token"])).status == 200
    told = await read(anna)
    assert "Linked" in told
    for step in ("The person approved", "Amazon's server called and got its tokens", "A token was used for the first time"):
        assert step in told


@pytest.mark.parametrize("by_basic", [True, False])
async def test_cause_11_the_scheme_that_amazon_used_is_told(house: Rig, anna: Guest, *, by_basic: bool) -> None:
    """Both are good; which one arrives tells whether the page of the developer console was saved."""
    form = {
        "grant_type": "authorization_code",
        "code": await approved(house),
        "redirect_uri": ALEXA_URI,
        "code_verifier": VERIFIER,
    }
    body = {} if by_basic else {"client_id": "alexa", "client_secret": SECRETS["alexa"]}
    assert (await house.post("/alexa/token", "alexa" if by_basic else None, form | body)).status == 200
    scheme = "with the secret in a header (HTTP Basic)" if by_basic else "with the secret in the form"
    assert f"got its tokens: {scheme}" in await read(anna)


async def test_an_attempt_that_stops_after_the_approval_says_after_a_minute_that_amazon_did_not_get_through(
    house: Rig, anna: Guest
) -> None:
    await approved(house)
    house.clocks.advance(59)
    assert "Amazon's servers do not get through" not in await read(anna)
    house.clocks.advance(1)
    told = await read(anna)
    assert "Amazon's servers do not get through." in told
    assert "port forwarding, firewall, bot filter" in told


async def test_a_wrong_secret_is_joined_at_once_and_called_probable(house: Rig, anna: Guest) -> None:
    """Before its sum is written, which takes up to a minute."""
    code = await approved(house)
    for _ in range(3):
        await house.post(
            "/alexa/token",
            None,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": ALEXA_URI,
                "client_id": "alexa",
                "client_secret": "x",
            },
        )
    for _ in range(2):
        told = await read(anna)
        assert "Probably: Wrong client secret." in told
        assert "(3 times)" in told
        await house.upkeep.write_refusals()
    tokens = await house.redeem(code, "alexa")
    assert tokens.status == 200
    assert "Probably" not in await read(anna)


AUTHORIZATION = "?response_type=code&client_id=alexa&state=x"


@pytest.mark.parametrize("path", ["/alexa/token", "/alexa/Authorize", "/alexa/authorize/", "/authorize", "//alexa/authorize"])
async def test_cause_12_a_person_whom_the_console_sends_to_a_wrong_address_shows_as_an_attempt(
    house: Rig, anna: Guest, path: str
) -> None:
    answer = await house.browser().send("GET", path + AUTHORIZATION)
    assert answer.status in {404, 405}
    assert "The two addresses are swapped or mistyped." in await read(anna)


@pytest.mark.parametrize("path", ["/alexa/tokens", "/alexa/token/", "/token", "/oauth/token"])
async def test_cause_12_amazon_calls_beside_the_token_address(house: Rig, anna: Guest, path: str) -> None:
    code = await approved(house)
    assert (await house.post(path, "alexa", {"grant_type": "authorization_code", "code": code})).status == 404
    assert "Probably: The two addresses are swapped or mistyped." in await read(anna)


async def test_cause_12_amazon_calls_the_other_address(house: Rig, anna: Guest) -> None:
    code = await approved(house)
    answer = await house.post("/alexa/authorize", "alexa", {"grant_type": "authorization_code", "code": code})
    assert answer.status == 400
    assert "The two addresses are swapped or mistyped." in await read(anna)


@pytest.mark.parametrize("hostile", ["/<script>/token", "/%00/token", "/%0aforged/token", f"/{'a' * 300}/token"])
async def test_what_scanners_ask_for_is_one_sum_and_repeats_nothing_of_theirs(house: Rig, hostile: str) -> None:
    """A sum tells of the newest; what can be typed by mistake is repeated, so that it can be found in the console."""
    for path in ("/wp-login.php", "/.env", "/alexa/approve", hostile, "/token"):
        await house.send("GET", path)
    (event,) = await house.audit(EventName.REQUEST_MISDIRECTED)
    assert (event.count, event.attempt, event.detail["path"]) == (2, None, "/token")
    await house.send("GET", hostile)
    event, _ = await house.audit(EventName.REQUEST_MISDIRECTED)
    assert (event.count, event.detail["meant"], "path" in event.detail) == (1, "/alexa/token", False)


async def test_cause_17_a_browser_that_forgets_its_cookie_is_told_on_its_own_attempt(house: Rig, anna: Guest) -> None:
    house.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 12; wv) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
    browser = house.browser()
    page = await browser.authorize("alexa")
    browser.cookies = {"alexa_oauth": "A" * 43}
    assert (await browser.approve(page)).status == 403
    assert "The Alexa app's browser." in await read(anna)


async def test_a_proxy_that_changes_the_body_is_joined_and_called_probable(house: Rig, anna: Guest) -> None:
    await approved(house)
    answer = await house.send("POST", "/alexa/token", b"{}", {"Content-Type": "application/json"})
    assert answer.status == 415
    assert "Probably: The proxy changes the requests." in await read(anna)


async def test_a_state_that_is_lost_on_the_way_here_is_noticed(house: Rig, anna: Guest) -> None:
    browser = house.browser()
    await browser.approve(await browser.authorize("alexa", state=None))
    house.clocks.advance(60)
    assert "Probably: The request's state is cut or changed." in await read(anna)


async def test_a_vendor_id_that_amazon_sent_is_shown_and_leads_to_set_up(house: Rig, anna: Guest) -> None:
    await house.browser().authorize("alexa", redirect_uri=FOREIGN)
    answer = await anna.open(PAGE)
    assert "Another vendor id" in answer.text
    assert FOREIGN in answer.text
    assert "Compare it on Set up" in answer.text
    await house.browser().authorize("alexa", redirect_uri=ALEXA_URI.replace("pitangui", "layla"))
    assert "Another region's address" in await read(anna)


async def test_a_request_that_waits_leads_to_its_two_words_and_is_never_allowed_blindly(house: Rig, anna: Guest) -> None:
    """A stranger's attempt looks like the owner's here: only the words tell them apart."""
    page = await house.browser().authorize("alexa")
    shown = (await anna.open(PAGE)).text
    assert "/waiting/allow" not in shown
    found = re.search(r'href="[^"]*(/waiting\?reference=[0-9a-f]{8})"', shown)
    assert found
    assert " ".join(words_of(page.hidden["request"])) in (await anna.open(found[1])).text


async def test_all_links_of_a_person_end_and_nobody_else_s(house: Rig, anna: Guest) -> None:
    """Two links of who sits at the terminal, one of Anna's, who tried to sign in at one of these attempts, too."""
    first, second = [(await house.redeem(await approved(house), "alexa")).json for _ in range(2)]
    await anna.open("/waiting")
    await anna.change("/waiting/arm")
    browser = house.browser()
    code = assert_code(await browser.approve(await browser.authorize("alexa"), pairing_code=""), uri=ALEXA_URI)
    annas = (await house.redeem(code, "alexa")).json
    events = await house.audit(EventName.CONSENT_APPROVED)
    attempt = next(event.attempt for event in events if event.subject == "local")
    refused = Event(EventName.SIGN_IN_FAILED, attempt, "alexa", f"ha:{ANNA}", reason=Reason.NOT_AN_APPROVER)
    await house.store.write(lambda tx: tx.events.record(refused))
    await anna.open(PAGE)
    await anna.change("/attempts/end-links", attempt=attempt or "")
    assert "2 links were ended" in await read(anna)
    for tokens in (first, second):
        assert (await house.refresh(tokens["refresh_token"], "alexa")).status == 400
    assert (await house.refresh(annas["refresh_token"], "alexa")).status == 200
    ended = await house.audit(EventName.GRANT_ENDED)
    assert [(event.subject, event.detail.get("by")) for event in ended] == [("local", f"ha:{ANNA}")] * 2


@pytest.mark.parametrize("attempt", ["", "00000000", "nobody's"])
async def test_an_attempt_that_is_not_there_ends_no_link(house: Rig, anna: Guest, attempt: str) -> None:
    tokens = (await house.redeem(await approved(house), "alexa")).json
    await anna.open(PAGE)
    await anna.change("/attempts/end-links", attempt=attempt)
    assert "No link of this person is left" in await read(anna)
    assert (await house.refresh(tokens["refresh_token"], "alexa")).status == 200


async def test_who_is_no_administrator_sees_their_own_attempts_and_ends_nobody_s_links(house: Rig, anna: Guest) -> None:
    await house.redeem(await approved(house), "alexa")
    bert = home_assistant_user(house, BERT, "Bert")
    await bert.open()
    assert "No attempt yet" in await read(bert)
    (event,) = await house.audit(EventName.CONSENT_APPROVED)
    assert (await bert.change("/attempts/end-links", attempt=event.attempt or "")).status == 403
    subject, fresh = f"ha:{BERT}", "BCDFGHJK"
    code, _ = await house.server.store.write(lambda tx: tx.pairing_codes.current(subject, fresh))
    browser = house.browser()
    await browser.approve(await browser.authorize("alexa"), pairing_code=code)
    told = await read(bert)
    assert told.count("The person approved") == 1
    assert "End all links" not in told
    assert (await read(anna)).count("The person approved") == 2


async def test_what_scanners_send_is_folded_and_what_strangers_write_is_escaped(house: Rig, anna: Guest) -> None:
    await approved(house)
    evil = "https://evil.test/<script>alert(1)</script>"
    await house.browser().authorize("<b>nobody</b>", redirect_uri=evil)
    await house.browser().authorize("alexa", redirect_uri=evil)
    answer = await anna.open(PAGE)
    assert "<script>alert" not in answer.text
    assert "<b>nobody" not in answer.text
    assert re.search(r'<summary class="plain">2 refused requests of strangers', answer.text)


async def test_requests_that_nobody_answers_are_folded_from_three_on(house: Rig, anna: Guest) -> None:
    for expected in (False, False, True):
        await house.browser().authorize("alexa")
        house.clocks.advance(600)
        assert ("that nobody answered" in (await anna.open(PAGE)).text) is expected


async def test_sixty_attempts_stand_on_three_pages_and_the_newest_is_kept_up_to_date(house: Rig, anna: Guest) -> None:
    for _ in range(60):
        await house.browser().authorize("alexa")
    seen: list[str] = []
    queries = [""]
    for query in queries:
        text = (await anna.open(PAGE + query)).text
        seen += re.findall(r'<article class="card attempt" aria-labelledby="attempt-([0-9a-f]{8})"', text)
        queries += re.findall(r"/attempts(\?before=[0-9]+)", text)
        assert len(queries) <= 3, "no page leads back to itself"
    assert (len(seen), len(set(seen)), len(queries)) == (60, 60, 3)
    assert "data-live" in (await anna.open(PAGE)).text.split("<script>")[0]
    assert "data-live" not in (await anna.open(f"{PAGE}?before=30")).text.split("<script>")[0]


@pytest.mark.parametrize("before", ["x", "-1", "%C2%B2", "9" * 30, "1%20OR%201=1", "0"])
async def test_a_cursor_that_is_none_is_answered(anna: Guest, before: str) -> None:
    assert (await anna.open(f"{PAGE}?before={before}")).status == 200


async def test_no_secret_stands_on_the_page(house: Rig, anna: Guest) -> None:
    code = await approved(house)
    tokens = (await house.redeem(code, "alexa")).json
    page = (await anna.open(PAGE)).text
    for secret in (code, tokens["access_token"], tokens["refresh_token"], SECRETS["alexa"]):
        assert secret not in page
