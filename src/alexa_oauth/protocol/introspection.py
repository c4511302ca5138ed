"""What a token is worth: introspection (RFC 7662) and bearer use (RFC 6750)."""

import hmac
from dataclasses import dataclass
from typing import Final

from alexa_oauth.protocol.errors import ClockDoubtful
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.models import SELF_TEST_SUBJECT, AccessToken, KeyAge, Scope
from alexa_oauth.protocol.policy import Policy
from alexa_oauth.protocol.ports import Transaction

INACTIVE: Final[dict[str, object]] = {"active": False}


@dataclass(frozen=True, slots=True)
class BearerRefused:
    """RFC 6750 §3.1; `insufficient_scope` apart, every fault is `invalid_token` and tells nothing more."""

    insufficient_scope: bool = False


def introspect(tx: Transaction, token: str, policy: Policy) -> dict[str, object]:
    """RFC 7662 §2.2. Anything not live is exactly `INACTIVE`, a spent refresh token in its window too."""
    access_token = find_live_access_token(tx, token)
    if access_token is not None:
        return {
            **_described(access_token.client_id, access_token.subject, access_token.scope, policy),
            "token_type": "Bearer",
            "iat": access_token.issued_at,
            "exp": access_token.expires_at,
        }
    return _introspect_refresh_token(tx, token, policy)


def find_live_access_token(tx: Transaction, token: str) -> AccessToken | None:
    """The access token, if it is good now. `ClockDoubtful` where its age alone speaks against it and is not certain."""
    access_token = tx.grants.find_access_token(token)
    if access_token is None or tx.now < access_token.expires_at:
        return access_token
    if tx.instant.doubtful:
        raise ClockDoubtful
    return None


def check_bearer(tx: Transaction, token: str, asked: Scope) -> AccessToken | BearerRefused:
    """Judge a bearer token at a resource that asks for some scope."""
    access_token = find_live_access_token(tx, token)
    if access_token is None or access_token.subject == SELF_TEST_SUBJECT:
        return BearerRefused()
    return access_token if set(asked) <= set(access_token.scope) else BearerRefused(insufficient_scope=True)


def note_first_use(tx: Transaction, access_token: AccessToken) -> None:
    """A token that reached a resource has reached its client: the windows for lost answers close, as profiles say."""
    if tx.grants.mark_access_token_used(access_token):
        tx.events.record(
            Event(
                EventName.TOKEN_USED,
                client_id=access_token.client_id,
                subject=access_token.subject,
                grant_id=access_token.grant_id,
            )
        )


def _introspect_refresh_token(tx: Transaction, token: str, policy: Policy) -> dict[str, object]:
    presented = tx.grants.read_refresh_token(token)
    grant = tx.grants.find(presented.grant_id) if presented is not None else None
    if presented is None or grant is None or not hmac.compare_digest(grant.seed, presented.seed):
        return INACTIVE
    if not grant.is_live(tx.now) or presented.generation != grant.generation or presented.key_age is KeyAge.RETIRED:
        return INACTIVE
    described = {**_described(grant.client_id, grant.subject, grant.scope, policy), "iat": grant.rotated_at}
    if not policy.refresh_token_seconds:
        return described
    expires_at = grant.last_used_at + policy.refresh_token_seconds
    if tx.now > expires_at:
        if tx.instant.doubtful:
            raise ClockDoubtful
        return INACTIVE
    return {**described, "exp": expires_at}


def _described(client_id: str, subject: str, scope: Scope, policy: Policy) -> dict[str, object]:
    return {"active": True, "scope": " ".join(scope), "client_id": client_id, "sub": subject, "iss": policy.issuer}
