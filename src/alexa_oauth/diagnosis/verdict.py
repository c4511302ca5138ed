"""Where an attempt stands, and the one cause that explains where it stopped: one check a line, the furthest step first."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from alexa_oauth.diagnosis.attempt import Standing, Verdict
from alexa_oauth.diagnosis.causes import address, alexa, console, path, person, tokens
from alexa_oauth.diagnosis.causes.cause import Cause
from alexa_oauth.diagnosis.reasons import CAUSE_OF, TOKEN_REQUEST_CAUSES
from alexa_oauth.diagnosis.user_agent import is_embedded
from alexa_oauth.protocol.alexa import HOSTS
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.policy import PENDING_SECONDS
from alexa_oauth.protocol.reading import History, RecordedEvent

TOKEN_CALL_SECONDS: Final = 60
"""Amazon's servers call within a second or two of the person's click; after so long they will not."""
FIRST_USE_SECONDS: Final = 600
"""A person who linked tries a command soon; Amazon's own servers may leave a token alone for longer."""

_NOT_CALLED: Final = (path.BOT_FILTER, address.CERTIFICATE_INCOMPLETE, path.COUNTRY_FILTER, person.PAGE_POLICY)
_NOT_USED: Final = (alexa.ACCEPT_GRANT, alexa.SKILL_NOT_ENABLED, alexa.TWO_SKILLS)
_ENDS_A_REQUEST: Final = frozenset({Reason.SIGN_IN_EXHAUSTED})

_STATE_CUT_AT: Final = frozenset({"0", *(str(most) for size in range(7, 12) for most in (2**size - 1, 2**size))})
"""Lengths at which programs cut: Alexa's own state is long, and of hardly any of these by chance."""

RedirectUris = Callable[[str | None], Collection[str]]
"""The redirect URIs of the client of that id; none of a client that is not known."""


@dataclass(frozen=True, slots=True)
class Case:
    """One history under examination. `strays` are refusals that name no attempt and are probably this one's, oldest first."""

    history: History
    strays: tuple[RecordedEvent, ...]
    now: int
    redirect_uris: RedirectUris

    def why(self, event: Event) -> Cause | None:
        """`cause_of`, for this household."""
        return cause_of(event, self.redirect_uris)

    def last(self, *names: EventName) -> Event | None:
        """The newest event of these names."""
        return next((told.event for told in reversed(self.history.events) if told.event.name in names), None)

    def since(self, name: EventName) -> int | None:
        """Seconds since the first event of that name."""
        return next((self.now - told.at for told in self.history.events if told.event.name is name), None)

    @property
    def is_embedded(self) -> bool:
        """Whether the browser was one inside an app."""
        asked = self.last(EventName.AUTHORIZE_REQUEST)
        return asked is not None and is_embedded(asked.detail.get("user_agent", ""))


def judge(case: Case) -> Verdict:
    """The verdict of the first check that has one."""
    checks = (_ended, _lived, _given, _denied, _approved, _refused, _asked)
    return next((verdict for check in checks if (verdict := check(case))), Verdict(Standing.STOPPED))


def _ended(case: Case) -> Verdict | None:
    ended = case.last(EventName.GRANT_ENDED)
    return Verdict(Standing.ENDED, case.why(ended)) if ended else None


def _lived(case: Case) -> Verdict | None:
    """A link in use, unless it was left unused until it died."""
    refused = case.last(EventName.TOKEN_REFUSED)
    if case.last(EventName.TOKEN_ISSUED) and refused and refused.reason is Reason.REFRESH_TOKEN_EXPIRED:
        return Verdict(Standing.ENDED, tokens.REFRESH_TOKEN_EXPIRED)
    return Verdict(Standing.LINKED) if case.history.first_used_at is not None else None


def _given(case: Case) -> Verdict | None:
    """Tokens were given and not used: all is green here. A repeated exchange says that the first answer came too late."""
    since = case.since(EventName.TOKEN_ISSUED)
    if since is None:
        return None
    if since < FIRST_USE_SECONDS:
        return Verdict(Standing.RUNNING)
    cause = path.ANSWER_SLOW if case.last(EventName.TOKEN_REPLAYED) else alexa.AMAZON_FAULT
    return Verdict(Standing.STOPPED, cause, _NOT_USED, probable=True)


def _denied(case: Case) -> Verdict | None:
    return Verdict(Standing.DENIED, person.PERSON_DENIED) if case.last(EventName.CONSENT_DENIED) else None


