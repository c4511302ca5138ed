"""Health: what the doctor finds, how busy the server was in the last day, and what an administrator should hear of."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import HEALTH, done, page
from alexa_oauth.admin.charts import Chart, Series, bar_chart
from alexa_oauth.admin.examination import Examination
from alexa_oauth.admin.formats import count, hour_of_day
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.admin.visit import person_of
from alexa_oauth.diagnosis.causes.cause import Seen
from alexa_oauth.diagnosis.findings import Finding, Verdict, complete
from alexa_oauth.diagnosis.notices import Notice
from alexa_oauth.protocol.activity import HOUR, Activity, by_hour, together

PATH: Final = HEALTH
HOURS: Final = 24
SHARE: Final = 0.95

_BELIEVED: Final = "The clock is believed again."
_UNDOUBTED: Final = "Nobody doubts the clock now."
_BEGUN: Final = "The public address is being called, as Amazon does. That takes some seconds."


@dataclass(frozen=True, slots=True)
class DayView:
    """The last day: `tokens` given out, `success` in words if anything was asked for, and the charts."""

    tokens: int
    success: str | None
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class HealthView:
    """`faults`, `passes`, `untested` are every cause; `report` is for a bug tracker; `day` is `None` if nothing was counted.

    `doubted_time` is what the machine's clock says, while that is in doubt; `hindrance` why Home Assistant is not told.
    """

    now: int
    doubted_time: int | None
    notices: tuple[Notice, ...]
    hindrance: str | None
    faults: tuple[Finding, ...]
    passes: tuple[Finding, ...]
    untested: tuple[tuple[str, tuple[Finding, ...]], ...]
    examination: Examination
    day: DayView | None
    report: str


async def show(request: web.Request) -> web.Response:
    """Everything; what shows without leaving the machine is looked at anew each time."""
    parts = request.app[PARTS]
    now = parts.store.read(lambda tx: tx.now)
    async with parts.store.reader() as reader:
        hours = by_hour(await reader.activity(now - HOURS * HOUR), now, HOURS)
    findings = _all(await parts.doctor.look(), parts.examination)
    view = HealthView(
        now=now,
        doubted_time=parts.clock.doubted_time,
        notices=await parts.lookout.look(),
        hindrance=parts.lookout.hindrance,
        faults=_of(findings, Verdict.FAIL) + _of(findings, Verdict.WARN),
        passes=_of(findings, Verdict.PASS),
        untested=_by_reason(_of(findings, Verdict.NOT_TESTABLE)),
        examination=parts.examination,
        day=_day(hours),
        report=parts.doctor.report(findings),
    )
    return page(request, "health", view)


async def examine(request: web.Request) -> web.Response:
    """Begin to call the public address; the page shows how it goes."""
    parts = request.app[PARTS]
    parts.examination.begin(parts.store.read(lambda tx: tx.now))
    return done(request, PATH, _BEGUN)


async def believe_clock(request: web.Request) -> web.Response:
    """End the doubt of the clock: an administrator compared it with a watch."""
    parts = request.app[PARTS]
    is_over = await parts.clock.confirm(parts.store, person_of(request).subject)
    return done(request, PATH, _BELIEVED if is_over else _UNDOUBTED)


async def give_up(app: web.Application) -> None:
    """The server ends: nobody waits for what is still being called."""
    await app[PARTS].examination.end()


def _all(inside: Sequence[Finding], examination: Examination) -> tuple[Finding, ...]:
    """What shows now inside, and what the last examination found from outside, which nothing inside can gainsay."""
    judged = {finding.cause for finding in inside if Seen.OUTSIDE not in finding.cause.seen}
    beyond = [
        finding for finding in examination.findings if finding.cause not in judged and finding.verdict is not Verdict.NOT_TESTABLE
    ]
    return complete([*inside, *beyond], called=bool(examination.findings))


def _of(findings: Sequence[Finding], verdict: Verdict) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.verdict is verdict)


def _by_reason(untested: Sequence[Finding]) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    """Many causes, few reasons."""
    reasons = dict.fromkeys(finding.sentence for finding in untested)
    return tuple((reason, tuple(finding for finding in untested if finding.sentence == reason)) for reason in reasons)


def _day(hours: Sequence[Activity]) -> DayView | None:
    whole = together(hours)
    if not any(hour.counts for hour in hours):
        return None
    labels = [hour_of_day(hour.begins_at) for hour in hours]
    tokens = Series(labels, [hour.tokens for hour in hours], lambda value: count(int(value), "token"))
    success = Series(labels, [hour.success for hour in hours], lambda value: f"{value:.0%}")
    times = Series(labels, [hour.seconds_within(SHARE) for hour in hours], _said)
    charts = (
        bar_chart("tokens", "Tokens given out, by the hour", tokens),
        bar_chart("success", "Token requests that got their tokens, by the hour", success),
        bar_chart("times", f"Time within which {SHARE:.0%} of token requests were answered, by the hour", times),
    )
    return DayView(whole.tokens, None if whole.success is None else f"{whole.success:.1%}".replace(".0%", "%"), charts)


def _said(seconds: float) -> str:
    if seconds == inf:
        return "over 4.5 s"
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1_000:g} ms"
