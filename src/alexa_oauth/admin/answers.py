"""How a handler of the panel answers: with a page, with the way to one after a change, or with why not."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from alexa_oauth.admin.by_link import LIVE
from alexa_oauth.admin.pages import Frame
from alexa_oauth.admin.parts import PANEL, Panel
from alexa_oauth.admin.visit import VISIT
from alexa_oauth.diagnosis.notices import Notice
from alexa_oauth.web.answers import redirect_answer
from alexa_oauth.web.plain_answer import NO_STORE

HEALTH: Final = "/health"
"""The page that says what to do about a reminder."""
_NOT_FRAMED: Final = "'none'"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request goes no further: a heading and sentences; what stands between backticks in them is set as code."""

    title: str
    explanation: str
    fix: str | None = None
    status: int = 400


def page(request: web.Request, name: str, view: object, status: int = 200) -> web.Response:
    """The page of that template, with what was done last told at its top."""
    panel = request.app[PANEL]
    return web.Response(
        text=panel.pages.render(name, _frame(request), view),
        status=status,
        content_type="text/html",
        headers={
            **NO_STORE,
            "Content-Security-Policy": panel.pages.content_security_policy(panel.door.framed_by),
            "X-Frame-Options": "DENY" if panel.door.framed_by == _NOT_FRAMED else "SAMEORIGIN",
        },
    )


def done(request: web.Request, path: str, notice: str) -> web.Response:
    """After a change: on to the page of that path, which will tell the sentence. 303, so that reloading repeats nothing."""
    visit = request[VISIT]
    request.app[PANEL].notices.leave(visit.csrf, notice)
    return redirect_answer(f"{visit.base}{path}", 303)


def problem(request: web.Request, told: Problem) -> web.Response:
    """Why a request goes no further, as a page."""
    return page(request, "problem", told, told.status)


def _frame(request: web.Request) -> Frame:
    panel, visit = request.app[PANEL], request.get(VISIT)
    if visit is None:
        return _frame_of_nobody(request.path, panel.version)
    return Frame(
        base=visit.base,
        path=request.path,
        entries=tuple(entry for entry in panel.entries if visit.person.is_administrator or not entry.for_administrators),
        person=visit.person,
        csrf=visit.csrf,
        may_sign_out=visit.may_sign_out,
        notice=None if LIVE in request.headers else panel.notices.take(visit.csrf),
        caution=panel.caution if visit.person.is_administrator else None,
        reminders=_reminders(request, panel) if visit.person.is_administrator else (),
        version=panel.version,
    )


def _frame_of_nobody(path: str, version: str) -> Frame:
    return Frame("", path, (), None, "", may_sign_out=False, notice=None, caution=None, reminders=(), version=version)


def _reminders(request: web.Request, panel: Panel) -> tuple[Notice, ...]:
    """What is pressing, but on the page that tells all of it."""
    return () if request.path == HEALTH else tuple(notice for notice in panel.lookout.notices if notice.is_pressing)
