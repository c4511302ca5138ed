"""Sign-in by Amazon, against an Amazon that answers in its shapes, and one that answers in every other."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web

from alexa_oauth.protocol.accounts import confirm, withdraw
from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.models import PendingRequest, Person
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.sign_in import (
    AwaitsAdministrator,
    GoElsewhere,
    NotAllowed,
    ServiceUnavailable,
    SignedIn,
    SignInCrowded,
    SignInFailed,
    SignInVerdict,
    Visitor,
)
from alexa_oauth.sign_in import login_with_amazon
from alexa_oauth.sign_in.amazon import AllowedAccounts, Amazon
from alexa_oauth.sign_in.asking import ANSWER_BYTES
from alexa_oauth.sign_in.codes import Codes
from alexa_oauth.sign_in.login_with_amazon import REGIONS, LoginWithAmazon, Region
from alexa_oauth.sign_in.throttle import Throttle, Tries
from alexa_oauth.web.parts import PARTS
from tests.attacks.verdict import assert_code, begun
from tests.conftest import StartRig
from tests.rig import ISSUER, Answer, Browser, CountedChance, FakeClocks, Rig
from tests.sign_in.amazon import ANNA, BODO, ERROR_PAGE, PROFILE, StandInAmazon, served
from tests.sign_in.standing_in import Handler

VISITOR: Final = Visitor("192.0.2.1", address_is_known=True)
TOKEN: Final = "/auth/o2/token"
TOKEN_INFO: Final = "/auth/o2/tokeninfo"
USER_PROFILE: Final = "/user/profile"


async def at_once(_: float) -> None:
    pass


@dataclass(slots=True)
class Story:
    """A way to sign in, the service that it asks, and a request that waits."""

    rig: Rig
    amazon: StandInAmazon
    session: aiohttp.ClientSession
    pending: PendingRequest
    clocks: FakeClocks = field(default_factory=FakeClocks)

    def way(self, *allowed: str, region: Region | None = None) -> Amazon:
        asked = LoginWithAmazon(region or self.amazon.region, PROFILE, lambda: self.session)
        accounts = AllowedAccounts(allowed, self.rig.server.store)
        running = lambda: self.clocks.running  # noqa: E731 - said in place
        return Amazon(asked, accounts, Codes(Amazon.service, Throttle(running, at_once), Tries(running)), CountedChance())

    async def leave(self, way: Amazon) -> tuple[str, PendingRequest]:
        """Where the browser is sent, and the request as the store keeps it meanwhile."""
        outcome = await way.prove(self.pending, {}, VISITOR)
        assert isinstance(outcome, GoElsewhere)
        return outcome.location, replace(self.pending, departure=outcome.departure)

    async def come_back(self, way: Amazon, account: Mapping[str, str] = ANNA, **changes: str) -> SignInVerdict:
        """A whole sign-in."""
        location, departed = await self.leave(way)
        return await way.judge_return(departed, {**self.amazon.sign_in(location, account), **changes}, VISITOR)


@pytest.fixture
async def amazon() -> AsyncIterator[StandInAmazon]:
    async with served(StandInAmazon()) as standing_in:
        yield standing_in


@pytest.fixture
async def story(rig: Rig, amazon: StandInAmazon) -> AsyncIterator[Story]:
    _, page = await begun(rig)
    pending = rig.store.read(lambda tx: tx.authorizations.find(page.hidden["request"]))
    assert pending is not None
    async with aiohttp.ClientSession() as session:
        yield Story(rig, amazon, session, pending)


@pytest.fixture
async def house(start: StartRig, amazon: StandInAmazon) -> Rig:
    """The whole server; only where Amazon is has been changed."""
    amazon.profile = replace(PROFILE, return_url=f"{ISSUER}/alexa/sign-in/amazon")
    profile = {"amazon_client_id": PROFILE.client_id, "amazon_client_secret": PROFILE.client_secret, "amazon_region": "eu"}
    rig = await start(sign_in="amazon", **profile)
    way = rig.server.public[PARTS].sign_in
    assert isinstance(way, Amazon)
    assert way._amazon._region == REGIONS["eu"]
    way._amazon._region = amazon.region
    return rig


async def signed_in(amazon: StandInAmazon, browser: Browser, page: Answer) -> Answer:
    """Out by the page's button, through Amazon's page, and back."""
    left = await browser.sign_in(page)
    assert left.status == 303
    return await browser.send("GET", f"/alexa/sign-in/amazon?{urlencode(amazon.sign_in(left.location))}")


async def test_from_alexas_request_over_amazons_page_to_the_code(house: Rig, amazon: StandInAmazon) -> None:
    browser, page = await begun(house)
    assert "Sign in with Amazon" in page.text
    waiting = await signed_in(amazon, browser, page)
    assert "Anna Amsel must first be allowed by an administrator" in waiting.text
    assert 'value="approve"' not in waiting.text

    def let_in(tx: Transaction) -> Person | None:
        pending = tx.authorizations.find(waiting.hidden["request"])
        return confirm(tx, pending, "ha:admin") if pending else None

    assert await house.server.store.write(let_in) == Person(f"amazon:{ANNA['user_id']}", "Anna Amsel")
    known = await signed_in(amazon, browser, waiting)
    assert "Signed in as <strong><bdi>Anna Amsel</bdi></strong>" in known.text
    tokens = (await house.redeem(assert_code(await browser.approve(known)))).json
    assert (await house.introspect(tokens["access_token"])).json["sub"] == f"amazon:{ANNA['user_id']}"


async def test_who_presses_cancel_at_amazon_is_asked_again(house: Rig, amazon: StandInAmazon) -> None:
    browser, page = await begun(house)
    left = await browser.sign_in(page)
    state = amazon.sign_in(left.location)["state"]
    again = await browser.send("GET", f"/alexa/sign-in/amazon?{urlencode({'error': 'access_denied', 'state': state})}")
    assert "Amazon did not confirm who you are" in again.text
    assert 'value="sign_in"' in again.text


async def test_whose_account_is_on_the_list_is_signed_in_by_id_alone(story: Story) -> None:
    verdict = await story.come_back(story.way(BODO["user_id"], ANNA["user_id"]))
    assert isinstance(verdict, SignedIn)
    assert (verdict.subject, verdict.name) == (f"amazon:{ANNA['user_id']}", "…89ANNA")
    assert story.amazon.asked == [TOKEN, TOKEN_INFO, USER_PROFILE], "whose token it is stands before what the profile says"


async def test_the_page_is_asked_for_with_pkce_and_for_no_more_than_is_needed(story: Story) -> None:
    for way, scope in ((story.way(ANNA["user_id"]), "profile:user_id"), (story.way(), "profile")):
        location, departed = await story.leave(way)
        asked = parse_qs(urlsplit(location).query, strict_parsing=True)
        assert asked["scope"] == [scope]
        assert departed.departure is not None
        assert asked["state"] == [departed.departure.state]
        assert str(departed.departure.verifier) not in location
        assert PROFILE.client_secret not in location


async def test_no_two_departures_share_a_state_or_a_verifier(story: Story) -> None:
    way = story.way()
    departures = [(await story.leave(way))[1].departure for _ in range(3)]
    assert len({value for one in departures if one is not None for value in (one.state, one.verifier)}) == 6


@pytest.mark.parametrize(
    ("region", "page", "api"),
    [
        ("na", "https://www.amazon.com/ap/oa", "https://api.amazon.com"),
        ("eu", "https://eu.account.amazon.com/ap/oa", "https://api.amazon.co.uk"),
        ("fe", "https://apac.account.amazon.com/ap/oa", "https://api.amazon.co.jp"),
    ],
)
async def test_each_region_has_its_own_addresses(story: Story, region: str, page: str, api: str) -> None:
    location, _ = await story.leave(story.way(region=REGIONS[region]))
    assert location.startswith(f"{page}?")
    assert REGIONS[region].api == api


async def test_an_account_that_is_not_on_the_list_may_not_approve(story: Story) -> None:
    verdict = await story.come_back(story.way(BODO["user_id"]))
    assert verdict == NotAllowed(Person(f"amazon:{ANNA['user_id']}", "…89ANNA"), Reason.NOT_AN_APPROVER)


async def test_without_a_list_an_administrator_confirms_by_name_and_the_account_passes_from_then_on(story: Story) -> None:
    way, store = story.way(), story.rig.server.store
    verdict = await story.come_back(way)
    assert isinstance(verdict, AwaitsAdministrator)
    assert verdict.person == Person(f"amazon:{ANNA['user_id']}", "Anna Amsel")
    waiting = replace(story.pending, person=replace(verdict.person, is_confirmed=False))

    assert await store.write(lambda tx: confirm(tx, waiting, "ha:admin")) == verdict.person
    assert await store.write(lambda tx: confirm(tx, replace(waiting, person=verdict.person), "ha:admin")) is None, "only once"

    kept = store.read(lambda tx: tx.authorizations.find(story.pending.request_id))
    assert kept is not None
    assert kept.person == verdict.person
    again = await story.come_back(way)
    assert isinstance(again, SignedIn)
    assert (again.subject, again.name) == (verdict.person.subject, "Anna Amsel")
    assert isinstance(await story.come_back(way, BODO), AwaitsAdministrator), "nobody else"
    (event,) = await story.rig.audit(EventName.ACCOUNT_CONFIRMED)
    assert (event.subject, event.detail) == (verdict.person.subject, {"name": "Anna Amsel", "by": "ha:admin"})


async def test_a_confirmed_account_can_be_sent_away_again(story: Story) -> None:
    way, store = story.way(), story.rig.server.store
    person = Person(f"amazon:{ANNA['user_id']}", "Anna Amsel")
    waiting = replace(story.pending, person=replace(person, is_confirmed=False))
    await store.write(lambda tx: confirm(tx, waiting, "ha:admin"))
    assert await store.write(lambda tx: withdraw(tx, person.subject, "ha:admin")) == person
    assert isinstance(await story.come_back(way), AwaitsAdministrator)
    assert await store.write(lambda tx: withdraw(tx, person.subject, "ha:admin")) is None
    assert len(await story.rig.audit(EventName.ACCOUNT_WITHDRAWN)) == 1


async def test_a_list_beats_what_was_confirmed_before(story: Story) -> None:
    waiting = replace(story.pending, person=Person(f"amazon:{ANNA['user_id']}", "Anna", is_confirmed=False))
    await story.rig.server.store.write(lambda tx: confirm(tx, waiting, "ha:admin"))
    assert isinstance(await story.come_back(story.way(BODO["user_id"])), NotAllowed)


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "access_denied", "error_description": "Access not permitted."},
        {"code": ""},
        {"code": "x" * 513},
        {"code": "a b"},
        {"code": "never given out"},
        {"code": "ANNOTGIVENOUT"},
    ],
)
async def test_who_declines_or_brings_an_invented_code_is_not_signed_in(story: Story, answer: dict[str, str]) -> None:
    way = story.way(ANNA["user_id"])
    assert await story.come_back(way, ANNA, **answer) == SignInFailed(4)
    assert USER_PROFILE not in story.amazon.asked


async def test_rfc7636_a_code_of_another_departure_is_not_redeemed(story: Story) -> None:
    way = story.way(ANNA["user_id"])
    others, _ = await story.leave(way)
    _, own = await story.leave(way)
    answer = story.amazon.sign_in(others)
    assert await way.judge_return(own, answer, VISITOR) == SignInFailed(4)


async def test_a_code_works_once(story: Story) -> None:
    way = story.way(ANNA["user_id"])
    location, departed = await story.leave(way)
    answer = story.amazon.sign_in(location)
    assert isinstance(await way.judge_return(departed, answer, VISITOR), SignedIn)
    assert await way.judge_return(departed, answer, VISITOR) == SignInFailed(4)


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"aud": "amzn1.application-oa2-client.of-somebody-else"}, "its token is meant for another client"),
        ({"aud": None}, "its token is meant for another client"),
        ({"exp": 0}, "its token is over"),
        ({"exp": -1}, "its token is over"),
        ({"exp": "soon"}, "its answer cannot be understood (ValueError)"),
        ({"user_id": "amzn1.account.X\n"}, "the account has no usable id"),
        ({"user_id": ""}, "the account has no usable id"),
        ({"user_id": 7}, "its answer cannot be understood (TypeError)"),
        ({"user_id": BODO["user_id"]}, "the profile is not that of the token"),
    ],
)
async def test_a_token_is_believed_only_if_it_is_ours_and_lives(story: Story, told: dict[str, object], problem: str) -> None:
    """Token substitution: a token that another site was given for the same person must open nothing here."""
    story.amazon.told = told
    verdict = await story.come_back(story.way(ANNA["user_id"], BODO["user_id"]))
    assert verdict == ServiceUnavailable("Amazon", f"Amazon: {problem}")


def answering_with(status: int, body: str, content_type: str = "application/json") -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type)

    return answer


SETTINGS: Final = ": check amazon_client_id, amazon_client_secret and amazon_region"


@pytest.mark.parametrize("path", [TOKEN, TOKEN_INFO, USER_PROFILE])
@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (answering_with(401, '{"error": "invalid_client"}'), f"status 401, invalid_client{SETTINGS}"),
        (answering_with(400, '{"error": "unauthorized_client"}'), f"status 400, unauthorized_client{SETTINGS}"),
        (answering_with(400, '{"error": "<script>"}'), "status 400, no reason"),
        (answering_with(400, ERROR_PAGE, "text/html"), "status 400, no reason"),
        (answering_with(200, ERROR_PAGE, "text/html"), "cannot be understood (KeyError)"),
        (answering_with(200, "[]"), "cannot be understood (KeyError)"),
        (answering_with(200, "{"), "cannot be understood (KeyError)"),
        (answering_with(200, "[" * 60_000), "cannot be understood (KeyError)"),
        (answering_with(503, ""), "status 503, no reason"),
        (answering_with(302, ""), "status 302, no reason"),
        (answering_with(200, '{"access_token": "' + "x" * ANSWER_BYTES + '"}'), "its answer is too large"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
async def test_an_answer_that_is_none_keeps_the_request_and_tells_the_operator(
    story: Story, path: str, handler: Handler, problem: str
) -> None:
    story.amazon.instead[path] = handler
    verdict = await story.come_back(story.way(ANNA["user_id"]))
    assert isinstance(verdict, ServiceUnavailable)
    assert problem in verdict.problem
    assert not any(token in verdict.problem for token in [*story.amazon.given_out, PROFILE.client_secret])


async def test_a_service_that_hangs_is_not_waited_for(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever question it hangs at, all of them together have so long: Amazon's app shows an empty browser meanwhile."""
    assert login_with_amazon.ANSWERS_SECONDS <= 8
    monkeypatch.setattr(login_with_amazon, "ANSWERS_SECONDS", 0.3)
    over = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    story.amazon.instead[TOKEN_INFO] = hang
    verdict = await story.come_back(story.way(ANNA["user_id"]))
    over.set()
    assert verdict == ServiceUnavailable("Amazon", "Amazon: no answer within 0.3 s")


