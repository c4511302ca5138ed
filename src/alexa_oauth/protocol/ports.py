"""What the rules ask of the store, and of chance.

Verbs are named after what happens; not found is `None`. `tests/storage/contract.py` is the suite of promises that any store
must keep.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.models import (
    AccessToken,
    AuthorizationCode,
    Client,
    Departure,
    Grant,
    Instant,
    IssuedAccessToken,
    PendingRequest,
    Person,
    PresentedRefreshToken,
    RefreshProfile,
    Resident,
    WaitingRequest,
)

Outcome = TypeVar("Outcome")

Entropy = Callable[[int], bytes]
"""So many unpredictable bytes."""


class Clients(Protocol):
    """The registered clients."""

    def find(self, client_id: str) -> Client | None:
        """The client of that id."""

    def ensure_secret(self, client_id: str, fresh: str) -> None:
        """Give the client its first secret; one that it has already stays."""

    def show_secret(self, client_id: str) -> str | None:
        """The secret that was made here, in clear, for whoever sets up the client."""

    def replace_secret(self, client_id: str, fresh: str, *, at_once: bool) -> None:
        """Change the secret; unless `at_once`, the former one stays good for some days."""

    def add_vendor_id(self, vendor_id: str) -> None:
        """Keep a developer account beside those of the settings."""

    def vendor_ids(self) -> tuple[str, ...]:
        """The developer accounts that are kept here."""


class Authorizations(Protocol):
    """Authorization requests that wait for a person, and the codes that come of them."""

    def add(self, pending: PendingRequest) -> None:
        """Keep a request; beyond `PENDING_LIMIT` the oldest of the busiest address goes first."""

    def find(self, request_id: str) -> PendingRequest | None:
        """The pending request of that id, its age not judged."""

    def find_waiting(self, attempt: str) -> PendingRequest | None:
        """The pending request of that attempt, unless it is too old."""

    def waiting(self, limit: int) -> tuple[WaitingRequest, ...]:
        """Those that wait, newest first, at most `WAITING_PER_ADDRESS` of an address, so that no flood hides the others."""

    def count_waiting(self) -> int:
        """How many wait; those that are too old do not."""

    def find_departed(self, state: str) -> PendingRequest | None:
        """The pending request whose browser was sent to another service with that `state`, come back or not."""

    def note_departure(self, pending: PendingRequest, departure: Departure) -> PendingRequest:
        """Keep where the browser went, and that it came back; an earlier departure of the request is forgotten."""

    def remember_person(self, pending: PendingRequest, person: Person) -> PendingRequest:
        """Keep who has signed in, in place of whoever did before."""

    def drop(self, request_id: str) -> None:
        """Forget a request that was denied or guessed at too often."""

    def fulfil(self, pending: PendingRequest, code: str, subject: str, expires_at: int) -> None:
        """Turn a pending request into a code; beyond `CODES_PER_SUBJECT` the oldest unredeemed one goes first."""

    def find_code(self, code: str) -> AuthorizationCode | None:
        """The code, used or not, its age not judged."""

    def mark_used(self, code: AuthorizationCode, grant_id: str) -> None:
        """Spend the code; it knows what became of it."""

    def count_wrong_verifier(self, code: AuthorizationCode) -> None:
        """Remember one more wrong verifier."""


class Grants(Protocol):
    """Grants, their generations of refresh tokens, and their access tokens."""

    def find(self, grant_id: str) -> Grant | None:
        """The grant, ended or not."""

    def add(self, grant: Grant) -> None:
        """Begin a grant."""

    def refresh_token(self, grant: Grant, generation: int) -> str:
        """The refresh token of that generation: always the same one."""

    def first_access_token(self, grant: Grant, code: str) -> str:
        """The access token that the code is redeemed for: always the same one, and nobody else can tell it from the code."""

    def read_refresh_token(self, value: str) -> PresentedRefreshToken | None:
        """What the token says of itself if this server made it; needs no look-up."""

    def rotate(self, grant: Grant, profile: RefreshProfile, access_token: IssuedAccessToken) -> None:
        """Make the next generation the head and this use the newest; the access token is kept sealed for the window."""

    def use_head(self, grant: Grant) -> None:
        """Note a use of the head, which stays."""

    def use_predecessor(self, grant: Grant) -> None:
        """Note a use of the predecessor, which closes nothing."""

    def heal(self, grant: Grant, presented: PresentedRefreshToken, profile: RefreshProfile) -> Grant:
        """Move a restored grant forward to a token that it issued before; the grant as it then is."""

    def end(self, grant: Grant) -> None:
        """End the grant; its access tokens are dead at once, the answer kept for a retry forgotten."""

    def issue(self, grant: Grant, access_token: IssuedAccessToken) -> None:
        """Keep an access token; beyond `ACCESS_TOKENS_PER_GRANT` the oldest of the grant goes first."""

    def find_window_answer(self, grant: Grant) -> IssuedAccessToken | None:
        """The access token of the last rotation, while it is kept and still live."""

    def find_access_token(self, value: str) -> AccessToken | None:
        """The access token if its grant is live, its own age not judged."""

    def mark_access_token_used(self, access_token: AccessToken) -> bool:
        """Note the first use; whether it was the first. May close the predecessor, as the profile says."""

    def drop_access_token(self, access_token: AccessToken) -> None:
        """Revoke one access token; its grant stays."""

    def settle_instants(self, now: int, shift: int) -> None:
        """Put instants right when the clock is believed again, from `now` on (`protocol.clock.Settlement`).

        Uses in doubt count from `now`, earlier ones are moved forward by `shift`, what lies ahead of `now` is brought back.
        """


class PairingCodes(Protocol):
    """The short one-time codes that a person reads off the panel or the terminal."""

    def current(self, subject: str, fresh: str) -> tuple[str, int]:
        """The subject's code and the instant at which it ends; `fresh` becomes it if there is none."""

    def find(self, code: str) -> str | None:
        """The subject that the code was shown to, or `None` for a wrong or old code."""

    def spend(self, code: str) -> str | None:
        """Use the code up; the subject that it was shown to, or `None` for a wrong or old code."""


