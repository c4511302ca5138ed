"""What the doctor found: one verdict for each cause of the catalogue, and what it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alexa_oauth.diagnosis.causes import CATALOGUE
from alexa_oauth.diagnosis.causes.address import TOKEN_URL_UNREACHABLE
from alexa_oauth.diagnosis.causes.cause import Cause, Seen
from alexa_oauth.diagnosis.causes.console import ADDRESSES_SWAPPED
from alexa_oauth.diagnosis.causes.path import BOT_FILTER, POST_CHANGED, POST_REDIRECTED, PROXY_FAILS
from alexa_oauth.diagnosis.causes.tokens import CLOCK_WRONG, SERVER_DOWN


class Verdict(StrEnum):
    """How it is about one cause."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    NOT_TESTABLE = "not testable here"


_ALL_GREEN: Final = (
    "The person approved, and the request with which Amazon's servers fetch the token never came. Yet the address answers well"
    " when this server calls it."
)
_TREATS_AMAZON_OTHERWISE: Final = (
    "Compare Access Token URI in the developer console with Set up. Then look for what treats Amazon's servers otherwise than a"
    " call from here: a country rule, a ban list such as fail2ban or CrowdSec, a firewall. Last, open the address on a phone with"
    " Wi-Fi off."
)
_GRAVITY: Final = (Verdict.NOT_TESTABLE, Verdict.PASS, Verdict.WARN, Verdict.FAIL)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One raw fact, such as a status or the start of a body. `is_private`: it may tell who and where the household is.

    `is_the_point`: the sentence says too little without it, so that it is not folded away.
    """

    label: str
    value: str
    is_private: bool = False
    is_the_point: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause judged: `sentence` says what was found, `fix` what to do about it, empty if there is nothing to do."""

    cause: Cause
    verdict: Verdict
    sentence: str
    fix: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def gravity(self) -> int:
        """How much a person should care."""
        return _GRAVITY.index(self.verdict)


def passed(cause: Cause, sentence: str, evidence: Iterable[Evidence] = ()) -> Finding:
    """It is not this."""
    return Finding(cause, Verdict.PASS, sentence, evidence=tuple(evidence))


def warned(cause: Cause, sentence: str | None = None, fix: str | None = None, evidence: Iterable[Evidence] = ()) -> Finding:
    """It may be this, or become it; the catalogue's words unless there are better ones."""
    return Finding(cause, Verdict.WARN, sentence or cause.sentence, fix or cause.fix, tuple(evidence))


def failed(cause: Cause, sentence: str | None = None, fix: str | None = None, evidence: Iterable[Evidence] = ()) -> Finding:
    """It is this."""
    return Finding(cause, Verdict.FAIL, sentence or cause.sentence, fix or cause.fix, tuple(evidence))


def not_testable(cause: Cause, sentence: str) -> Finding:
    """Nobody can tell from here; the sentence says why."""
    return Finding(cause, Verdict.NOT_TESTABLE, sentence, cause.fix)


def complete(findings: Iterable[Finding], *, called: bool) -> tuple[Finding, ...]:
    """One finding for every cause, in the catalogue's order; of several the gravest. `called`: the public address was tried."""
    gravest: dict[str, Finding] = {}
    for finding in findings:
        before = gravest.get(finding.cause.cause_id)
        if before is None or finding.gravity > before.gravity:
            gravest[finding.cause.cause_id] = finding
    for symptom in (TOKEN_URL_UNREACHABLE, ADDRESSES_SWAPPED):
        if stopped := gravest.get(symptom.cause_id):
            gravest[symptom.cause_id] = _narrowed(stopped, gravest)
    if PROXY_FAILS.cause_id in gravest and not _runs(gravest):
        gravest[PROXY_FAILS.cause_id] = not_testable(PROXY_FAILS, "The server does not run, so no proxy could reach it.")
    return tuple(gravest.get(name) or not_testable(cause, _why_not(cause, called=called)) for name, cause in CATALOGUE.items())


def _narrowed(stopped: Finding, found: Mapping[str, Finding]) -> Finding:
    """What an attempt showed, after the way here was walked: the one thing that stands in it, or what is left if nothing does."""
    if stopped.gravity < _GRAVITY.index(Verdict.WARN):
        return stopped
    if any(other.verdict is Verdict.FAIL and _explains(other.cause, stopped.cause) for other in found.values()):
        return not_testable(stopped.cause, "The newest attempt shows it, too, and a fault that was found explains it.")
    passage = found.get(BOT_FILTER.cause_id)
    if stopped.cause is TOKEN_URL_UNREACHABLE and passage is not None and passage.verdict is Verdict.PASS:
        return replace(stopped, sentence=_ALL_GREEN, fix=_TREATS_AMAZON_OTHERWISE)
    return stopped


def _explains(cause: Cause, symptom: Cause) -> bool:
    if symptom is ADDRESSES_SWAPPED:
        return cause in {POST_CHANGED, POST_REDIRECTED}
    return Seen.OUTSIDE in cause.seen and cause not in {TOKEN_URL_UNREACHABLE, CLOCK_WRONG}


def _runs(found: Mapping[str, Finding]) -> bool:
    server = found.get(SERVER_DOWN.cause_id)
    return server is None or server.verdict is Verdict.PASS


def _why_not(cause: Cause, *, called: bool) -> str:
    if Seen.OUTSIDE in cause.seen and not called:
        return "It shows from outside only, and the public address was not called."
    if Seen.OUTSIDE in cause.seen:
        return "It could not be tried, since something before it stands in the way."
    if Seen.EVENTS in cause.seen:
        return "It would show on a link attempt, and no recent one shows it."
    if Seen.INSIDE in cause.seen:
        return "What it would show by is not there, or cannot be looked at now: the database, the server or a public address."
    return "It does not show here: only you can look."