def _approved(case: Case) -> Verdict | None:
    """A code was issued, and no token came of it: refused, or never asked for."""
    since = case.since(EventName.CODE_ISSUED)
    if since is None:
        return None
    if refused := case.last(EventName.TOKEN_REFUSED):
        return Verdict(Standing.STOPPED, case.why(refused))
    if case.strays:
        others = (path.TWO_SERVERS, address.TOKEN_URL_UNREACHABLE)
        return Verdict(Standing.STOPPED, case.why(case.strays[-1].event), others, probable=True)
    if since < TOKEN_CALL_SECONDS:
        return Verdict(Standing.RUNNING)
    asked = case.last(EventName.AUTHORIZE_REQUEST)
    if asked and asked.detail.get("echo_characters") in _STATE_CUT_AT:
        return Verdict(Standing.STOPPED, path.STATE_CHANGED, (address.TOKEN_URL_UNREACHABLE,), probable=True)
    embedded = (person.IN_APP_BROWSER,) if case.is_embedded else ()
    return Verdict(Standing.STOPPED, address.TOKEN_URL_UNREACHABLE, (*_NOT_CALLED, *embedded))


def _refused(case: Case) -> Verdict | None:
    """No page was shown."""
    refused = case.last(EventName.AUTHORIZE_REFUSED, EventName.REQUEST_MISDIRECTED)
    if refused is None:
        return None
    return Verdict(Standing.STOPPED, case.why(refused))


def _asked(case: Case) -> Verdict | None:
    """The page was shown, and nobody has approved so far."""
    since = case.since(EventName.AUTHORIZE_REQUEST)
    if since is None:
        return None
    hindered = case.last(EventName.SIGN_IN_FAILED, EventName.CONSENT_REFUSED)
    over = since >= PENDING_SECONDS or any(told.event.reason in _ENDS_A_REQUEST for told in case.history.events)
    if hindered:
        return Verdict(Standing.STOPPED if over else Standing.RUNNING, _of_browser(case, hindered))
    if not over:
        return Verdict(Standing.RUNNING)
    elsewhere = case.last(EventName.SIGN_IN_SENT, EventName.SIGN_IN_SUCCEEDED)
    if elsewhere and elsewhere.name is EventName.SIGN_IN_SENT:
        return Verdict(Standing.STOPPED, person.SIGN_IN_NOT_RETURNED, (person.IN_APP_BROWSER,) if case.is_embedded else ())
    if case.is_embedded:
        return Verdict(Standing.STOPPED, person.IN_APP_BROWSER, (person.NOT_APPROVED,), probable=True)
    return Verdict(Standing.STOPPED, person.NOT_APPROVED)


def cause_of(event: Event, redirect_uris: RedirectUris) -> Cause | None:
    """Why that happened, as far as the event tells; `None` if it needs no cause."""
    if event.reason is None:
        return None
    if event.name is EventName.TOKEN_REFUSED and event.reason in TOKEN_REQUEST_CAUSES:
        return TOKEN_REQUEST_CAUSES[event.reason]
    return _of_address(event, redirect_uris(event.client_id)) or CAUSE_OF[event.reason]


def _of_browser(case: Case, hindered: Event) -> Cause | None:
    """An app's browser without cookies shows as another browser."""
    cause = case.why(hindered)
    return person.IN_APP_BROWSER if cause is person.BROWSER_CHANGED and case.is_embedded else cause


def _of_address(refused: Event, registered: Collection[str]) -> Cause | None:
    """Whose return address was refused: one of Alexa's other regions, one of another developer's, or a stranger's."""
    if "grant_type" in refused.detail:
        return console.ADDRESSES_SWAPPED
    sent = urlsplit_or_none(refused.detail.get("redirect_uri", ""))
    if refused.reason is not Reason.REDIRECT_URI_NOT_REGISTERED or sent is None or sent[0] not in HOSTS:
        return None
    known = {parts[1] for uri in registered if (parts := urlsplit_or_none(uri)) is not None and parts[0] in HOSTS}
    return console.REGION_UNREGISTERED if sent[1] in known else console.VENDOR_ID_WRONG


def urlsplit_or_none(uri: str) -> tuple[str, str] | None:
    """Host and path of an https address."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    return (parts.netloc, parts.path) if parts.scheme == "https" else None
