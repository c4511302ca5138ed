"""The last link attempts: how far each came, where it stands, why, and what helps."""

from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Final

from aiohttp import web

from alexa_oauth.admin.answers import done, page
from alexa_oauth.admin.names import name_of
from alexa_oauth.admin.parts import PARTS, AdminParts
from alexa_oauth.admin.visit import form_of, person_of
from alexa_oauth.diagnosis.attempt import Attempt, Standing, Step
from alexa_oauth.diagnosis.attempts import APPROVED, read_attempts
from alexa_oauth.diagnosis.counted import with_counted
from alexa_oauth.diagnosis.joining import strays_beside
from alexa_oauth.diagnosis.noise import is_noise, is_unanswered
from alexa_oauth.protocol.models import Resident
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.reading import HistoryQuery
from alexa_oauth.protocol.revocation import end_links

PATH: Final = "/attempts"
SHOWN: Final = 25
"""Attempts on a page."""
FOLDED: Final = 3
"""From so many requests on that nobody answered, one after the other, they are folded."""
STEPS: Final = (
    (Step.ASKED, "Alexa asked", "Not asked"),
    (Step.APPROVED, "Approved", "Not approved"),
    (Step.CALLED, "Amazon called", "No call came"),
    (Step.ANSWERED, "Tokens given", "Refused"),
    (Step.USED, "Token used", "Not used"),
)
"""What the row of steps shows of each attempt, and what it shows where an attempt stopped."""

_NOISE: Final = ("refused request", "of strangers")
_UNANSWERED: Final = ("request", "that nobody answered")
_CURSOR_DIGITS: Final = 18
_ENDED: Final = "{count} ended. In the Alexa app the skill must be linked anew."
_NONE_ENDED: Final = "No link of this person is left."


class Mark(Enum):
    """How one step of an attempt stands."""

    DONE = "done"
    STOPPED = "stopped here"
    AWAITED = "awaited"
    OPEN = "not reached"


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt. `person` is who approved; `can_allow`: it waits, and whoever looks may let it pass on another page."""

    told: Attempt
    steps: tuple[tuple[str, Mark], ...]
    person: str | None
    can_allow: bool

    @property
    def here(self) -> tuple[str, Mark]:
        """The step at which it stopped, or the last that was reached: on a phone there is room for one."""
        return next((step for step in reversed(self.steps) if step[1] in {Mark.STOPPED, Mark.DONE}), self.steps[0])


@dataclass(frozen=True, slots=True)
class GroupView:
    """Attempts one after the other; `folded` says what they are, if they are shown on demand only: a noun, and what kind."""

    attempts: tuple[AttemptView, ...]
    folded: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class AttemptsView:
    """A page of attempts, newest first. `older` is the place from which the next page goes on."""

    now: int
    groups: tuple[GroupView, ...]
    is_newest: bool
    older: int | None


async def show(request: web.Request) -> web.Response:
    """All attempts for an administrator; for everybody else those that they approved, since the others tell of strangers."""
    parts, person = request.app[PARTS], person_of(request)
    before = _cursor(request.query.get("before", ""))
    subject = None if person.is_administrator else person.subject
    now = parts.store.read(lambda tx: tx.now)
    attempts, older = await find_attempts(parts, HistoryQuery(SHOWN + 1, before=before, subject=subject))
    views = parts.store.read(lambda tx: [_attempt(tx, attempt, person) for attempt in attempts])
    return page(request, "attempts", AttemptsView(now, _groups(views), before is None, older))


async def find_attempts(parts: AdminParts, query: HistoryQuery) -> tuple[tuple[Attempt, ...], int | None]:
    """All but the last that the query allows; if there is a last, the place from which it goes on.

    The newest ones of everybody hold what is not written yet.
    """
    now = parts.store.read(lambda tx: tx.now)
    async with parts.store.reader() as reader:
        found = await reader.histories(query)
        histories, is_last = found[: query.limit - 1], len(found) < query.limit
        strays = [] if query.subject else await strays_beside(reader, histories, now)
    older = None if is_last else histories[-1].events[0].sequence
    if query.before is None and query.subject is None:
        histories, strays = with_counted(histories, strays, parts.counted(), now)
    return read_attempts(histories, strays, now, lambda client_id: _redirect_uris(parts, client_id)), older


async def end_all(request: web.Request) -> web.Response:
    """End every link of whoever approved an attempt."""
    parts, by = request.app[PARTS], person_of(request)
    attempt = form_of(request).get("attempt", "")
    now = parts.store.read(lambda tx: tx.now)
    async with parts.store.reader() as reader:
        histories = await reader.histories(HistoryQuery(1, attempt=attempt))
        subjects = {told.event.subject for history in histories for told in history.events if told.event.name in APPROVED}
        ending = [link.grant_id for link in await reader.links(now) if link.subject in subjects]
    ended = await parts.store.write(lambda tx: end_links(tx, ending, by.subject))
    count = "1 link was" if ended == 1 else f"{ended} links were"
    return done(request, PATH, _ENDED.format(count=count) if ended else _NONE_ENDED)


def _cursor(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _CURSOR_DIGITS else None


def _redirect_uris(parts: AdminParts, client_id: str | None) -> tuple[str, ...]:
    client = parts.store.read(lambda tx: tx.clients.find(client_id)) if client_id else None
    return client.redirect_uris if client else ()


def _attempt(tx: Transaction, told: Attempt, visitor: Resident) -> AttemptView:
    waits = told.verdict.standing is Standing.RUNNING and told.step is Step.SHOWN
    return AttemptView(
        told=told,
        steps=_steps(told),
        person=(name_of(tx, told.subject) or told.subject) if told.subject else None,
        can_allow=visitor.is_administrator and waits and tx.authorizations.find_waiting(told.attempt_id) is not None,
    )


def _steps(told: Attempt) -> tuple[tuple[str, Mark], ...]:
    ahead = {Standing.RUNNING: Mark.AWAITED, Standing.STOPPED: Mark.STOPPED, Standing.DENIED: Mark.STOPPED}
    here = ahead.get(told.verdict.standing, Mark.OPEN)
    next_step = next((step for step, _, _ in STEPS if step > told.step), None)
    marks = {step: Mark.DONE if step <= told.step else here if step is next_step else Mark.OPEN for step, _, _ in STEPS}
    return tuple((stopped if marks[step] is Mark.STOPPED else label, marks[step]) for step, label, stopped in STEPS)


def _groups(views: list[AttemptView]) -> tuple[GroupView, ...]:
    """What strangers sent is folded, and so is a row of requests that nobody answered."""
    groups: list[GroupView] = []
    for kind, run in groupby(views, lambda view: _kind(view.told)):
        attempts = tuple(run)
        if kind == _NOISE or (kind == _UNANSWERED and len(attempts) >= FOLDED):
            groups.append(GroupView(attempts, kind))
        else:
            groups += [GroupView((attempt,), None) for attempt in attempts]
    return tuple(groups)


def _kind(told: Attempt) -> tuple[str, str] | None:
    return _NOISE if is_noise(told) else _UNANSWERED if is_unanswered(told) else None
