"""The promises of `protocol.ports.Store`. Any store must keep them; a subclass says which one is tried.

The rules of the protocol stand on these promises alone, so nothing here knows SQLite.
"""

import asyncio
import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from alexa_oauth.protocol import refresh, token
from alexa_oauth.protocol.errors import ErrorCode, Refusal, RequestRefused
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import (
    Departure,
    Grant,
    PendingRequest,
    Person,
    RefreshProfile,
    Resident,
    TokenResponse,
    WaitingRequest,
)
from alexa_oauth.protocol.policy import ACCESS_TOKENS_PER_GRANT, CODES_PER_SUBJECT, PENDING_LIMIT, Policy
from alexa_oauth.protocol.ports import Store, Transaction
from tests.storage.conftest import Surroundings
from tests.storage.records import DAY, NOW, OTHER, REDIRECT_URI, access_token, code, grant, pending_request

if TYPE_CHECKING:
    from collections.abc import Callable

POLICY: Final = Policy("https://ex.test")


async def begin_grant(store: Store, number: int = 1, begun: Grant | None = None) -> Grant:
    begun = begun or grant(number)
    await store.write(lambda tx: tx.grants.add(begun))
    return begun


def keep(pending: PendingRequest, tx: Transaction) -> None:
    tx.authorizations.add(pending)


def found(store: Store, wanted: Grant) -> Grant:
    grant_now = store.read(lambda tx: tx.grants.find(wanted.grant_id))
    assert grant_now is not None
    return grant_now


