"""What the doctor found: one verdict for each cause of the catalogue, and what it rests on."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alexa_oauth.diagnosis.causes import CATALOGUE
from alexa_oauth.diagnosis.causes.cause import Cause, Seen


class Verdict(StrEnum):
    """How it is about one cause."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    NOT_TESTABLE = "not testable here"


_GRAVITY: Final = (Verdict.NOT_TESTABLE, Verdict.PASS, Verdict.WARN, Verdict.FAIL)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One raw fact, such as a status or the start of a body. `is_private`: it may tell who and where the household is."""

    label: str
    value: str
    is_private: bool = False


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
    return tuple(gravest.get(name) or not_testable(cause, _why_not(cause, called=called)) for name, cause in CATALOGUE.items())


def _why_not(cause: Cause, *, called: bool) -> str:
    if Seen.OUTSIDE in cause.seen and not called:
        return "It shows from outside only, and the public address was not called."
    if Seen.OUTSIDE in cause.seen:
        return "It could not be tried, since something before it stands in the way."
    if Seen.EVENTS in cause.seen:
        return "It would show on a link attempt, and no recent one shows it."
    return "It does not show here: only you can look."
