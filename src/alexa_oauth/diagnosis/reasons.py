"""Which cause stands behind a refusal's reason."""

from collections.abc import Mapping
from typing import Final

from alexa_oauth.diagnosis.causes import address, console, path, person, tokens
from alexa_oauth.diagnosis.causes.cause import Cause
from alexa_oauth.protocol.events import Reason

CAUSE_OF: Final[Mapping[Reason, Cause]] = {
    # what was sent
    Reason.PARAMETER_MISSING: console.REQUEST_MALFORMED,
    Reason.PARAMETER_REPEATED: console.REQUEST_MALFORMED,
    Reason.PARAMETER_MALFORMED: console.REQUEST_MALFORMED,
    Reason.PARAMETERS_IN_TWO_PLACES: console.REQUEST_MALFORMED,
    Reason.BODY_UNREADABLE: path.POST_CHANGED,
    Reason.METHOD_WRONG: console.ADDRESSES_SWAPPED,
    Reason.PATH_UNKNOWN: console.ADDRESSES_SWAPPED,
    # authorization request
    Reason.PUBLIC_URL_UNSET: address.PUBLIC_URL_UNSET,
    Reason.CLIENT_UNKNOWN: console.CLIENT_ID_WRONG,
    Reason.REDIRECT_URI_NOT_REGISTERED: console.REDIRECT_URI_FOREIGN,
    Reason.RESPONSE_TYPE_UNSUPPORTED: console.IMPLICIT_GRANT,
    Reason.RESPONSE_MODE_UNSUPPORTED: console.REQUEST_MALFORMED,
    Reason.REQUEST_OBJECT_UNSUPPORTED: console.REQUEST_MALFORMED,
    Reason.PROMPT_NONE: console.REQUEST_MALFORMED,
    Reason.SCOPE_UNKNOWN: console.SCOPE_REFUSED,
    Reason.SCOPE_MALFORMED: console.SCOPE_REFUSED,
    Reason.CHALLENGE_MISSING: console.PKCE_OFF,
    Reason.CHALLENGE_METHOD_UNSUPPORTED: console.PKCE_DISAGREES,
    Reason.CHALLENGE_MALFORMED: console.PKCE_DISAGREES,
    # consent and sign-in
    Reason.REQUEST_UNKNOWN: person.REQUEST_EXPIRED,
    Reason.REQUEST_EXPIRED: person.REQUEST_EXPIRED,
    Reason.BROWSER_MISMATCH: person.BROWSER_CHANGED,
    Reason.CSRF_MISMATCH: person.BROWSER_CHANGED,
    Reason.ORIGIN_FOREIGN: person.ORIGIN_FOREIGN,
    Reason.PERSON_DENIED: person.PERSON_DENIED,
    Reason.SIGN_IN_WRONG: person.SIGN_IN_FAILED,
    Reason.SIGN_IN_EXHAUSTED: person.SIGN_IN_FAILED,
    Reason.SIGN_IN_CROWDED: person.SIGN_IN_FAILED,
    Reason.SIGN_IN_OVER: person.REQUEST_EXPIRED,
    Reason.SIGN_IN_UNAVAILABLE: person.SIGN_IN_SERVICE_AWAY,
    Reason.ACCOUNT_REFUSED: person.NOT_AN_APPROVER,
    Reason.NOT_AN_APPROVER: person.NOT_AN_APPROVER,
    Reason.ADMINISTRATOR_AWAITED: person.ADMINISTRATOR_AWAITED,
    # client authentication
    Reason.SECRET_MISSING: console.CLIENT_SECRET_MISSING,
    Reason.SECRET_WRONG: console.CLIENT_SECRET_WRONG,
    Reason.SECRET_PADDED: console.CLIENT_SECRET_PADDED,
    Reason.CREDENTIALS_MALFORMED: console.CLIENT_AUTHENTICATION_SCHEME,
    Reason.CREDENTIALS_TWICE: console.CLIENT_AUTHENTICATION_SCHEME,
    Reason.ASSERTION_UNSUPPORTED: console.CLIENT_AUTHENTICATION_SCHEME,
    Reason.CLIENT_MAY_NOT_INTROSPECT: console.CLIENT_AUTHENTICATION_SCHEME,
    # token request
    Reason.GRANT_TYPE_UNSUPPORTED: console.REQUEST_MALFORMED,
    Reason.CODE_UNKNOWN: tokens.CODE_USED,
    Reason.CODE_OF_ANOTHER_CLIENT: tokens.CODE_NOT_FOR_THIS,
    Reason.CODE_USED: tokens.CODE_USED,
    Reason.CODE_EXPIRED: tokens.CODE_EXPIRED,
    Reason.CODE_EXHAUSTED: console.PKCE_DISAGREES,
    Reason.REDIRECT_URI_DIFFERS: tokens.CODE_NOT_FOR_THIS,
    Reason.VERIFIER_MISSING: console.PKCE_DISAGREES,
    Reason.VERIFIER_WRONG: console.PKCE_DISAGREES,
    Reason.VERIFIER_UNEXPECTED: console.PKCE_DISAGREES,
    Reason.REFRESH_TOKEN_UNKNOWN: tokens.REFRESH_TOKEN_UNKNOWN,
    Reason.REFRESH_TOKEN_OF_ANOTHER_CLIENT: tokens.CODE_NOT_FOR_THIS,
    Reason.REFRESH_TOKEN_EXPIRED: tokens.REFRESH_TOKEN_EXPIRED,
    Reason.REFRESH_TOKEN_REUSED: tokens.REFRESH_TOKEN_REUSED,
    Reason.GRANT_NOT_LIVE: tokens.LINK_ENDED,
    Reason.SCOPE_WIDER: console.SCOPE_REFUSED,
    # inner state
    Reason.CLOCK_DOUBTFUL: tokens.CLOCK_WRONG,
    Reason.STORAGE_UNAVAILABLE: tokens.STORAGE_UNAVAILABLE,
    Reason.TOO_MANY_FAILURES: tokens.TOO_MANY_FAILURES,
    # why a grant ended
    Reason.CODE_REPLAYED: tokens.CODE_USED,
    Reason.REVOKED_BY_CLIENT: tokens.LINK_ENDED,
    Reason.REVOKED_BY_OPERATOR: tokens.LINK_ENDED,
}
"""Every reason has its cause; where more than the reason is known, `attempts.py` looks closer."""

