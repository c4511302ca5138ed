"""The token endpoint's `authorization_code` grant (RFC 6749 §4.1.3): a code becomes a grant, once."""

from dataclasses import dataclass, field, replace
from typing import Final

from alexa_oauth.protocol import pkce, scope
from alexa_oauth.protocol.credentials import SEED_BYTES, new_grant_id
from alexa_oauth.protocol.errors import ClockDoubtful, ErrorCode, Refusal, RequestRefused, missing_parameter
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import (
    SELF_TEST_SUBJECT,
    AuthorizationCode,
    Client,
    Grant,
    Instant,
    IssuedAccessToken,
    Parameters,
    RefreshProfile,
    Scope,
    TokenResponse,
)
from alexa_oauth.protocol.policy import (
    CODE_REPLAY_GRACE_SECONDS,
    CODE_REPLAY_SECONDS,
    SELF_TEST_GRANT_SECONDS,
    WRONG_VERIFIER_LIMIT,
    Policy,
)
from alexa_oauth.protocol.ports import Entropy, Transaction

INVALID_CODE: Final = "Invalid or expired authorization code"
PKCE_FAILED: Final = "PKCE verification failed: code_verifier does not match code_challenge"


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """An access token request with a code; `address` is the caller's, `authentication` how it named itself (RFC 8414 §2)."""

    code: str = field(repr=False)
    redirect_uri: str
    code_verifier: str | None = field(repr=False)
    address: str
    authentication: str


def read_code_request(parameters: Parameters, address: str, authentication: str) -> CodeRequest:
    """RFC 6749 §4.1.3. `redirect_uri` is required, since every authorization request must have carried one."""
    if (code := parameters.get("code")) is None:
        raise missing_parameter("code")
    if (redirect_uri := parameters.get("redirect_uri")) is None:
        raise missing_parameter("redirect_uri")
    return CodeRequest(code, redirect_uri, parameters.get("code_verifier"), address, authentication)


def redeem(tx: Transaction, client: Client, request: CodeRequest, policy: Policy, entropy: Entropy) -> TokenResponse | Refusal:
    """Exchange a code, checked first and spent last: a wrong redirect URI does not burn an honest code.

    Raised: refusals of callers that hold no code of this client's. Returned: refusals that the audit trail keeps.
    """
    code = tx.authorizations.find_code(request.code)
    if code is None:
        raise RequestRefused(ErrorCode.INVALID_GRANT, INVALID_CODE, Reason.CODE_UNKNOWN)
    if code.client_id != client.client_id:
        return _refuse(tx, code, request, INVALID_CODE, Reason.CODE_OF_ANOTHER_CLIENT)
    if code.used_at is not None:
        return _redeem_again(tx, client, code, request, code.used_at)
    refusal = _judge(code, request, tx.instant)
    if refusal is not None:
        if refusal.reason is Reason.VERIFIER_WRONG:
            tx.authorizations.count_wrong_verifier(code)
        return _refuse(tx, code, request, refusal.description, refusal.reason)
    grant = _new_grant(tx.now, client, code, entropy)
    answer = _give(tx, grant, request.code, policy)
    tx.authorizations.mark_used(code, grant.grant_id)
    tx.events.record(_issued(code, grant, request))
    return answer


def issue_access_token(now: int, grant: Grant, granted: Scope, policy: Policy, value: str) -> IssuedAccessToken:
    """The access token `value`, of the policy's lifetime, or of what is left of its grant, if that is less."""
    expires_at = now + policy.access_token_seconds
    if grant.ends_at is not None:
        expires_at = min(expires_at, grant.ends_at)
    return IssuedAccessToken(value, granted, expires_at)


def _judge(code: AuthorizationCode, request: CodeRequest, instant: Instant) -> Refusal | None:
    if code.wrong_verifiers >= WRONG_VERIFIER_LIMIT:
        return _invalid(INVALID_CODE, Reason.CODE_EXHAUSTED)
    if instant.now >= code.expires_at:
        if instant.doubtful:
            raise ClockDoubtful
        return _invalid("Authorization code has expired", Reason.CODE_EXPIRED)
    return _judge_proof(code, request)


