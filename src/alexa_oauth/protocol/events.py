"""The closed list of what can happen and why: one vocabulary for log, audit trail and panel."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final


class EventName(StrEnum):
    """What happened. Events of one link attempt share its attempt id."""

    AUTHORIZE_REQUEST = "authorize.request"
    AUTHORIZE_REFUSED = "authorize.refused"
    CONSENT_SHOWN = "consent.shown"
    CONSENT_APPROVED = "consent.approved"
    CONSENT_DENIED = "consent.denied"
    CONSENT_REFUSED = "consent.refused"
    SIGN_IN_SENT = "sign_in.sent"
    SIGN_IN_SUCCEEDED = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    CODE_ISSUED = "code.issued"
    TOKEN_ISSUED = "token.issued"
    TOKEN_REFRESHED = "token.refreshed"
    TOKEN_REPLAYED = "token.replayed"
    TOKEN_REFUSED = "token.refused"
    TOKEN_REUSED = "token.reused"
    TOKEN_USED = "token.used"
    TOKEN_REVOKED = "token.revoked"
    GRANT_HEALED = "grant.healed"
    GRANT_ENDED = "grant.ended"
    INTROSPECTION_REFUSED = "introspection.refused"
    REVOCATION_REFUSED = "revocation.refused"
    CLIENT_SECRET_CHANGED = "client.secret_changed"
    REQUEST_MISDIRECTED = "request.misdirected"
    BUTTON_ARMED = "button.armed"
    BUTTON_ALLOWED = "button.allowed"
    BUTTON_RELEASED = "button.released"
    PROXY_UNKNOWN = "proxy.unknown"
    CLOCK_DOUBTED = "clock.doubted"
    CLOCK_CONFIRMED = "clock.confirmed"
    DATABASE_ADOPTED = "database.adopted"
    LINKING_STARTED = "linking.started"
    LINKS_REVIEWED = "links.reviewed"
    VENDOR_ID_ADDED = "vendor_id.added"
    CLIENT_SECRET_SHOWN = "client.secret_shown"
    ADMINISTRATOR_ADDED = "administrator.added"
    ADMINISTRATOR_REMOVED = "administrator.removed"
    BACKUP_MADE = "backup.made"
    BACKUP_FAILED = "backup.failed"
    BACKUP_RESTORED = "backup.restored"
    KEY_ROTATED = "key.rotated"
    KEY_RETIRED = "key.retired"
    KEY_DROPPED = "key.dropped"
    ACCOUNT_CONFIRMED = "account.confirmed"
    ACCOUNT_WITHDRAWN = "account.withdrawn"


EVENTS_OF_GRANTS: Final = frozenset(
    {
        EventName.CONSENT_APPROVED,
        EventName.CODE_ISSUED,
        EventName.TOKEN_ISSUED,
        EventName.TOKEN_REFRESHED,
        EventName.TOKEN_REPLAYED,
        EventName.TOKEN_REUSED,
        EventName.TOKEN_USED,
        EventName.TOKEN_REVOKED,
        EventName.GRANT_HEALED,
        EventName.GRANT_ENDED,
        EventName.CLIENT_SECRET_CHANGED,
        EventName.LINKING_STARTED,
        EventName.DATABASE_ADOPTED,
        EventName.LINKS_REVIEWED,
        EventName.VENDOR_ID_ADDED,
        EventName.CLIENT_SECRET_SHOWN,
        EventName.ADMINISTRATOR_ADDED,
        EventName.ADMINISTRATOR_REMOVED,
        EventName.BACKUP_MADE,
        EventName.BACKUP_RESTORED,
        EventName.KEY_ROTATED,
        EventName.KEY_RETIRED,
        EventName.KEY_DROPPED,
        EventName.BUTTON_ARMED,
        EventName.BUTTON_ALLOWED,
        EventName.BUTTON_RELEASED,
        EventName.ACCOUNT_CONFIRMED,
        EventName.ACCOUNT_WITHDRAWN,
    }
)
"""Kept for 400 days, as is what administrators did. All others are bounded in number, since strangers can cause them."""


class Reason(StrEnum):
    """Why a request was refused or a grant ended: for our operator, never for the caller."""

    # what was sent
    PARAMETER_MISSING = "parameter_missing"
    PARAMETER_REPEATED = "parameter_repeated"
    PARAMETER_MALFORMED = "parameter_malformed"
    PARAMETERS_IN_TWO_PLACES = "parameters_in_two_places"
    BODY_UNREADABLE = "body_unreadable"
    METHOD_WRONG = "method_wrong"
    PATH_UNKNOWN = "path_unknown"
    # authorization request
    PUBLIC_URL_UNSET = "public_url_unset"
    CLIENT_UNKNOWN = "client_unknown"
    REDIRECT_URI_NOT_REGISTERED = "redirect_uri_not_registered"
    RESPONSE_TYPE_UNSUPPORTED = "response_type_unsupported"
    RESPONSE_MODE_UNSUPPORTED = "response_mode_unsupported"
    REQUEST_OBJECT_UNSUPPORTED = "request_object_unsupported"
    PROMPT_NONE = "prompt_none"
    SCOPE_UNKNOWN = "scope_unknown"
    SCOPE_MALFORMED = "scope_malformed"
    CHALLENGE_MISSING = "challenge_missing"
    CHALLENGE_METHOD_UNSUPPORTED = "challenge_method_unsupported"
    CHALLENGE_MALFORMED = "challenge_malformed"
    # consent and sign-in
    REQUEST_UNKNOWN = "request_unknown"
    REQUEST_EXPIRED = "request_expired"
    BROWSER_MISMATCH = "browser_mismatch"
    CSRF_MISMATCH = "csrf_mismatch"
    ORIGIN_FOREIGN = "origin_foreign"
    PERSON_DENIED = "person_denied"
    SIGN_IN_WRONG = "sign_in_wrong"
    SIGN_IN_EXHAUSTED = "sign_in_exhausted"
    SIGN_IN_CROWDED = "sign_in_crowded"
    SIGN_IN_OVER = "sign_in_over"
    SIGN_IN_UNAVAILABLE = "sign_in_unavailable"
    ACCOUNT_REFUSED = "account_refused"
    NOT_AN_APPROVER = "not_an_approver"
    ADMINISTRATOR_AWAITED = "administrator_awaited"
    # client authentication
    SECRET_MISSING = "secret_missing"
    SECRET_WRONG = "secret_wrong"
    SECRET_PADDED = "secret_padded"
    CREDENTIALS_MALFORMED = "credentials_malformed"
    CREDENTIALS_TWICE = "credentials_twice"
    ASSERTION_UNSUPPORTED = "assertion_unsupported"
    CLIENT_MAY_NOT_INTROSPECT = "client_may_not_introspect"
    # token request
    GRANT_TYPE_UNSUPPORTED = "grant_type_unsupported"
    CODE_UNKNOWN = "code_unknown"
    CODE_OF_ANOTHER_CLIENT = "code_of_another_client"
    CODE_USED = "code_used"
    CODE_EXPIRED = "code_expired"
    CODE_EXHAUSTED = "code_exhausted"
    REDIRECT_URI_DIFFERS = "redirect_uri_differs"
    VERIFIER_MISSING = "verifier_missing"
    VERIFIER_WRONG = "verifier_wrong"
    VERIFIER_UNEXPECTED = "verifier_unexpected"
    REFRESH_TOKEN_UNKNOWN = "refresh_token_unknown"
    REFRESH_TOKEN_OF_ANOTHER_CLIENT = "refresh_token_of_another_client"
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    GRANT_NOT_LIVE = "grant_not_live"
    SCOPE_WIDER = "scope_wider"
    # inner state
    CLOCK_DOUBTFUL = "clock_doubtful"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    TOO_MANY_FAILURES = "too_many_failures"
    # why a grant ended
    CODE_REPLAYED = "code_replayed"
    REVOKED_BY_CLIENT = "revoked_by_client"
    REVOKED_BY_OPERATOR = "revoked_by_operator"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. The store adds the instant; `detail` holds facts for the operator, never a credential."""

    name: EventName
    attempt: str | None = None
    client_id: str | None = None
    subject: str | None = None
    grant_id: str | None = None
    reason: Reason | None = None
    address: str | None = None
    count: int = 1
    detail: Mapping[str, str] = field(default_factory=dict)

    def of(self, attempt: str, client_id: str, subject: str | None = None) -> "Event":
        """This event as one of the named attempt."""
        return replace(self, attempt=attempt, client_id=client_id, subject=subject)

    def by(self, subject: str) -> "Event":
        """This event as that person's doing, where they are not its own subject."""
        return replace(self, detail={**self.detail, "by": subject})