class TransactionPromises:
    async def test_an_outcome_comes_back_and_is_seen_by_the_next_read(self, store: Store) -> None:
        def add(tx: Transaction) -> str:
            tx.grants.add(grant())
            return "done"

        assert await store.write(add) == "done"
        assert store.read(lambda tx: tx.grants.find(grant().grant_id)) == grant()

    async def test_an_exception_rolls_back_its_own_request_and_no_other(self, store: Store) -> None:
        def fail(tx: Transaction) -> None:
            tx.grants.add(grant(2))
            raise RequestRefused(ErrorCode.INVALID_GRANT, "no", Reason.CODE_UNKNOWN)

        outcomes = await asyncio.gather(
            store.write(lambda tx: tx.grants.add(grant(1))),
            store.write(fail),
            store.write(lambda tx: tx.grants.add(grant(3))),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [type(None), RequestRefused, type(None)]
        kept = store.read(lambda tx: [tx.grants.find(grant(number).grant_id) for number in (1, 2, 3)])
        assert kept == [grant(1), None, grant(3)]

    async def test_a_returned_refusal_is_remembered(self, store: Store) -> None:
        """A replay ends its grant *and* is refused: were the refusal an exception, the end would be undone."""
        begun = await begin_grant(store)

        def refuse(tx: Transaction) -> Refusal:
            tx.grants.end(begun)
            return Refusal(ErrorCode.INVALID_GRANT, "no", Reason.CODE_REPLAYED)

        assert isinstance(await store.write(refuse), Refusal)
        assert found(store, begun).ended_at == NOW

    async def test_events_are_told_after_the_commit_and_never_of_what_was_rolled_back(
        self, store: Store, surroundings: Surroundings
    ) -> None:
        def fail(tx: Transaction) -> None:
            tx.events.record(Event(EventName.GRANT_ENDED))
            raise ValueError

        def succeed(tx: Transaction) -> None:
            tx.events.record(Event(EventName.TOKEN_ISSUED, detail={"redirect_uri": REDIRECT_URI}))
            tx.events.record(Event(EventName.TOKEN_REFRESHED))
            assert surroundings.told == []

        rules = (fail, succeed, fail)
        outcomes = await asyncio.gather(*(store.write(rule) for rule in rules), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ValueError, type(None), ValueError]
        assert [event.name for event in surroundings.told] == [EventName.TOKEN_ISSUED, EventName.TOKEN_REFRESHED]

    async def test_a_transaction_has_one_instant_however_long_it_takes(self, store: Store, surroundings: Surroundings) -> None:
        def watch(tx: Transaction) -> list[int]:
            seen = [tx.now]
            surroundings.advance(5)
            return [*seen, tx.now, tx.instant.now]

        assert await store.write(watch) == [NOW, NOW, NOW]
        assert store.read(lambda tx: tx.now) == NOW + 5


class AuthorizationPromises:
    async def test_a_pending_request_comes_back_as_it_was(self, store: Store) -> None:
        pending = pending_request("one")
        await store.write(lambda tx: tx.authorizations.add(pending))
        assert store.read(lambda tx: tx.authorizations.find("request-one")) == pending
        assert store.read(lambda tx: tx.authorizations.find("request-two")) is None

    async def test_what_waits_is_listed_newest_first_and_what_is_too_old_is_not(
        self, store: Store, surroundings: Surroundings
    ) -> None:
        one, two = pending_request("one"), pending_request("two", "192.0.2.2")
        for pending in (one, two):
            await store.write(partial(keep, pending))
        assert store.read(lambda tx: tx.authorizations.waiting(10)) == (WaitingRequest(two, 1), WaitingRequest(one, 1))
        assert store.read(lambda tx: tx.authorizations.waiting(1)) == (WaitingRequest(two, 1),)
        assert store.read(lambda tx: tx.authorizations.count_waiting()) == 2
        assert store.read(lambda tx: tx.authorizations.find_waiting(one.attempt)) == one
        assert store.read(lambda tx: tx.authorizations.find_waiting("another")) is None
        surroundings.advance(one.expires_at - NOW)
        assert store.read(lambda tx: tx.authorizations.waiting(10)) == ()
        assert store.read(lambda tx: tx.authorizations.count_waiting()) == 0
        assert store.read(lambda tx: tx.authorizations.find_waiting(one.attempt)) is None

    async def test_a_flood_from_one_address_hides_nobody_from_the_list(self, store: Store) -> None:
        owners = pending_request("owner's", "192.0.2.2")
        await store.write(lambda tx: tx.authorizations.add(owners))
        flood = [pending_request(f"flood {number}") for number in range(50)]
        for pending in flood:
            await store.write(partial(keep, pending))
        listed = store.read(lambda tx: tx.authorizations.waiting(10))
        assert listed == (*(WaitingRequest(pending, 50) for pending in flood[:46:-1]), WaitingRequest(owners, 1))

    async def test_a_dropped_request_is_forgotten(self, store: Store) -> None:
        await store.write(lambda tx: tx.authorizations.add(pending_request("one")))
        await store.write(lambda tx: tx.authorizations.drop("request-one"))
        assert store.read(lambda tx: tx.authorizations.find("request-one")) is None

    async def test_a_request_is_found_by_the_state_of_its_newest_departure_and_no_other(self, store: Store) -> None:
        first, second = (Departure("home_assistant", f"state-{number}", "verifier") for number in (1, 2))
        pending = pending_request("one")
        await store.write(lambda tx: tx.authorizations.add(pending))
        await store.write(lambda tx: tx.authorizations.add(pending_request("two")))
        departed = await store.write(lambda tx: tx.authorizations.note_departure(pending, first))
        assert departed == replace(pending, departure=first)
        assert store.read(lambda tx: tx.authorizations.find_departed("state-1")) == departed
        departed = await store.write(lambda tx: tx.authorizations.note_departure(pending, second))
        assert store.read(lambda tx: tx.authorizations.find_departed("state-1")) is None
        assert store.read(lambda tx: tx.authorizations.find_departed("state-2")) == departed
        assert store.read(lambda tx: tx.authorizations.find("request-one")) == departed
        await store.write(lambda tx: tx.authorizations.drop("request-one"))
        assert store.read(lambda tx: tx.authorizations.find_departed("state-2")) is None

    async def test_a_request_remembers_who_has_signed_in(self, store: Store) -> None:
        pending = pending_request("one")
        await store.write(lambda tx: tx.authorizations.add(pending))
        anna, bodo = Person("ha:1", "Anna", is_confirmed=False), Person("ha:2", "Bodo")
        known = await store.write(lambda tx: tx.authorizations.remember_person(pending, anna))
        assert known == replace(pending, person=anna)
        await store.write(lambda tx: tx.authorizations.remember_person(known, bodo))
        assert store.read(lambda tx: tx.authorizations.find("request-one")) == replace(pending, person=bodo)

    async def test_a_flood_of_requests_pushes_out_its_own_and_spares_the_household(self, store: Store) -> None:
        """One address opens thousands of authorization requests to push out the one that the owner is looking at."""

        def fill(tx: Transaction) -> None:
            tx.authorizations.add(pending_request("owner", "198.51.100.7"))
            tx.authorizations.add(pending_request("neighbour", "198.51.100.8"))
            for number in range(PENDING_LIMIT + 50):
                tx.authorizations.add(pending_request(f"flood-{number}", "203.0.113.66"))

        await store.write(fill)

        def look(tx: Transaction) -> list[bool]:
            names = ["owner", "neighbour", "flood-0", "flood-51", "flood-52", f"flood-{PENDING_LIMIT + 49}"]
            return [tx.authorizations.find(f"request-{name}") is not None for name in names]

        assert store.read(look) == [True, True, False, False, True, True]

    async def test_fulfilling_turns_the_request_into_a_code(self, store: Store) -> None:
        pending = pending_request("one")
        await store.write(lambda tx: tx.authorizations.add(pending))
        await store.write(lambda tx: tx.authorizations.fulfil(pending, code(1), "ha:anna", NOW + 300))
        assert store.read(lambda tx: tx.authorizations.find("request-one")) is None
        issued = store.read(lambda tx: tx.authorizations.find_code(code(1)))
        assert issued is not None
        assert (issued.client_id, issued.subject, issued.scope) == ("other", "ha:anna", pending.request.scope)
        assert (issued.redirect_uri, issued.code_challenge) == (REDIRECT_URI, pending.request.code_challenge)
        assert (issued.attempt, issued.issued_at, issued.expires_at) == (pending.attempt, NOW, NOW + 300)
        assert (issued.used_at, issued.grant_id, issued.wrong_verifiers) == (None, None, 0)
        for unknown in (code(2), "", "\ud800", "c" * 16_000):
            assert store.read(lambda tx, unknown=unknown: tx.authorizations.find_code(unknown)) is None  # type: ignore[misc]

    async def test_only_so_many_codes_of_one_subject_and_client_wait(self, store: Store) -> None:
        def approve(tx: Transaction, number: int, subject: str = "ha:anna", client_id: str = "other") -> None:
            pending = pending_request(str(number), client_id=client_id)
            tx.authorizations.fulfil(pending, code(number), subject, NOW + 300)

        def approve_many(tx: Transaction) -> None:
            approve(tx, 1_000, "ha:ben")
            approve(tx, 1_001, client_id="amazon-alexa")
            approve(tx, 1_002)
            used = tx.authorizations.find_code(code(1_002))
            assert used is not None
            tx.authorizations.mark_used(used, grant().grant_id)
            for number in range(CODES_PER_SUBJECT + 2):
                approve(tx, number)

        await store.write(approve_many)
        kept = [
            number
            for number in [*range(CODES_PER_SUBJECT + 2), 1_000, 1_001, 1_002]
            if store.read(lambda tx, number=number: tx.authorizations.find_code(code(number))) is not None  # type: ignore[misc]
        ]
        assert kept == [*range(2, CODES_PER_SUBJECT + 2), 1_000, 1_001, 1_002]

    async def test_a_spent_code_knows_what_became_of_it(self, store: Store) -> None:
        begun = await begin_grant(store)
        await store.write(lambda tx: tx.authorizations.fulfil(pending_request("1"), code(1), "ha:anna", NOW + 300))

        def spend(tx: Transaction) -> None:
            issued = tx.authorizations.find_code(code(1))
            assert issued is not None
            tx.authorizations.count_wrong_verifier(issued)
            tx.authorizations.mark_used(issued, begun.grant_id)

        await store.write(spend)
        used = store.read(lambda tx: tx.authorizations.find_code(code(1)))
        assert used is not None
        assert (used.used_at, used.grant_id, used.wrong_verifiers) == (NOW, begun.grant_id, 1)

    async def test_what_a_code_is_redeemed_for_follows_from_grant_and_code(self, store: Store) -> None:
        """Always the same, before and after the grant is written; another grant's or another code's is another."""

        def first(number: int, secret: str) -> str:
            return store.read(lambda tx: tx.grants.first_access_token(grant(number), secret))

        value = first(1, code(1))
        await store.write(lambda tx: tx.grants.add(grant(1)))
        assert first(1, code(1)) == value
        assert re.fullmatch(r"aoa_at_[A-Za-z0-9_-]{43}", value)
        assert len({value, first(1, code(2)), first(2, code(1))}) == 3

    async def test_of_fifty_parallel_redemptions_of_one_code_exactly_one_wins(
        self, store: Store, surroundings: Surroundings
    ) -> None:
        pending = pending_request("1")
        pending = replace(pending, request=replace(pending.request, code_challenge=None))
        await store.write(lambda tx: tx.authorizations.fulfil(pending, code(1), "ha:anna", NOW + 300))
        request = token.CodeRequest(code(1), REDIRECT_URI, None, "192.0.2.1", "client_secret_basic")

        def redeem(tx: Transaction) -> TokenResponse | Refusal:
            return token.redeem(tx, OTHER, request, POLICY, surroundings.entropy)

        outcomes = await asyncio.gather(*(store.write(redeem) for _ in range(50)))
        won = [outcome for outcome in outcomes if isinstance(outcome, TokenResponse)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
        assert (len(won), len(refused)) == (1, 49)
        assert {refusal.reason for refusal in refused} == {Reason.CODE_USED}
        assert store.read(lambda tx: tx.grants.find_access_token(won[0].access_token)) is not None


class GrantPromises:
    async def test_a_grant_comes_back_as_it_was(self, store: Store) -> None:
        begun = replace(grant(), ends_at=NOW + 600, rotated_profile=RefreshProfile.STRICT, head_used_at=NOW, first_used_at=NOW)
        await begin_grant(store, begun=begun)
        assert found(store, begun) == begun
        assert store.read(lambda tx: tx.grants.find("f" * 16)) is None

    async def test_a_generation_has_one_refresh_token_that_says_what_it_is(self, store: Store) -> None:
        begun = await begin_grant(store)

        def look(tx: Transaction) -> list[str]:
            return [tx.grants.refresh_token(begun, generation) for generation in (1, 2, 1)]

        first, second, again = store.read(look)
        assert first == again != second
        assert first.startswith("aoa_rt_")
        read = store.read(lambda tx: tx.grants.read_refresh_token(second))
        assert read is not None
        assert (read.grant_id, read.generation, read.seed) == (begun.grant_id, 2, begun.seed)

    async def test_rotation_makes_the_next_generation_the_head(self, store: Store, surroundings: Surroundings) -> None:
        begun = await begin_grant(store, begun=replace(grant(), head_used_at=NOW))
        surroundings.advance(60)
        token_of_window = access_token()

        def rotate(tx: Transaction) -> None:
            tx.grants.rotate(begun, RefreshProfile.STRICT_WINDOW, token_of_window)
            tx.grants.issue(replace(begun, generation=2), token_of_window)

        await store.write(rotate)
        assert found(store, begun) == replace(
            begun,
            generation=2,
            rotated_at=NOW + 60,
            rotated_profile=RefreshProfile.STRICT_WINDOW,
            head_used_at=None,
            first_used_at=NOW + 60,
            last_used_at=NOW + 60,
        )
        assert store.read(lambda tx: tx.grants.find_window_answer(begun)) == token_of_window

    async def test_uses_of_head_and_predecessor_are_noted_and_only_the_head_closes(
        self, store: Store, surroundings: Surroundings
    ) -> None:
        begun = await begin_grant(store)
        surroundings.advance(10)
        await store.write(lambda tx: tx.grants.use_predecessor(begun))
        assert found(store, begun) == replace(begun, first_used_at=NOW + 10, last_used_at=NOW + 10)
        surroundings.advance(10)
        await store.write(lambda tx: tx.grants.use_head(begun))
        surroundings.advance(10)
        await store.write(lambda tx: tx.grants.use_head(begun))
        used = replace(begun, first_used_at=NOW + 10, head_used_at=NOW + 20, last_used_at=NOW + 30)
        assert found(store, begun) == used

    async def test_healing_moves_the_grant_forward_and_says_how_it_then_is(
        self, store: Store, surroundings: Surroundings
    ) -> None:
        begun = await begin_grant(store)
        long_lived = access_token(expires_at=NOW + 2 * DAY)
        await store.write(lambda tx: tx.grants.rotate(begun, RefreshProfile.OVERLAP, long_lived))
        await store.write(lambda tx: tx.grants.issue(begun, long_lived))
        surroundings.advance(DAY)
        restored = found(store, begun)
        fifth = store.read(lambda tx: tx.grants.refresh_token(restored, 5))
        newer = store.read(lambda tx: tx.grants.read_refresh_token(fifth))
        assert newer is not None
        healed = await store.write(lambda tx: tx.grants.heal(restored, newer, RefreshProfile.OVERLAP))
        assert found(store, begun) == healed
        assert (healed.generation, healed.rotated_at, healed.head_used_at) == (5, NOW + DAY, NOW + DAY)
        assert store.read(lambda tx: tx.grants.find_window_answer(healed)) is None

    @pytest.mark.parametrize("lost", ["revoked", "expired"])
    async def test_the_window_answers_with_a_living_access_token_only(
        self, store: Store, surroundings: Surroundings, lost: str
    ) -> None:
        begun = await begin_grant(store)
        token_of_window = access_token()

        def rotate(tx: Transaction) -> None:
            tx.grants.rotate(begun, RefreshProfile.STRICT_WINDOW, token_of_window)
            tx.grants.issue(begun, token_of_window)

        def revoke(tx: Transaction) -> None:
            issued = tx.grants.find_access_token(token_of_window.value)
            assert issued is not None
            tx.grants.drop_access_token(issued)

        await store.write(rotate)
        if lost == "revoked":
            await store.write(revoke)
        else:
            surroundings.advance(1_800)
        assert store.read(lambda tx: tx.grants.find_window_answer(begun)) is None

    async def test_the_end_of_a_grant_is_the_end_of_all_its_tokens_at_once(
        self, store: Store, surroundings: Surroundings
    ) -> None:
        begun, neighbour = await begin_grant(store, 1), await begin_grant(store, 2)

        def issue(tx: Transaction) -> None:
            tx.grants.rotate(begun, RefreshProfile.STRICT_WINDOW, access_token(1))
            tx.grants.issue(begun, access_token(1))
            tx.grants.issue(neighbour, access_token(2))

        await store.write(issue)
        surroundings.advance(5)
        await store.write(lambda tx: tx.grants.end(begun))
        surroundings.advance(5)
        await store.write(lambda tx: tx.grants.end(begun))
        assert found(store, begun).ended_at == NOW + 5
        assert store.read(lambda tx: tx.grants.find_access_token(access_token(1).value)) is None
        assert store.read(lambda tx: tx.grants.find_window_answer(begun)) is None
        assert store.read(lambda tx: tx.grants.find_access_token(access_token(2).value)) is not None

    async def test_two_hundred_parallel_refreshes_yield_one_pair(self, store: Store, surroundings: Surroundings) -> None:
        begun = await begin_grant(store)
        head = store.read(lambda tx: tx.grants.refresh_token(begun, 1))
        request = refresh.RefreshRequest(head, None, "192.0.2.1")

        def ask(tx: Transaction) -> TokenResponse | Refusal:
            return refresh.refresh(tx, OTHER, request, POLICY, surroundings.entropy)

        answers = await asyncio.gather(*(store.write(ask) for _ in range(200)))
        assert len(set(answers)) == 1
        assert isinstance(answers[0], TokenResponse)
        assert answers[0].refresh_token == store.read(lambda tx: tx.grants.refresh_token(begun, 2))


class AccessTokenPromises:
    async def test_an_access_token_is_found_with_what_its_grant_says(self, store: Store) -> None:
        begun = await begin_grant(store)
        await store.write(lambda tx: tx.grants.issue(replace(begun, generation=3), access_token()))
        issued = store.read(lambda tx: tx.grants.find_access_token(access_token().value))
        assert issued is not None
        assert (issued.grant_id, issued.client_id, issued.subject) == (begun.grant_id, begun.client_id, begun.subject)
        assert (issued.scope, issued.generation) == (("music.read",), 3)
        assert (issued.issued_at, issued.expires_at, issued.used_at) == (NOW, NOW + 1_800, None)
        assert store.read(lambda tx: tx.grants.find_access_token(access_token(2).value)) is None

    async def test_its_own_age_is_not_judged_but_the_end_of_its_grant_is(self, store: Store, surroundings: Surroundings) -> None:
        begun = await begin_grant(store, begun=replace(grant(), ends_at=NOW + 3_600))
        await store.write(lambda tx: tx.grants.issue(begun, access_token()))
        surroundings.advance(3_599)
        assert store.read(lambda tx: tx.grants.find_access_token(access_token().value)) is not None
        surroundings.advance(1)
        assert store.read(lambda tx: tx.grants.find_access_token(access_token().value)) is None

    async def test_a_grant_has_so_many_access_tokens_and_the_oldest_goes_first(self, store: Store) -> None:
        begun = await begin_grant(store)

        def issue(tx: Transaction) -> None:
            for number in range(ACCESS_TOKENS_PER_GRANT + 2):
                tx.grants.issue(begun, access_token(number))

        def living(tx: Transaction) -> list[int]:
            numbers = range(ACCESS_TOKENS_PER_GRANT + 2)
            return [number for number in numbers if tx.grants.find_access_token(access_token(number).value) is not None]

        await store.write(issue)
        assert store.read(living) == list(range(2, ACCESS_TOKENS_PER_GRANT + 2))

    @pytest.mark.parametrize(
        ("profile", "generation", "closes"),
        [
            (RefreshProfile.STRICT_WINDOW, 2, True),
            (RefreshProfile.STRICT_WINDOW, 1, False),
            (RefreshProfile.OVERLAP, 2, False),
        ],
    )
    async def test_the_first_use_is_noted_and_may_close_the_predecessor(
        self, store: Store, surroundings: Surroundings, profile: RefreshProfile, generation: int, *, closes: bool
    ) -> None:
        """Under `strict_window` the head's access token proves that the rotation's answer has arrived."""
        begun = await begin_grant(store)

        def rotate(tx: Transaction) -> None:
            tx.grants.rotate(begun, profile, access_token())
            tx.grants.issue(replace(begun, generation=generation), access_token())

        def use(tx: Transaction) -> bool:
            issued = tx.grants.find_access_token(access_token().value)
            assert issued is not None
            return tx.grants.mark_access_token_used(issued)

        await store.write(rotate)
        surroundings.advance(3)
        assert await store.write(use) is True
        surroundings.advance(3)
        assert await store.write(use) is False
        assert found(store, begun).head_used_at == (NOW + 3 if closes else None)

    async def test_the_first_use_of_an_access_token_is_a_first_use_of_its_grant(self, store: Store) -> None:
        """After it, a code's answer is not repeated: somebody has received it."""
        begun = await begin_grant(store)
        await store.write(lambda tx: tx.grants.issue(begun, access_token()))
        issued = store.read(lambda tx: tx.grants.find_access_token(access_token().value))
        assert issued is not None
        await store.write(lambda tx: tx.grants.mark_access_token_used(issued))
        assert found(store, begun).first_used_at == NOW

    async def test_one_access_token_is_revoked_alone(self, store: Store) -> None:
        begun = await begin_grant(store)

        def issue(tx: Transaction) -> None:
            tx.grants.issue(begun, access_token(1))
            tx.grants.issue(begun, access_token(2))
            issued = tx.grants.find_access_token(access_token(1).value)
            assert issued is not None
            tx.grants.drop_access_token(issued)

        await store.write(issue)
        assert store.read(lambda tx: tx.grants.find_access_token(access_token(1).value)) is None
        assert store.read(lambda tx: tx.grants.find_access_token(access_token(2).value)) is not None


class DoubtPromises:
    @pytest.mark.parametrize("wrong", [NOW - 40 * DAY, NOW + 4_000 * DAY])
    @pytest.mark.parametrize("use", ["use_head", "use_predecessor", "rotate"])
    async def test_a_use_in_doubt_never_shortens_a_life(
        self, store: Store, surroundings: Surroundings, wrong: int, use: str
    ) -> None:
        begun = await begin_grant(store)
        uses: dict[str, Callable[[Transaction], None]] = {
            "use_head": lambda tx: tx.grants.use_head(begun),
            "use_predecessor": lambda tx: tx.grants.use_predecessor(begun),
            "rotate": lambda tx: tx.grants.rotate(begun, RefreshProfile.OVERLAP, access_token()),
        }
        surroundings.doubt(wrong)
        await store.write(uses[use])
        assert found(store, begun).last_used_at == NOW, "while the doubt lasts"
        surroundings.trust(NOW + 300 * DAY)
        assert found(store, begun).last_used_at == NOW + 300 * DAY, "the doubt is over, and nothing was put right yet"
        await store.write(lambda tx: tx.grants.settle_instants(tx.now, 0))
        surroundings.advance(DAY)
        assert found(store, begun).last_used_at == NOW + 300 * DAY, "from then on it is an instant like any other"

    async def test_the_last_use_does_not_move_back_with_the_clock(self, store: Store, surroundings: Surroundings) -> None:
        begun = await begin_grant(store)
        surroundings.trust(NOW - 200)
        await store.write(lambda tx: tx.grants.use_head(begun))
        assert found(store, begun).last_used_at == NOW

    async def test_a_clock_that_leaps_ahead_ages_no_grant(self, store: Store, surroundings: Surroundings) -> None:
        """The time that a machine was wrong by is not time in which a grant went unused."""
        begun, ended = await begin_grant(store, 1), await begin_grant(store, 2)
        await store.write(lambda tx: tx.grants.end(ended))
        surroundings.trust(NOW + 400 * DAY)
        await store.write(lambda tx: tx.grants.settle_instants(tx.now, 399 * DAY))
        assert found(store, begun).last_used_at == NOW + 399 * DAY
        await store.write(lambda tx: tx.grants.settle_instants(tx.now, 2 * DAY))
        assert found(store, begun).last_used_at == NOW + 400 * DAY, "no use lies ahead of now"
        assert found(store, ended).last_used_at == NOW

    async def test_what_was_written_ahead_of_now_is_brought_back_with_its_length_of_life(
        self, store: Store, surroundings: Surroundings
    ) -> None:
        """A clock years ahead must leave behind neither a grant that cannot age nor an access token that lives for years."""
        ahead = NOW + 4_000 * DAY
        begun = replace(grant(), created_at=ahead, rotated_at=ahead, last_used_at=ahead, ends_at=ahead + 600)
        surroundings.doubt(ahead)

        def live(tx: Transaction) -> None:
            tx.grants.add(begun)
            tx.grants.use_head(begun)
            tx.grants.rotate(begun, RefreshProfile.OVERLAP, access_token(expires_at=ahead + 1_800))
            tx.grants.issue(begun, access_token(expires_at=ahead + 1_800))
            tx.authorizations.add(replace(pending_request("1"), created_at=ahead, expires_at=ahead + 600))
            tx.authorizations.fulfil(pending_request("2"), code(2), "ha:anna", ahead + 300)

        await store.write(live)
        surroundings.trust(NOW)
        await store.write(lambda tx: tx.grants.settle_instants(tx.now, 0))
        settled = found(store, begun)
        assert (settled.created_at, settled.rotated_at, settled.last_used_at, settled.ends_at) == (NOW, NOW, NOW, NOW + 600)
        assert (settled.head_used_at, settled.first_used_at) == (None, NOW)
        issued = store.read(lambda tx: tx.grants.find_access_token(access_token().value))
        pending = store.read(lambda tx: tx.authorizations.find("request-1"))
        waiting = store.read(lambda tx: tx.authorizations.find_code(code(2)))
        assert issued is not None
        assert pending is not None
        assert waiting is not None
        assert (issued.issued_at, issued.expires_at) == (NOW, NOW + 1_800)
        assert store.read(lambda tx: tx.grants.find_window_answer(begun)) == access_token(expires_at=NOW + 1_800)
        assert (pending.created_at, pending.expires_at) == (NOW, NOW + 600)
        assert (waiting.issued_at, waiting.expires_at) == (NOW, NOW + 300)


class PairingCodePromises:
    async def test_a_subject_keeps_its_code_until_it_is_spent(self, store: Store) -> None:
        shown = await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "BCDFGHJK"))
        again = await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "ZZZZZZZZ"))
        assert shown == again == ("BCDFGHJK", NOW + 600)
        assert store.read(lambda tx: tx.pairing_codes.find("BCDFGHJK")) == "ha:anna"
        assert await store.write(lambda tx: tx.pairing_codes.spend("BCDFGHJK")) == "ha:anna"
        assert await store.write(lambda tx: tx.pairing_codes.spend("BCDFGHJK")) is None
        assert await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "ZZZZZZZZ")) == ("ZZZZZZZZ", NOW + 600)

    async def test_of_fifty_parallel_tries_of_one_code_one_wins(self, store: Store) -> None:
        await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "BCDFGHJK"))
        tries = [store.write(lambda tx: tx.pairing_codes.spend("BCDFGHJK")) for _ in range(50)]
        assert sorted(map(str, await asyncio.gather(*tries))) == ["None"] * 49 + ["ha:anna"]

    @pytest.mark.parametrize("now", [NOW + 600, NOW - 301], ids=["over", "made while the clock was ahead"])
    async def test_a_code_of_another_time_is_good_for_nothing(self, store: Store, surroundings: Surroundings, now: int) -> None:
        await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "BCDFGHJK"))
        surroundings.trust(now)
        assert await store.write(lambda tx: tx.pairing_codes.spend("BCDFGHJK")) is None
        assert await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "ZZZZZZZZ")) == ("ZZZZZZZZ", now + 600)

    async def test_a_code_made_by_a_command_whose_clock_is_a_little_ahead_is_good(
        self, store: Store, surroundings: Surroundings
    ) -> None:
        await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "BCDFGHJK"))
        surroundings.trust(NOW - 300)
        assert store.read(lambda tx: tx.pairing_codes.find("BCDFGHJK")) == "ha:anna"

    async def test_two_subjects_may_be_shown_the_same_code(self, store: Store) -> None:
        await store.write(lambda tx: tx.pairing_codes.current("ha:anna", "BCDFGHJK"))
        await store.write(lambda tx: tx.pairing_codes.current("ha:ben", "BCDFGHJK"))
        spent = [await store.write(lambda tx: tx.pairing_codes.spend("BCDFGHJK")) for _ in range(3)]
        assert set(spent) == {"ha:anna", "ha:ben", None}


