"""The judgement over a refresh token, as a table: a token's generation, a grant, a profile and an instant."""

from dataclasses import replace

import pytest

from alexa_oauth.protocol.models import Grant, Instant, KeyAge, PresentedRefreshToken, RefreshProfile
from alexa_oauth.protocol.policy import Policy
from alexa_oauth.protocol.refresh import Decision, Expired, HandOver, Heal, Keep, Replay, Reuse, Rotate, decide
from tests.rig import NOW

OVERLAP, WINDOW, STRICT = RefreshProfile.OVERLAP, RefreshProfile.STRICT_WINDOW, RefreshProfile.STRICT
POLICY = Policy("https://auth.test")
DAY = 86_400
LIFETIME = POLICY.refresh_token_seconds
FRESH = Grant("0" * 16, "c", "local", ("music.read",), bytes(20), "a", NOW, 5, NOW, OVERLAP, None, None, NOW)


def grant(profile: RefreshProfile = OVERLAP, head_used_at: int | None = None) -> Grant:
    """A grant whose fifth generation was issued at `NOW`."""
    return replace(FRESH, rotated_profile=profile, head_used_at=head_used_at)


def presented(generation: int, age: KeyAge = KeyAge.CURRENT) -> PresentedRefreshToken:
    return PresentedRefreshToken(FRESH.grant_id, generation, FRESH.seed, key_age=age)


def judged(generation: int, of: Grant, profile: RefreshProfile, after: int, *, doubtful: bool = False) -> Decision:
    return decide(presented(generation), of, profile, Instant(NOW + after, NOW - DAY, doubtful), POLICY)


@pytest.mark.parametrize(
    ("profile", "after", "expected"),
    [
        (OVERLAP, 0, Keep()),
        (OVERLAP, 7 * DAY, Keep()),
        (OVERLAP, 7 * DAY + 1, Rotate()),
        (WINDOW, 0, Rotate()),
        (STRICT, 0, Rotate()),
        (OVERLAP, LIFETIME, Rotate()),
        (OVERLAP, LIFETIME + 1, Expired()),
        (STRICT, LIFETIME + 1, Expired()),
    ],
)
def test_the_head(profile: RefreshProfile, after: int, expected: Decision) -> None:
    assert judged(5, grant(), profile, after) == expected


@pytest.mark.parametrize(
    ("rotated_under", "head_used_after", "after", "expected"),
    [
        (OVERLAP, None, 60, Replay()),
        (OVERLAP, None, 61, HandOver()),
        (OVERLAP, None, 80 * DAY, HandOver()),
        (OVERLAP, 100, 3_700, HandOver()),
        (OVERLAP, 100, 3_701, Reuse(ends=False)),
        (OVERLAP, None, LIFETIME + 1, Expired()),
        (WINDOW, None, 30, Replay()),
        (WINDOW, None, 31, Reuse(ends=False)),
        (WINDOW, 1, 2, Reuse(ends=False)),
        (STRICT, None, 0, Reuse(ends=False)),
    ],
)
def test_the_predecessor_is_judged_by_the_profile_under_which_it_was_rotated(
    rotated_under: RefreshProfile, head_used_after: int | None, after: int, expected: Decision
) -> None:
    used_at = None if head_used_after is None else NOW + head_used_after
    assert judged(4, grant(rotated_under, used_at), OVERLAP, after) == expected


@pytest.mark.parametrize(
    ("profile", "generation", "ends"),
    [(OVERLAP, 3, True), (OVERLAP, 1, True), (WINDOW, 4, True), (STRICT, 4, True), (WINDOW, 3, True), (STRICT, 1, True)],
)
def test_reuse_ends_the_grant_but_for_the_predecessor_of_an_overlap(
    profile: RefreshProfile, generation: int, *, ends: bool
) -> None:
    assert judged(generation, grant(STRICT), profile, LIFETIME + 1) == Reuse(ends=ends)


@pytest.mark.parametrize(("profile", "then"), [(OVERLAP, Keep()), (WINDOW, Rotate()), (STRICT, Rotate())])
def test_a_token_newer_than_a_restored_database_heals_the_grant_however_old_it_looks(
    profile: RefreshProfile, then: Rotate | Keep
) -> None:
    assert judged(9, grant(), profile, 10 * LIFETIME) == Heal(presented(9), then)


def test_a_key_that_is_retired_makes_no_predecessor_good() -> None:
    """Whoever stole it could make the predecessor of any head, and be handed that."""
    instant = Instant(NOW + 1, NOW)
    assert decide(presented(4, KeyAge.RETIRED), grant(), OVERLAP, instant, POLICY) == Reuse(ends=False)
    assert decide(presented(4, KeyAge.FORMER), grant(), OVERLAP, instant, POLICY) == Replay()


def test_a_head_of_a_former_key_is_replaced_at_its_next_use_even_in_doubt() -> None:
    instant = Instant(NOW + 1, NOW, doubtful=True)
    assert decide(presented(5), replace(grant(), on_former_key=True), OVERLAP, instant, POLICY) == Rotate()
    assert decide(presented(9, KeyAge.FORMER), grant(), OVERLAP, instant, POLICY) == Heal(presented(9), Rotate())


def test_in_doubt_the_age_of_the_head_rotates_nothing() -> None:
    assert judged(5, grant(), OVERLAP, 8 * DAY, doubtful=True) == Keep()


def test_a_lifetime_of_zero_never_ends() -> None:
    instant = Instant(NOW + 100 * LIFETIME, NOW)
    assert decide(presented(5), grant(), STRICT, instant, replace(POLICY, refresh_token_seconds=0)) == Rotate()
