"""The authorization endpoint (RFC 6749 §4.1.1, §4.1.2): from a request to a code, with a person between."""

from dataclasses import dataclass, field, replace
from typing import Final

from alexa_oauth.protocol import pkce, redirect_uri, scope
from alexa_oauth.protocol.credentials import is_same, new_secret
from alexa_oauth.protocol.errors import ClockDoubtful, ErrorCode, Refusal, RequestRefused, missing_parameter
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import (
    SELF_TEST_SUBJECT,
    AuthorizationRequest,
    Client,
    Parameters,
    PendingRequest,
)
from alexa_oauth.protocol.policy import PENDING_SECONDS, Policy
from alexa_oauth.protocol.ports import Clients, Entropy, Transaction
from alexa_oauth.protocol.sign_in import SignedIn

RESPONSE_TYPES: Final = ("code",)
RESPONSE_MODES: Final = ("query",)

_ADDRESS_PARAMETERS: Final = frozenset({"client_id", "redirect_uri"})
_REQUEST_OBJECTS: Final = {
    "request": ErrorCode.REQUEST_NOT_SUPPORTED,
    "request_uri": ErrorCode.REQUEST_URI_NOT_SUPPORTED,
}


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """A redirect URI that is known to belong to the client. Whoever holds none cannot redirect (RFC 6749 §4.1.2.1)."""

    client: Client
    redirect_uri: str
    state: str | None = field(repr=False)
    issuer: str

    def with_code(self, code: str) -> str:
        """RFC 6749 §4.1.2 and RFC 9207 §2: the `Location` of a success."""
        return self._with({"code": code})

    def with_error(self, refusal: Refusal) -> str:
        """RFC 6749 §4.1.2.1: the `Location` of a refusal."""
        return self._with({"error": refusal.error.value, "error_description": refusal.description})

    def _with(self, parameters: dict[str, str]) -> str:
        state = {} if self.state is None else {"state": self.state}
        return redirect_uri.with_parameters(self.redirect_uri, {**parameters, **state, "iss": self.issuer})