class AdminLinks(Protocol):
    """One-time links that open the panel."""

    def add(self, link: str, expires_at: int) -> None:
        """Keep a link until it is used or too old."""

    def spend(self, link: str) -> bool:
        """Use the link up; whether it was good."""


class People(Protocol):
    """Who opened the panel inside Home Assistant, and who of them administers it."""

    def find(self, subject: str) -> Resident | None:
        """The person of that subject."""

    def known(self) -> tuple[Resident, ...]:
        """Everybody, by name."""

    def remember(self, subject: str, name: str) -> None:
        """Keep the person, or the name that they have now."""

    def appoint(self, subject: str) -> None:
        """Make a known person an administrator."""

    def dismiss(self, subject: str) -> None:
        """Let an administrator be one no longer."""


class Accounts(Protocol):
    """Accounts of other services that an administrator let in."""

    def is_confirmed(self, subject: str) -> bool:
        """Whether the account of that subject was let in."""

    def confirmed(self) -> tuple[Person, ...]:
        """Everybody who was let in, in that order."""

    def confirm(self, person: Person) -> None:
        """Let the account in from now on."""

    def forget(self, subject: str) -> bool:
        """Let the account in no longer; false if it was not."""


class ActivityCounts(Protocol):
    """How busy the server is, hour by hour (`protocol.activity`)."""

    def add(self, counts: Mapping[str, int]) -> None:
        """Add to the present hour's counts."""


class Events(Protocol):
    """The audit trail."""

    def record(self, event: Event) -> None:
        """Write the event with this transaction; after the commit it becomes a log line."""

    def record_told(self, event: Event) -> None:
        """Write an event that was logged and counted as it happened; the commit tells of it no more."""


class Transaction(Protocol):
    """Everything that one request reads and writes, at one instant."""

    @property
    def instant(self) -> Instant:
        """The one instant of this transaction."""

    @property
    def now(self) -> int:
        """`instant.now`."""

    @property
    def clients(self) -> Clients:
        """The registered clients."""

    @property
    def authorizations(self) -> Authorizations:
        """Pending requests and codes."""

    @property
    def grants(self) -> Grants:
        """Grants and tokens."""

    @property
    def pairing_codes(self) -> PairingCodes:
        """One-time codes for sign-in."""

    @property
    def admin_links(self) -> AdminLinks:
        """One-time links to the panel."""

    @property
    def people(self) -> People:
        """Who opened the panel."""

    @property
    def accounts(self) -> Accounts:
        """Whom an administrator let in."""

    @property
    def activity(self) -> ActivityCounts:
        """How busy the server is."""

    @property
    def events(self) -> Events:
        """The audit trail."""


class Store(Protocol):
    """Where the rows are."""

    async def write(self, rule: Callable[[Transaction], Outcome]) -> Outcome:
        """Run the rule in a transaction of its own and return its outcome after the commit.

        An exception of the rule rolls its changes back. `StorageUnavailable`: nothing was changed.
        """

    def read(self, rule: Callable[[Transaction], Outcome]) -> Outcome:
        """Run a rule that only reads, at once, on what is committed."""