class AdminLinkPromises:
    async def test_a_link_opens_once(self, store: Store) -> None:
        await store.write(lambda tx: tx.admin_links.add("link", NOW + 600))
        assert await store.write(lambda tx: tx.admin_links.spend("other")) is False
        assert await store.write(lambda tx: tx.admin_links.spend("link")) is True
        assert await store.write(lambda tx: tx.admin_links.spend("link")) is False

    async def test_an_old_link_opens_nothing(self, store: Store, surroundings: Surroundings) -> None:
        await store.write(lambda tx: tx.admin_links.add("link", NOW + 600))
        surroundings.advance(600)
        assert await store.write(lambda tx: tx.admin_links.spend("link")) is False


class VendorIdPromises:
    async def test_a_vendor_id_is_kept_once_in_the_order_in_which_they_came(self, store: Store) -> None:
        for vendor_id in ("M2", "M1", "M2"):
            await store.write(lambda tx: tx.clients.add_vendor_id(vendor_id))  # noqa: B023 - it is called at once
        assert store.read(lambda tx: tx.clients.vendor_ids()) == ("M2", "M1")


def appoint(tx: Transaction, subject: str, *names: str) -> None:
    for name in names:
        tx.people.remember(subject, name)
        tx.people.appoint(subject)


class PeoplePromises:
    async def test_people_are_known_by_their_latest_name_and_rights_outlive_it(self, store: Store) -> None:
        await store.write(lambda tx: tx.people.remember("ha:b", "bert"))
        await store.write(lambda tx: appoint(tx, "ha:a", "Cleo", "Anna"))
        anna, bert = Resident("ha:a", "Anna", is_administrator=True), Resident("ha:b", "bert", is_administrator=False)
        assert store.read(lambda tx: tx.people.known()) == (anna, bert)
        assert store.read(lambda tx: (tx.people.find("ha:a"), tx.people.find("ha:c"))) == (anna, None)

    async def test_who_is_dismissed_stays_known(self, store: Store) -> None:
        await store.write(lambda tx: appoint(tx, "ha:a", "Anna"))
        await store.write(lambda tx: tx.people.dismiss("ha:a"))
        assert store.read(lambda tx: tx.people.known()) == (Resident("ha:a", "Anna", is_administrator=False),)

    async def test_nobody_is_appointed_who_is_not_known(self, store: Store) -> None:
        await store.write(lambda tx: tx.people.appoint("ha:a"))
        assert store.read(lambda tx: tx.people.known()) == ()