@dataclass(frozen=True, slots=True)
class Visit:
    """The browser that brought an authorization request: where from, by which program, and the secret in its cookie."""

    attempt: str
    address: str
    user_agent: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an answer to the consent page says of its request; each part must fit."""

    request_id: str = field(repr=False)
    browser: str = field(repr=False)
    csrf: str = field(repr=False)


def locate(clients: Clients, parameters: Parameters, issuer: str) -> ReturnAddress:
    """Match client and redirect URI. A refusal here is shown on a page of our own and never redirected."""
    if unclear := _ADDRESS_PARAMETERS & (parameters.repeated | parameters.malformed):
        reason = Reason.PARAMETER_REPEATED if unclear & parameters.repeated else Reason.PARAMETER_MALFORMED
        raise RequestRefused(ErrorCode.INVALID_REQUEST, f"Unclear parameter: {min(unclear)}", reason)
    if (client_id := parameters.get("client_id")) is None:
        raise missing_parameter("client_id")
    if (client := clients.find(client_id)) is None:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "The client is not known here", Reason.CLIENT_UNKNOWN)
    if (uri := parameters.get("redirect_uri")) is None:
        raise missing_parameter("redirect_uri")
    if not redirect_uri.is_registered(client, uri):
        raise RequestRefused(
            ErrorCode.INVALID_REQUEST,
            "The redirect URI is not registered for this client",
            Reason.REDIRECT_URI_NOT_REGISTERED,
        )
    return ReturnAddress(client, uri, parameters.get("state"), issuer)


def check(address: ReturnAddress, parameters: Parameters) -> AuthorizationRequest:
    """Validate the rest of the request; a refusal goes back to the return address."""
    _check_form(parameters)
    _check_response_type(parameters.get("response_type"))
    _check_extensions(parameters)
    granted, dropped = scope.choose(parameters.get("scope"), address.client.scopes)
    challenge = pkce.check_challenge(
        parameters.get("code_challenge"),
        parameters.get("code_challenge_method"),
        required=address.client.requires_pkce,
    )
    return AuthorizationRequest(address.client.client_id, address.redirect_uri, granted, dropped, address.state, challenge)


def begin(tx: Transaction, request: AuthorizationRequest, visit: Visit, entropy: Entropy) -> PendingRequest:
    """Keep the request until a person answers it."""
    pending = _pending(tx.now, request, visit, entropy)
    tx.authorizations.add(pending)
    tx.events.record(_requested(pending))
    return pending


def approve_self_test(tx: Transaction, request: AuthorizationRequest, visit: Visit, policy: Policy, entropy: Entropy) -> str:
    """The code of a request that needs no person: a self-test whose conditions the endpoint has checked."""
    pending = _pending(tx.now, request, visit, entropy)
    tx.events.record(_requested(pending))
    return _issue_code(tx, pending, SELF_TEST_SUBJECT, policy, entropy)


def find_claimed(tx: Transaction, claim: Claim) -> PendingRequest:
    """The pending request that an answer belongs to; a refusal is shown on a page of our own.

    Whose cookie or CSRF value does not fit is told nothing but that, and the request stays for its own browser.
    """
    pending = tx.authorizations.find(claim.request_id)
    if pending is None:
        raise _unclaimed("This request is not known, or was answered already", Reason.REQUEST_UNKNOWN)
    if not is_same(pending.browser, claim.browser):
        raise _unclaimed("This request was begun in another browser", Reason.BROWSER_MISMATCH).about(attempt=pending.attempt)
    if not is_same(pending.csrf, claim.csrf):
        raise _unclaimed("This page is not the one that was shown", Reason.CSRF_MISMATCH).about(attempt=pending.attempt)
    check_age(tx, pending)
    return pending


def check_age(tx: Transaction, pending: PendingRequest) -> None:
    """Refuse a request that waited too long."""
    if tx.now >= pending.expires_at:
        if tx.instant.doubtful:
            raise ClockDoubtful
        raise _unclaimed("This request has expired", Reason.REQUEST_EXPIRED).about(attempt=pending.attempt)


def return_address(clients: Clients, pending: PendingRequest, issuer: str) -> ReturnAddress:
    """Where the answer goes, judged anew: the client may have changed since the page was shown."""
    request = pending.request
    values = {"client_id": request.client_id, "redirect_uri": request.redirect_uri, "state": request.state or ""}
    return locate(clients, Parameters({name: value for name, value in values.items() if value}), issuer)


def approve(tx: Transaction, claim: Claim, person: SignedIn, policy: Policy, entropy: Entropy) -> str:
    """The `Location` that carries the code, once a person has signed in and approved."""
    pending = find_claimed(tx, claim)
    address = return_address(tx.clients, pending, policy.issuer)
    if not person.settle(tx):
        raise _unclaimed("The proof was used up meanwhile", Reason.SIGN_IN_WRONG)
    let_in = {"sign_in": person.way} if person.way else {}
    tx.events.record(replace(_event(EventName.CONSENT_APPROVED, pending, person.subject), detail=let_in))
    return address.with_code(_issue_code(tx, pending, person.subject, policy, entropy))


def deny(tx: Transaction, claim: Claim, policy: Policy) -> str:
    """The `Location` that says `access_denied`; the request is over."""
    pending = find_claimed(tx, claim)
    address = return_address(tx.clients, pending, policy.issuer)
    tx.authorizations.drop(pending.request_id)
    tx.events.record(_event(EventName.CONSENT_DENIED, pending, None, Reason.PERSON_DENIED))
    return address.with_error(Refusal(ErrorCode.ACCESS_DENIED, "The request was denied", Reason.PERSON_DENIED))


def give_up(tx: Transaction, pending: PendingRequest) -> None:
    """End a request at which too many wrong sign-ins were tried."""
    tx.authorizations.drop(pending.request_id)
    tx.events.record(_event(EventName.SIGN_IN_FAILED, pending, None, Reason.SIGN_IN_EXHAUSTED))


def _check_form(parameters: Parameters) -> None:
    if parameters.repeated:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "A parameter is repeated", Reason.PARAMETER_REPEATED)
    if parameters.malformed:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "A parameter cannot be read", Reason.PARAMETER_MALFORMED)


def _check_response_type(response_type: str | None) -> None:
    if response_type is None:
        raise missing_parameter("response_type")
    if response_type not in RESPONSE_TYPES:
        raise RequestRefused(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, "response_type must be code", Reason.RESPONSE_TYPE_UNSUPPORTED)


def _check_extensions(parameters: Parameters) -> None:
    """What other specifications add and this server does not offer; the rest of the unknown is ignored (RFC 6749 §3.1)."""
    for name, error in _REQUEST_OBJECTS.items():
        if parameters.get(name) is not None:
            raise RequestRefused(error, f"The parameter {name} is not offered", Reason.REQUEST_OBJECT_UNSUPPORTED)
    if parameters.get("response_mode") not in {None, *RESPONSE_MODES}:
        raise RequestRefused(ErrorCode.INVALID_REQUEST, "response_mode must be query", Reason.RESPONSE_MODE_UNSUPPORTED)
    if "none" in (parameters.get("prompt") or "").split(" "):
        raise RequestRefused(ErrorCode.LOGIN_REQUIRED, "A person must sign in", Reason.PROMPT_NONE)


def _pending(now: int, request: AuthorizationRequest, visit: Visit, entropy: Entropy) -> PendingRequest:
    return PendingRequest(
        request_id=new_secret(entropy),
        browser=visit.browser,
        csrf=new_secret(entropy),
        request=request,
        attempt=visit.attempt,
        address=visit.address,
        user_agent=visit.user_agent,
        created_at=now,
        expires_at=now + PENDING_SECONDS,
    )


def _issue_code(tx: Transaction, pending: PendingRequest, subject: str, policy: Policy, entropy: Entropy) -> str:
    code = new_secret(entropy)
    tx.authorizations.fulfil(pending, code, subject, tx.now + policy.code_seconds)
    tx.events.record(_event(EventName.CODE_ISSUED, pending, subject))
    return code


def _requested(pending: PendingRequest) -> Event:
    """What was asked; of `state`, which comes back as it is, the length alone."""
    request = pending.request
    detail = {
        "redirect_uri": request.redirect_uri,
        "scope": " ".join(request.scope),
        "pkce": "yes" if request.code_challenge else "no",
        "echo_characters": str(len(request.state or "")),
        "user_agent": pending.user_agent,
    }
    if request.dropped_scope:
        detail["dropped_scope"] = " ".join(request.dropped_scope)
    return Event(EventName.AUTHORIZE_REQUEST, pending.attempt, request.client_id, address=pending.address, detail=detail)


def _event(name: EventName, pending: PendingRequest, subject: str | None, reason: Reason | None = None) -> Event:
    return Event(name, pending.attempt, pending.request.client_id, subject, reason=reason, address=pending.address)


def _unclaimed(description: str, reason: Reason) -> RequestRefused:
    return RequestRefused(ErrorCode.ACCESS_DENIED, description, reason)
