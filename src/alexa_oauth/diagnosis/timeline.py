"""The lines of an attempt's timeline, in the words of a person who never heard of OAuth."""

from collections.abc import Mapping
from typing import Final

from alexa_oauth.diagnosis.attempt import Moment
from alexa_oauth.diagnosis.verdict import Case
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.reading import RecordedEvent

_WORDS: Final = {
    EventName.AUTHORIZE_REQUEST: "Alexa sent a person here, and the page was shown",
    EventName.AUTHORIZE_REFUSED: "The request was refused",
    EventName.REQUEST_MISDIRECTED: "A request missed its address",
    EventName.CONSENT_APPROVED: "The person approved",
    EventName.CONSENT_DENIED: "The person denied",
    EventName.CONSENT_REFUSED: "The answer to the page was refused",
    EventName.SIGN_IN_FAILED: "A sign-in failed",
    EventName.SIGN_IN_SENT: "The person went to sign in elsewhere",
    EventName.SIGN_IN_SUCCEEDED: "The person signed in",
    EventName.BUTTON_ALLOWED: "An administrator allowed it in the panel",
    EventName.CODE_ISSUED: "The browser was sent back to Alexa with a code",
    EventName.TOKEN_ISSUED: "Amazon's server called and got its tokens",
    EventName.TOKEN_REPLAYED: "Amazon's server asked once more and got the same tokens",
    EventName.TOKEN_REFUSED: "Amazon's server called and was refused",
    EventName.TOKEN_REUSED: "An old token came back",
    EventName.TOKEN_REVOKED: "A token was revoked",
    EventName.GRANT_HEALED: "The link was mended after a restored backup",
    EventName.GRANT_ENDED: "The link ended",
}
_ON_PAGE: Final = frozenset({EventName.SIGN_IN_FAILED, EventName.CONSENT_REFUSED})
"""Counted first and written later."""
_BEFORE_APPROVAL: Final = _ON_PAGE | {
    EventName.AUTHORIZE_REQUEST,
    EventName.SIGN_IN_SENT,
    EventName.SIGN_IN_SUCCEEDED,
    EventName.BUTTON_ALLOWED,
}
_METHODS: Final = {
    "client_secret_basic": "with the secret in a header (HTTP Basic)",
    "client_secret_post": "with the secret in the form",
    "none": "without a secret",
}
"""Either scheme of the developer console is good; which one arrives tells whether its page was saved."""
_FIRST_USE: Final = "A token was used for the first time"
_BAD: Final = (".refused", ".failed", ".misdirected", ".denied", ".reused", ".ended")
_PROBABLE: Final = {
    EventName.TOKEN_REFUSED: "Somebody called the token address and was refused",
    EventName.REQUEST_MISDIRECTED: "Somebody called an address that does not exist here",
}


def timeline(case: Case) -> tuple[Moment, ...]:
    """The moments in their order. What belongs to the page comes before the approval, whenever its sum was written."""
    history = case.history
    approved_at = next((told.at for told in history.events if told.event.name is EventName.CONSENT_APPROVED), None)
    in_order = sorted(history.events, key=lambda told: told.event.name not in _BEFORE_APPROVAL)
    lines = [_moment(case, told, approved_at) for told in in_order if told.event.name in _WORDS]
    lines += [_probable(case, told) for told in case.strays]
    if history.first_used_at is not None:
        lines.append(Moment(history.first_used_at, _FIRST_USE))
    return tuple(sorted(lines, key=lambda line: line.at))


def _moment(case: Case, told: RecordedEvent, approved_at: int | None) -> Moment:
    event = told.event
    on_page = event.name in _ON_PAGE
    at = min(told.at, approved_at) if on_page and approved_at is not None else told.at
    return Moment(at, _told(case, event, _WORDS), is_bad=event.name.endswith(_BAD), count=event.count, address=event.address)


def _probable(case: Case, told: RecordedEvent) -> Moment:
    event = told.event
    return Moment(told.at, _told(case, event, _PROBABLE), is_bad=True, count=event.count, address=event.address, probable=True)


def _told(case: Case, event: Event, words: Mapping[EventName, str]) -> str:
    cause = case.why(event) if event.name is not EventName.CONSENT_DENIED else None
    more = cause.title if cause else _METHODS.get(event.detail.get("authentication", ""))
    return f"{words[event.name]}: {more}" if more else words[event.name]
