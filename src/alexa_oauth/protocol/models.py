"""The records that the rules read and return. Instants are integers, seconds since 1970.

What could be misused is left out of a record's `repr`, since that may end up in the text of an exception.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Scope = tuple[str, ...]
"""Scope tokens in the order in which they were granted (RFC 6749 §3.3)."""

SELF_TEST_SUBJECT: Final = "self-test"
"""Subject of grants that `auto_approve` makes; `/alexa/verify` refuses them."""

LOCAL_SUBJECT: Final = "local"
"""Subject of an approval that no named account stands behind, such as a pairing code read off the terminal."""


class ClientType(StrEnum):
    """RFC 6749 §2.1."""

    PUBLIC = "public"
    CONFIDENTIAL = "confidential"


class PkceRule(StrEnum):
    """Whether a client's authorization requests must carry a `code_challenge` (RFC 7636)."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class RefreshProfile(StrEnum):
    """What happens to a refresh token when it is used; `refresh.py` says what each profile does."""

    OVERLAP = "overlap"
    STRICT_WINDOW = "strict_window"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client (RFC 6749 §2). `secret_digests` are SHA-256 digests, held in memory only."""

    client_id: str
    client_type: ClientType
    redirect_uris: tuple[str, ...]
    name: str
    scopes: Scope
    pkce: PkceRule
    refresh: RefreshProfile
    introspect: bool = False
    auto_approve: bool = False
    secret_digests: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret, so that PKCE stands in for one."""
        return self.client_type is ClientType.PUBLIC

    @property
    def requires_pkce(self) -> bool:
        """A public client always does (RFC 9700 §2.1.1)."""
        return self.is_public or self.pkce is PkceRule.REQUIRED


@dataclass(frozen=True, slots=True)
class Instant:
    """What the clock says for one transaction.

    `now` runs evenly: a step of the wall clock does not move it. `running_since` is the instant at which this run of the
    clock began; what lies before it was measured by another run. `doubtful` means that nothing may be refused for age.
    """

    now: int
    running_since: int
    doubtful: bool = False

    def elapsed_since(self, at: int) -> int:
        """Seconds of running time since `at`; a window that was open at a restart begins anew there."""
        begun = at if self.running_since <= at <= self.now else self.running_since
        return self.now - begun


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A validated authorization request (RFC 6749 §4.1.1), ready to be shown to a person."""

    client_id: str
    redirect_uri: str
    scope: Scope
    dropped_scope: Scope
    state: str | None = field(repr=False)
    code_challenge: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has signed in: `subject` is whom a grant belongs to, `name` how their own service calls them.

    `is_confirmed` is false while an administrator has yet to say that this person may approve.
    """

    subject: str
    name: str
    is_confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Departure:
    """A browser on its way to the sign-in page of another service.

    `way` is the value of the setting `sign_in`. `state` finds the request when the browser comes back (RFC 6749 §10.12);
    `verifier` is PKCE's, `None` if the service knows no PKCE. `is_over` once the browser came back.
    """

    way: str
    state: str = field(repr=False)
    verifier: str | None = field(repr=False)
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """An authorization request that waits for a person's approval, bound to the browser that began it.

    `person` has signed in already, so that the click alone is missing.
    """

    request_id: str = field(repr=False)
    browser: str = field(repr=False)
    csrf: str = field(repr=False)
    request: AuthorizationRequest
    attempt: str
    address: str
    user_agent: str
    created_at: int
    expires_at: int
    departure: Departure | None = None
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """A pending request as it is listed for people; `of_address` is how many wait from its address, it included."""

    pending: PendingRequest
    of_address: int


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """An authorization code as the store knows it; the code itself is not kept."""

    digest: bytes
    client_id: str
    redirect_uri: str
    scope: Scope
    code_challenge: str | None = field(repr=False)
    subject: str
    attempt: str
    issued_at: int
    expires_at: int
    used_at: int | None = None
    grant_id: str | None = None
    wrong_verifiers: int = 0


class KeyAge(StrEnum):
    """Where the data key stands that a refresh token was made with."""

    CURRENT = "current"
    FORMER = "former"
    """Replaced, but living grants may still have their head under it."""
    RETIRED = "retired"
    """No living head is under it: it tells spent tokens from made-up ones, and makes nothing good."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One subject's standing permission for one client; pages call it a link.

    `generation` counts the refresh tokens issued so far, so it names the head. `rotated_at` is when the head was issued,
    `rotated_profile` the profile under which its predecessor was replaced, `None` while there is no predecessor.
    `on_former_key`: the data keys were rotated since the head was made, so that its next use must replace it.
    """

    grant_id: str
    client_id: str
    subject: str
    scope: Scope
    seed: bytes = field(repr=False)
    attempt: str
    created_at: int
    generation: int
    rotated_at: int
    rotated_profile: RefreshProfile | None
    head_used_at: int | None
    first_used_at: int | None
    last_used_at: int
    ends_at: int | None = None
    ended_at: int | None = None
    on_former_key: bool = field(default=False, compare=False)

    def is_live(self, now: int) -> bool:
        """Whether it was neither ended nor has reached its fixed end; disuse is judged elsewhere."""
        return self.ended_at is None and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """What a genuine refresh token says of itself, and which key made it."""

    grant_id: str
    generation: int
    seed: bytes = field(repr=False)
    key_id: str = field(default="", compare=False)
    key_age: KeyAge = field(default=KeyAge.CURRENT, compare=False)


@dataclass(frozen=True, slots=True)
class IssuedAccessToken:
    """An access token on its way to the client: the only record that holds one in clear."""

    value: str = field(repr=False)
    scope: Scope
    expires_at: int


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token as the store knows it, with what its grant says."""

    digest: bytes
    grant_id: str
    client_id: str
    subject: str
    scope: Scope
    generation: int
    issued_at: int
    expires_at: int
    used_at: int | None


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A successful token response (RFC 6749 §5.1); `expires_in` in seconds."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str = field(repr=False)
    scope: Scope


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who opened the panel inside Home Assistant. `name` is what Home Assistant calls them."""

    subject: str
    name: str
    is_administrator: bool


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request, as strictly read: empty ones are absent (RFC 6749 §3.1).

    `repeated` and `malformed` name those that cannot be believed; they stand in no value.
    """

    values: Mapping[str, str] = field(repr=False)
    repeated: frozenset[str] = frozenset()
    malformed: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """The value, or `None` if it is absent or cannot be believed."""
        return self.values.get(name)