def _judge_proof(code: AuthorizationCode, request: CodeRequest) -> Refusal | None:
    """Whether the caller is the one that began the request: RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.8.2."""
    if request.redirect_uri != code.redirect_uri:
        return _invalid("redirect_uri does not match authorization request", Reason.REDIRECT_URI_DIFFERS)
    if code.code_challenge is None:
        if request.code_verifier is None:
            return None
        return _invalid(
            "PKCE verification failed: the authorization request carried no code_challenge", Reason.VERIFIER_UNEXPECTED
        )
    if request.code_verifier is None:
        return _invalid("PKCE verification failed: code_verifier is missing", Reason.VERIFIER_MISSING)
    if not pkce.is_verified(code.code_challenge, request.code_verifier):
        return _invalid(PKCE_FAILED, Reason.VERIFIER_WRONG)
    return None


def _redeem_again(
    tx: Transaction, client: Client, code: AuthorizationCode, request: CodeRequest, used_at: int
) -> TokenResponse | Refusal:
    """A used code. Alexa repeats an exchange whose answer was lost; anything later is theft (RFC 6749 §4.1.2).

    Only a fully valid replay may end the grant, so that who has merely seen the code cannot cut the link.
    """
    grant = tx.grants.find(code.grant_id) if code.grant_id else None
    if grant is None or not grant.is_live(tx.now) or _judge_proof(code, request) is not None:
        return _refuse(tx, code, request, INVALID_CODE, Reason.CODE_USED)
    elapsed = tx.instant.elapsed_since(used_at)
    overlap = client.refresh is RefreshProfile.OVERLAP
    if overlap and elapsed <= CODE_REPLAY_SECONDS and grant.first_used_at is None:
        answer = _give_again(tx, grant, request.code)
        if answer is not None:
            tx.events.record(_event(EventName.TOKEN_REPLAYED, code, request.address))
            return answer
    if elapsed > (CODE_REPLAY_SECONDS if overlap else CODE_REPLAY_GRACE_SECONDS):
        tx.grants.end(grant)
        tx.events.record(_event(EventName.GRANT_ENDED, code, request.address, Reason.CODE_REPLAYED))
    return _refuse(tx, code, request, INVALID_CODE, Reason.CODE_USED)


def _give(tx: Transaction, grant: Grant, code: str, policy: Policy) -> TokenResponse:
    """Both tokens follow from grant and code, so that nothing of the answer need be kept for who repeats the exchange."""
    access_token = issue_access_token(tx.now, grant, grant.scope, policy, tx.grants.first_access_token(grant, code))
    tx.grants.add(grant)
    tx.grants.issue(grant, access_token)
    refresh_token = tx.grants.refresh_token(grant, grant.generation)
    return TokenResponse(access_token.value, access_token.expires_at - tx.now, refresh_token, grant.scope)


def _give_again(tx: Transaction, grant: Grant, code: str) -> TokenResponse | None:
    """What `_give` answered, unless the access token was revoked since."""
    value = tx.grants.first_access_token(grant, code)
    issued = tx.grants.find_access_token(value)
    if issued is None:
        return None
    refresh_token = tx.grants.refresh_token(grant, grant.generation)
    return TokenResponse(value, max(1, issued.expires_at - tx.now), refresh_token, issued.scope)


def _new_grant(now: int, client: Client, code: AuthorizationCode, entropy: Entropy) -> Grant:
    return Grant(
        grant_id=new_grant_id(entropy),
        client_id=client.client_id,
        subject=code.subject,
        scope=scope.narrow(None, code.scope, client.scopes),
        seed=entropy(SEED_BYTES),
        attempt=code.attempt,
        created_at=now,
        generation=1,
        rotated_at=now,
        rotated_profile=None,
        head_used_at=None,
        first_used_at=None,
        last_used_at=now,
        ends_at=now + SELF_TEST_GRANT_SECONDS if code.subject == SELF_TEST_SUBJECT else None,
    )


def _invalid(description: str, reason: Reason) -> Refusal:
    return Refusal(ErrorCode.INVALID_GRANT, description, reason)


def _refuse(tx: Transaction, code: AuthorizationCode, request: CodeRequest, description: str, reason: Reason) -> Refusal:
    tx.events.record(_event(EventName.TOKEN_REFUSED, code, request.address, reason))
    return _invalid(description, reason)


def _issued(code: AuthorizationCode, grant: Grant, request: CodeRequest) -> Event:
    event = _event(EventName.TOKEN_ISSUED, code, None)
    return replace(event, grant_id=grant.grant_id, detail={"authentication": request.authentication})


def _event(name: EventName, code: AuthorizationCode, address: str | None, reason: Reason | None = None) -> Event:
    return Event(name, code.attempt, code.client_id, code.subject, code.grant_id, reason, address)
