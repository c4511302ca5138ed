"""The token endpoint's `refresh_token` grant (RFC 6749 §6), made so that no lost answer loses a link.

A grant's refresh tokens are counted in generations, and the generation, not a clock, decides what is reuse. Generation *n*
of a grant is always the same token, so neither a retry nor a restored backup can fork a grant. `decide` is the whole
judgement, as a pure function; `refresh` carries it out.
"""

import hmac
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from alexa_oauth.protocol import scope
from alexa_oauth.protocol.credentials import new_access_token
from alexa_oauth.protocol.errors import ClockDoubtful, ErrorCode, Refusal, RequestRefused, missing_parameter
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import (
    Client,
    Grant,
    Instant,
    IssuedAccessToken,
    KeyAge,
    Parameters,
    PresentedRefreshToken,
    RefreshProfile,
    TokenResponse,
)
from alexa_oauth.protocol.policy import (
    HEAD_ROTATES_AFTER_SECONDS,
    OVERLAP_REPLAY_SECONDS,
    OVERLAP_TAIL_SECONDS,
    STRICT_WINDOW_SECONDS,
    Policy,
)
from alexa_oauth.protocol.ports import Entropy, Transaction
from alexa_oauth.protocol.token import issue_access_token

INVALID_REFRESH_TOKEN: Final = "Invalid or expired refresh token"

_GENERATIONS_THAT_END_AN_OVERLAP: Final = 2
"""Amazon's servers do not all change over at once, so the predecessor alone proves no theft."""


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """A refresh request; `scope` as sent."""

    refresh_token: str = field(repr=False)
    scope: str | None
    address: str


@dataclass(frozen=True, slots=True)
class Rotate:
    """The head was presented: the next generation becomes the head."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The head was presented and stays."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The predecessor was presented soon after the rotation: the same answer again, for the same scope."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The predecessor was presented while it still works: the head, with a fresh access token."""


@dataclass(frozen=True, slots=True)
class Heal:
    """A token newer than the head: the database came from a backup. The grant moves forward, then `then` applies."""

    presented: PresentedRefreshToken
    then: Rotate | Keep


@dataclass(frozen=True, slots=True)
class Reuse:
    """A spent token. `ends` says whether the grant ends with it."""

    ends: bool


@dataclass(frozen=True, slots=True)
class Expired:
    """The grant was unused for longer than the policy allows."""


Answered = Rotate | Keep | Replay | HandOver | Heal
Decision = Answered | Reuse | Expired


def decide(presented: PresentedRefreshToken, grant: Grant, profile: RefreshProfile, instant: Instant, policy: Policy) -> Decision:
    """Judge a genuine token of a living grant, presented by its own client. Age is judged last."""
    behind = grant.generation - presented.generation
    if behind < 0:
        return Heal(presented, Rotate() if presented.key_age is KeyAge.FORMER else _use_of_head(profile, instant, age=0))
    if behind == 0:
        decision: Decision = Rotate() if grant.on_former_key else _use_of_head(profile, instant, instant.now - grant.rotated_at)
    elif behind == 1 and presented.key_age is not KeyAge.RETIRED and _predecessor_works(grant, instant):
        decision = _use_of_predecessor(grant, instant)
    else:
        return Reuse(ends=profile is not RefreshProfile.OVERLAP or behind >= _GENERATIONS_THAT_END_AN_OVERLAP)
    return Expired() if _is_too_old(grant, instant, policy) else decision


def read_refresh_request(parameters: Parameters, address: str) -> RefreshRequest:
    """RFC 6749 §6."""
    if (refresh_token := parameters.get("refresh_token")) is None:
        raise missing_parameter("refresh_token")
    return RefreshRequest(refresh_token, parameters.get("scope"), address)


def refresh(
    tx: Transaction, client: Client, request: RefreshRequest, policy: Policy, entropy: Entropy
) -> TokenResponse | Refusal:
    """Answer a refresh request. Raised refusals change nothing; returned ones are remembered."""
    presented = tx.grants.read_refresh_token(request.refresh_token)
    if presented is None:
        refused = RequestRefused(ErrorCode.INVALID_GRANT, INVALID_REFRESH_TOKEN, Reason.REFRESH_TOKEN_UNKNOWN)
        raise refused.about(client_id=client.client_id)
    grant = _find_live(tx, presented)
    if grant.client_id != client.client_id:
        return _refuse(tx, grant, request, Reason.REFRESH_TOKEN_OF_ANOTHER_CLIENT)
    granted = scope.narrow(request.scope, grant.scope, client.scopes)
    decision = decide(presented, grant, client.refresh, tx.instant, policy)
    match decision:
        case Expired():
            if tx.instant.doubtful:
                raise ClockDoubtful
            return _refuse(tx, grant, request, Reason.REFRESH_TOKEN_EXPIRED)
        case Reuse(ends=ends):
            return _refuse_reuse(tx, grant, request, ends=ends)
        case Rotate() | Keep() | Replay() | HandOver() | Heal():
            access_token = issue_access_token(tx.now, grant, granted, policy, new_access_token(entropy))
            answer = _carry_out(tx, grant, client.refresh, decision, access_token)
            tx.events.record(_answered(decision, grant, request))
            return answer
        case _:
            assert_never(decision)