async def test_a_service_that_is_down_is_told_of(story: Story) -> None:
    way = story.way(ANNA["user_id"], region=Region(story.amazon.url, "http://127.0.0.1:9"))
    verdict = await story.come_back(way)
    assert isinstance(verdict, ServiceUnavailable)
    assert verdict.problem.startswith("Amazon: Cannot connect to host 127.0.0.1:9")


async def test_amazons_tokens_and_the_mail_address_are_nowhere(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    verdict = await story.come_back(story.way())
    assert isinstance(verdict, AwaitsAdministrator)
    written = b"".join(file.read_bytes() for file in story.rig.store.folder.iterdir() if file.is_file())
    said = repr(verdict) + "".join(capsys.readouterr())
    for secret in [*story.amazon.given_out, ANNA["email"]]:
        assert secret not in said
        assert secret.encode() not in written


async def test_failed_returns_slow_down_and_are_not_counted_when_amazon_is_away(story: Story) -> None:
    way = story.way(ANNA["user_id"])
    left = [await story.come_back(way, code="ANINVENTED") for _ in range(5)]
    assert left == [SignInFailed(tries) for tries in (4, 3, 2, 1, 0)]


async def test_who_waits_too_long_in_line_is_asked_to_come_back(story: Story) -> None:
    held, in_line = asyncio.Event(), asyncio.Semaphore(0)

    async def pause(_: float) -> None:
        in_line.release()
        await held.wait()

    running = lambda: story.clocks.running  # noqa: E731 - said in place
    asked = LoginWithAmazon(story.amazon.region, PROFILE, lambda: story.session)
    codes = Codes(Amazon.service, Throttle(running, pause), Tries(running))
    way = Amazon(asked, AllowedAccounts((), story.rig.server.store), codes, CountedChance())
    for _ in range(3):
        await story.come_back(way, code="ANINVENTED")
    waiting = [asyncio.ensure_future(story.come_back(way, code="ANINVENTED")) for _ in range(4)]
    async with asyncio.timeout(10):
        for _ in waiting:
            await in_line.acquire()
    assert isinstance(await story.come_back(way, code="ANINVENTED"), SignInCrowded)
    held.set()
    assert all(isinstance(verdict, SignInFailed) for verdict in await asyncio.gather(*waiting))


async def test_an_odd_name_is_shown_as_text(story: Story) -> None:
    account: dict[str, Any] = {**ANNA, "name": "  \u202eA<b>\n" + "x" * 200}
    verdict = await story.come_back(story.way(), account)
    assert isinstance(verdict, AwaitsAdministrator)
    assert verdict.person.name == "A<b>" + "x" * 76


async def test_an_answer_that_is_no_http_puts_no_token_into_the_log(story: Story) -> None:
    """Aiohttp tells the whole URL of a question whose answer it cannot read, and token info is asked by query."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 2x0 Fine\r\n\r\n")
        request.transport.close()
        return web.Response()

    story.amazon.instead[TOKEN_INFO] = answer
    verdict = await story.come_back(story.way(ANNA["user_id"]))
    assert verdict == ServiceUnavailable("Amazon", "Amazon: its answer is no HTTP (400)")
