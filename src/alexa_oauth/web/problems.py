"""What a person reads when a request cannot go on: what is wrong, in words, and what mends it."""

from dataclasses import dataclass
from typing import Final

from alexa_oauth.protocol.events import Reason
from alexa_oauth.web.pages import ProblemView

Received = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """The words for one reason, and the status that goes with them."""

    title: str
    explanation: str
    fix: str | None = None
    status: int = 400

    def view(self, reference: str, received: Received = ()) -> ProblemView:
        """These words for one attempt; `received` are labels and values that the page shows escaped."""
        return ProblemView(self.title, self.explanation, reference, self.fix, received)


_START_AGAIN: Final = "Go back to the Alexa app and choose to link the account once more."
_ASK_OPERATOR: Final = "Whoever runs this server finds the details in its log, under the reference below."

UNAVAILABLE: Final = Problem(
    "Not available at the moment",
    "The server cannot store anything right now. Nothing is lost.",
    "Wait a moment, then load this page again.",
    503,
)
CROWDED: Final = Problem(
    "Many wrong codes are arriving",
    "Somebody is trying codes at this server, so it answers slowly. Your request is still waiting.",
    "Wait a few seconds, go back and enter the code again.",
    429,
)
_GENERAL: Final = Problem("This link cannot be used", "The request is not complete.", _ASK_OPERATOR)

_PROBLEMS: Final = {
    Reason.PUBLIC_URL_UNSET: Problem(
        "The public address is not set",
        "This server was reached from another machine, but it does not know the address under which it is reached.",
        "Set `public_url` to the https address of this server, for example https://alexa.example.org, and restart it.",
    ),
    Reason.PARAMETER_MISSING: Problem(
        "The request is not complete",
        "It does not say which client asks, or where the answer should go.",
        "Compare the authorization URI in the Alexa developer console with the one that `alexa-oauth alexa-config` prints.",
    ),
    Reason.PARAMETER_REPEATED: Problem(
        "The request is ambiguous", "It names the client or the return address more than once.", _ASK_OPERATOR
    ),
    Reason.PARAMETER_MALFORMED: Problem(
        "The request cannot be read", "It holds characters that are not allowed there.", _ASK_OPERATOR
    ),
    Reason.CLIENT_UNKNOWN: Problem(
        "The client is not known",
        "No client is registered under the client id that was sent.",
        "Compare the client id in the Alexa developer console with the one that `alexa-oauth alexa-config` prints.",
    ),
    Reason.REDIRECT_URI_NOT_REGISTERED: Problem(
        "The return address is not registered",
        "The answer would go to an address that this server does not know, so nothing was sent there.",
        "If the address below is on an Amazon host, its last part is a vendor id: compare it with the one in your own "
        "Amazon developer console, and if it is yours, add it to `vendor_ids`. "
        "For another client, register exactly this address in `oauth_clients.json`.",
    ),
    Reason.REQUEST_UNKNOWN: Problem(
        "This request is over", "It was answered already, or it was never made here.", _START_AGAIN, 403
    ),
    Reason.REQUEST_EXPIRED: Problem("This request has expired", "A request waits ten minutes for an answer.", _START_AGAIN),
    Reason.BROWSER_MISMATCH: Problem(
        "This page belongs to another browser",
        "A request can only be answered in the browser in which it began, with cookies allowed.",
        _START_AGAIN,
        403,
    ),
    Reason.CSRF_MISMATCH: Problem("This page is out of date", "It is not the page that was shown last.", _START_AGAIN, 403),
    Reason.ORIGIN_FOREIGN: Problem(
        "Another site sent this answer", "Only the page of this server can approve a link.", _START_AGAIN, 403
    ),
    Reason.SIGN_IN_OVER: Problem(
        "This sign-in is over", "It was never begun here, or another one followed it.", _START_AGAIN, 403
    ),
    Reason.SIGN_IN_EXHAUSTED: Problem(
        "Too many wrong codes", "This request is closed, to keep strangers from guessing.", _START_AGAIN, 403
    ),
}


def problem_for(reason: Reason) -> Problem:
    """The words for a reason; general ones where a person could do nothing with more."""
    return _PROBLEMS.get(reason, _GENERAL)