def _use_of_head(profile: RefreshProfile, instant: Instant, age: int) -> Rotate | Keep:
    """Under `overlap` the head is kept for days: the fewer rotations, the fewer answers there are to lose."""
    if profile is not RefreshProfile.OVERLAP:
        return Rotate()
    return Rotate() if age > HEAD_ROTATES_AFTER_SECONDS and not instant.doubtful else Keep()


def _predecessor_works(grant: Grant, instant: Instant) -> bool:
    """Judged by the profile in force when it was rotated, so that a change of profile closes no open window."""
    match grant.rotated_profile:
        case RefreshProfile.OVERLAP:
            return grant.head_used_at is None or instant.elapsed_since(grant.head_used_at) <= OVERLAP_TAIL_SECONDS
        case RefreshProfile.STRICT_WINDOW:
            return grant.head_used_at is None and instant.elapsed_since(grant.rotated_at) <= STRICT_WINDOW_SECONDS
        case RefreshProfile.STRICT | None:
            return False
        case _:
            assert_never(grant.rotated_profile)


def _use_of_predecessor(grant: Grant, instant: Instant) -> Replay | HandOver:
    overlap = grant.rotated_profile is RefreshProfile.OVERLAP
    window = OVERLAP_REPLAY_SECONDS if overlap else STRICT_WINDOW_SECONDS
    return Replay() if instant.elapsed_since(grant.rotated_at) <= window else HandOver()


def _is_too_old(grant: Grant, instant: Instant, policy: Policy) -> bool:
    return bool(policy.refresh_token_seconds) and instant.now - grant.last_used_at > policy.refresh_token_seconds


def _find_live(tx: Transaction, presented: PresentedRefreshToken) -> Grant:
    """The seed tells a grant from one that a restore forgot and whose id was given out again."""
    grant = tx.grants.find(presented.grant_id)
    if grant is None or not grant.is_live(tx.now) or not hmac.compare_digest(grant.seed, presented.seed):
        raise RequestRefused(ErrorCode.INVALID_GRANT, INVALID_REFRESH_TOKEN, Reason.GRANT_NOT_LIVE)
    # Whoever stole a key that has been replaced could make themselves the head, or a token that heals towards them.
    if presented.key_age is KeyAge.RETIRED and presented.generation >= grant.generation:
        raise RequestRefused(ErrorCode.INVALID_GRANT, INVALID_REFRESH_TOKEN, Reason.REFRESH_TOKEN_UNKNOWN)
    return grant


def _carry_out(
    tx: Transaction, grant: Grant, profile: RefreshProfile, decision: Answered, access_token: IssuedAccessToken
) -> TokenResponse:
    match decision:
        case Rotate():
            tx.grants.rotate(grant, profile, access_token)
            return _give(tx, replace(grant, generation=grant.generation + 1), access_token)
        case Keep():
            tx.grants.use_head(grant)
            return _give(tx, grant, access_token)
        case HandOver():
            tx.grants.use_predecessor(grant)
            return _give(tx, grant, access_token)
        case Replay():
            tx.grants.use_predecessor(grant)
            kept = tx.grants.find_window_answer(grant)
            if kept is None or kept.scope != access_token.scope:
                return _give(tx, grant, access_token)
            return _response(tx, grant, kept)
        case Heal(presented=presented, then=then):
            return _carry_out(tx, tx.grants.heal(grant, presented, profile), profile, then, access_token)
        case _:
            assert_never(decision)


def _give(tx: Transaction, grant: Grant, access_token: IssuedAccessToken) -> TokenResponse:
    tx.grants.issue(grant, access_token)
    return _response(tx, grant, access_token)


def _response(tx: Transaction, grant: Grant, access_token: IssuedAccessToken) -> TokenResponse:
    refresh_token = tx.grants.refresh_token(grant, grant.generation)
    return TokenResponse(access_token.value, max(1, access_token.expires_at - tx.now), refresh_token, access_token.scope)


def _refuse(tx: Transaction, grant: Grant, request: RefreshRequest, reason: Reason) -> Refusal:
    tx.events.record(_event(EventName.TOKEN_REFUSED, grant, request, reason))
    return Refusal(ErrorCode.INVALID_GRANT, INVALID_REFRESH_TOKEN, reason)


def _refuse_reuse(tx: Transaction, grant: Grant, request: RefreshRequest, *, ends: bool) -> Refusal:
    reason = Reason.REFRESH_TOKEN_REUSED
    tx.events.record(_event(EventName.TOKEN_REUSED, grant, request, reason))
    if ends:
        tx.grants.end(grant)
        tx.events.record(_event(EventName.GRANT_ENDED, grant, request, reason))
    return Refusal(ErrorCode.INVALID_GRANT, INVALID_REFRESH_TOKEN, reason)


def _answered(decision: Answered, grant: Grant, request: RefreshRequest) -> Event:
    match decision:
        case Replay():
            return _event(EventName.TOKEN_REPLAYED, grant, request)
        case Heal():
            return _event(EventName.GRANT_HEALED, grant, request)
        case Rotate() | Keep() | HandOver():
            return _event(EventName.TOKEN_REFRESHED, grant, request)
        case _:
            assert_never(decision)


def _event(name: EventName, grant: Grant, request: RefreshRequest, reason: Reason | None = None) -> Event:
    return Event(name, grant.attempt, grant.client_id, grant.subject, grant.grant_id, reason, request.address)
