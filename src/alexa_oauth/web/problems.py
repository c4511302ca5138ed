"""What a person reads when a request cannot go on: what is wrong, in words, and what mends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from alexa_oauth.protocol.events import Reason
from alexa_oauth.web.answers import page_answer
from alexa_oauth.web.language import spoken_in, texts_for
from alexa_oauth.web.pages import ProblemView
from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.texts import Texts

_SHOWN: Final = {"client_id": "problem.client_id", "redirect_uri": "problem.redirect_uri"}
"""What a page repeats of a refused request, so that a person can compare it with what should have been sent."""

_START_AGAIN: Final = "advice.start_again"
_ASK_OPERATOR: Final = "advice.ask_operator"


@dataclass(frozen=True, slots=True)
class Problem:
    """The words for one reason, and the status that goes with them.

    `section` is that of the texts; `advice` an entry that helps, if it is not the section's own `fix`.
    """

    section: str
    advice: str | None = None
    status: int = 400

    @property
    def title(self) -> str:
        """The entry of the heading."""
        return f"{self.section}.title"

    @property
    def explanation(self) -> str:
        """The entry of what happened."""
        return f"{self.section}.explanation"

    @property
    def fix(self) -> str:
        """The entry of what to do about it."""
        return self.advice or f"{self.section}.fix"

    def view(self, texts: Texts, reference: str, received: Mapping[str, str]) -> ProblemView:
        """These words for one attempt; of what was received, that which is worth comparing is shown, escaped.

        Where no attempt is known, the reference is empty, and the operator would find nothing under it.
        """
        fix = self.fix if reference or self.fix != _ASK_OPERATOR else _START_AGAIN
        shown = tuple((texts[label], received[name]) for name, label in _SHOWN.items() if name in received)
        return ProblemView(texts[self.title], texts[self.explanation], reference, texts[fix], shown)


UNAVAILABLE: Final = Problem("problems.unavailable", status=503)
CROWDED: Final = Problem("problems.crowded", status=429)
_GENERAL: Final = Problem("problems.general", _ASK_OPERATOR)

_PROBLEMS: Final = {
    Reason.PUBLIC_URL_UNSET: Problem("problems.public_url_unset"),
    Reason.PARAMETER_MISSING: Problem("problems.parameter_missing"),
    Reason.PARAMETER_REPEATED: Problem("problems.parameter_repeated", _ASK_OPERATOR),
    Reason.PARAMETER_MALFORMED: Problem("problems.parameter_malformed", _ASK_OPERATOR),
    Reason.CLIENT_UNKNOWN: Problem("problems.client_unknown"),
    Reason.REDIRECT_URI_NOT_REGISTERED: Problem("problems.redirect_uri_not_registered"),
    Reason.REQUEST_UNKNOWN: Problem("problems.request_unknown", _START_AGAIN, 403),
    Reason.REQUEST_EXPIRED: Problem("problems.request_expired", _START_AGAIN),
    Reason.BROWSER_MISMATCH: Problem("problems.browser_mismatch", status=403),
    Reason.CSRF_MISMATCH: Problem("problems.csrf_mismatch", _START_AGAIN, 403),
    Reason.ORIGIN_FOREIGN: Problem("problems.origin_foreign", _START_AGAIN, 403),
    Reason.SIGN_IN_OVER: Problem("problems.sign_in_over", _START_AGAIN, 403),
    Reason.SIGN_IN_WRONG: Problem("problems.sign_in_over", _START_AGAIN, 403),
    Reason.SIGN_IN_EXHAUSTED: Problem("problems.sign_in_exhausted", _START_AGAIN, 403),
}


def problem_for(reason: Reason) -> Problem:
    """The words for a reason; general ones where a person could do nothing with more."""
    return _PROBLEMS.get(reason, _GENERAL)


def problem_page(
    request: web.Request, problem: Problem, reference: str = "", received: Mapping[str, str] | None = None
) -> web.Response:
    """The page that tells of a problem, in the language of whoever reads it."""
    pages, texts = request.app[PARTS].pages, texts_for(request)
    view = problem.view(texts, reference, received or {})
    return page_answer(pages, pages.problem(view, texts), problem.status, spoken_in(texts))


def crowded_page(request: web.Request, reference: str, retry_after: int) -> web.Response:
    """The page for who must wait so many seconds."""
    response = problem_page(request, CROWDED, reference)
    response.headers["Retry-After"] = str(retry_after)
    return response
