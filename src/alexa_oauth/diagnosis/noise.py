"""Attempts that are none: what scanners and strangers send, so that the household's own are found among them."""

from typing import Final
from urllib.parse import urlsplit

from alexa_oauth.diagnosis.attempt import Attempt, Standing, Step
from alexa_oauth.diagnosis.causes import console, person
from alexa_oauth.protocol.alexa import HOSTS

_STRANGERS: Final = frozenset({console.CLIENT_ID_WRONG, console.REQUEST_MALFORMED, console.REDIRECT_URI_FOREIGN})
_NOBODY: Final = frozenset({person.NOT_APPROVED, person.IN_APP_BROWSER})


def is_noise(attempt: Attempt) -> bool:
    """Refused before a page was shown, and nothing in it leads to Amazon: a mistake in the console would."""
    return attempt.step is Step.ASKED and attempt.verdict.cause in _STRANGERS and not _leads_to_amazon(attempt.sent_uri)


def is_unanswered(attempt: Attempt) -> bool:
    """A page was shown, and nobody did anything on it until it was over."""
    verdict = attempt.verdict
    return attempt.step is Step.SHOWN and verdict.standing is Standing.STOPPED and verdict.cause in _NOBODY


def _leads_to_amazon(uri: str | None) -> bool:
    try:
        return uri is not None and urlsplit(uri).netloc in HOSTS
    except ValueError:
        return False