BEFORE_THE_CODE_IS_READ: Final = frozenset(
    {
        Reason.PARAMETER_MISSING,
        Reason.PARAMETER_REPEATED,
        Reason.PARAMETER_MALFORMED,
        Reason.BODY_UNREADABLE,
        Reason.METHOD_WRONG,
        Reason.PATH_UNKNOWN,
        Reason.CLIENT_UNKNOWN,
        Reason.SECRET_MISSING,
        Reason.SECRET_WRONG,
        Reason.SECRET_PADDED,
        Reason.CREDENTIALS_MALFORMED,
        Reason.CREDENTIALS_TWICE,
        Reason.ASSERTION_UNSUPPORTED,
        Reason.GRANT_TYPE_UNSUPPORTED,
        Reason.CODE_UNKNOWN,
        Reason.CLOCK_DOUBTFUL,
        Reason.STORAGE_UNAVAILABLE,
    }
)
"""Refusals of a token request that cannot say which attempt they belong to."""

TOKEN_REQUEST_CAUSES: Final[Mapping[Reason, Cause]] = {
    Reason.PARAMETER_MISSING: path.POST_CHANGED,
    Reason.PARAMETER_REPEATED: path.POST_CHANGED,
    Reason.PARAMETER_MALFORMED: path.POST_CHANGED,
    Reason.GRANT_TYPE_UNSUPPORTED: console.ADDRESSES_SWAPPED,
}
"""At the token endpoint Amazon's own servers call, which forget and repeat nothing."""