class AccountPromises:
    async def test_an_account_is_let_in_until_it_is_forgotten(self, store: Store) -> None:
        anna, bert = Person("amazon:b", "Anna"), Person("amazon:a", "Bert")
        await store.write(lambda tx: tx.accounts.confirm(anna))
        await store.write(lambda tx: tx.accounts.confirm(bert))
        assert store.read(lambda tx: (tx.accounts.is_confirmed("amazon:b"), tx.accounts.is_confirmed("amazon:c"))) == (
            True,
            False,
        )
        assert set(store.read(lambda tx: tx.accounts.confirmed())) == {anna, bert}
        await store.write(lambda tx: tx.accounts.confirm(replace(anna, name="Anne")))
        assert await store.write(lambda tx: tx.accounts.forget("amazon:a")) is True
        assert await store.write(lambda tx: tx.accounts.forget("amazon:a")) is False
        assert store.read(lambda tx: tx.accounts.confirmed()) == (Person("amazon:b", "Anne"),)


class StorePromises(
    TransactionPromises,
    AuthorizationPromises,
    GrantPromises,
    AccessTokenPromises,
    DoubtPromises,
    PairingCodePromises,
    AdminLinkPromises,
    PeoplePromises,
    AccountPromises,
    VendorIdPromises,
):
    """All promises of the port."""
