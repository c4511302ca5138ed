"""How a refusal is said: `error` to the client program, `error_description` to its developer, `reason` to our operator."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from alexa_oauth.protocol.events import Reason


class ErrorCode(StrEnum):
    """The `error` values of RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6 and RFC 8628 §3.5."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    INVALID_SCOPE = "invalid_scope"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    ACCESS_DENIED = "access_denied"
    LOGIN_REQUIRED = "login_required"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    SERVER_ERROR = "server_error"
    SLOW_DOWN = "slow_down"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request. Returned by a rule, it is remembered: what the rule wrote is kept.

    `attempt` and `client_id` are for our operator, where it is known whose request it was or claims to be.
    """

    error: ErrorCode
    description: str
    reason: Reason
    attempt: str | None = None
    client_id: str | None = None


class RequestRefused(Exception):
    """A refusal that leaves no trace in the database: whatever its transaction wrote is rolled back."""

    def __init__(self, error: ErrorCode, description: str, reason: Reason) -> None:
        """Carry the refusal to the endpoint, which alone knows how to say it."""
        super().__init__(reason)
        self.refusal = Refusal(error, description, reason)

    def about(self, *, attempt: str | None = None, client_id: str | None = None) -> Self:
        """The same, with whose request it was or claims to be."""
        self.refusal = replace(self.refusal, attempt=attempt, client_id=client_id)
        return self


class OwnCall(RequestRefused):
    """The doctor's call to its own server: refused as any other, but nobody need be told, since nobody did anything wrong."""


class StorageUnavailable(Exception):
    """Nothing was written, nothing was used up: the same request works later."""


class RowDamaged(Exception):
    """A payload does not open, or belongs to another row: it was damaged or moved, and must never be served.

    The message says which table it stands in, without a full stop.
    """


class StartRefused(Exception):
    """What is stored is in a state that no restart cures; the message is one line for the operator."""


class OptionsNotKept(Exception):
    """Home Assistant did not keep an option of the add-on; the message says why, without a full stop."""


class ClockDoubtful(Exception):
    """A credential looks too old, but the clock cannot be believed now; the same request works later."""


def missing_parameter(name: str) -> RequestRefused:
    """RFC 6749 §5.2 `invalid_request`, naming the absent parameter."""
    return RequestRefused(ErrorCode.INVALID_REQUEST, f"Missing required parameter: {name}", Reason.PARAMETER_MISSING)
