"""What the last link attempts show: a cause that stopped one is no guess any more."""

from collections.abc import Iterator, Sequence
from typing import Final

from alexa_oauth.diagnosis.attempt import Attempt, Standing, Step
from alexa_oauth.diagnosis.causes import CATALOGUE
from alexa_oauth.diagnosis.causes.cause import Cause, Seen
from alexa_oauth.diagnosis.findings import Evidence, Finding, failed, passed, warned
from alexa_oauth.diagnosis.noise import is_noise, is_unanswered
from alexa_oauth.diagnosis.reasons import CAUSE_OF
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.reading import RecordedEvent

RECENT_SECONDS: Final = 7 * 86_400

_ENDS_A_LINK: Final = frozenset({Reason.REFRESH_TOKEN_UNKNOWN, Reason.SECRET_WRONG, Reason.SECRET_PADDED, Reason.SECRET_MISSING})


def check_recorded(attempts: Sequence[Attempt], now: int) -> Iterator[Finding]:
    """The attempts newest first. What stopped the household's newest is a fault; what stopped one before it, a warning.

    A link that came about ends the search: whatever stood in its way before is gone. So is what stopped an attempt earlier on
    its way than a newer one.
    """
    recent = [attempt for attempt in attempts if attempt.begun_at >= now - RECENT_SECONDS and not is_noise(attempt)]
    stopped = _stopped_since_the_last_link(recent)
    for number, attempt in enumerate(stopped):
        if attempt.verdict.cause is not None:
            yield _finding(attempt, attempt.verdict.cause, is_newest=number == 0)
    if recent:
        told = {attempt.verdict.cause for attempt in stopped}
        for cause in CATALOGUE.values():
            if cause.seen == (Seen.EVENTS,) and cause not in told:
                yield passed(cause, f"No attempt since the last link shows this: {cause.title}.")


def check_refused(refused: Sequence[RecordedEvent], alexa_came_at: int | None) -> Iterator[Finding]:
    """A link that worked and ended shows in no attempt: Alexa comes, for days, with what is no longer known here."""
    for told in refused:
        reason = told.event.reason
        if reason in _ENDS_A_LINK and (alexa_came_at is None or told.at > alexa_came_at):
            cause = CAUSE_OF[reason]
            yield warned(cause, f"Calls in Alexa's name were refused, and none has succeeded since: {cause.sentence}")


def _stopped_since_the_last_link(recent: Sequence[Attempt]) -> list[Attempt]:
    stopped: list[Attempt] = []
    furthest = Step.ASKED
    for attempt in recent:
        if attempt.verdict.standing is Standing.LINKED:
            break
        if attempt.verdict.standing is Standing.STOPPED and attempt.step >= furthest:
            stopped.append(attempt)
        furthest = max(furthest, attempt.step)
    return stopped


def _finding(attempt: Attempt, cause: Cause, *, is_newest: bool) -> Finding:
    verdict = attempt.verdict
    which = "The newest link attempt" if is_newest else "A link attempt of the last days"
    sentence = f"{which} stopped, {'probably ' if verdict.probable else ''}for this reason: {cause.sentence}"
    evidence = [Evidence("attempt", attempt.attempt_id), Evidence("step reached", attempt.step.name.lower())]
    is_certain = is_newest and not verdict.probable and not is_unanswered(attempt)
    return (failed if is_certain else warned)(cause, sentence, evidence=evidence)
