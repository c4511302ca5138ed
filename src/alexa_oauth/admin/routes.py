"""The admin application: one table of what the panel is, and for whom each part of it."""

from typing import Final

from aiohttp import web

from alexa_oauth.admin import accounts, attempts, audit, backup, health, links, metrics, people, restore, review, setup, waiting
from alexa_oauth.admin.answers import Problem, page, problem
from alexa_oauth.admin.by_link import LinkDoor, Sessions
from alexa_oauth.admin.csrf import Csrf
from alexa_oauth.admin.entry import OPEN, Route, Who, entry, guarded
from alexa_oauth.admin.ingress import HomeAssistantDoor
from alexa_oauth.admin.metrics import metered
from alexa_oauth.admin.pages import Entry, PanelPages
from alexa_oauth.admin.parts import PANEL, PARTS, AdminParts, Panel
from alexa_oauth.admin.visit import Door
from alexa_oauth.web.middleware import plain_errors, quiet_headers

ROUTES: Final = (
    Route("GET", "/", Who.EVERYBODY, setup.show, label="Set up"),
    Route("POST", "/", Who.ADMINISTRATORS, setup.reveal),
    Route("POST", "/linking", Who.ADMINISTRATORS, setup.begin),
    Route("POST", "/vendor-ids", Who.ADMINISTRATORS, setup.add_vendor_id),
    Route("GET", "/waiting", Who.ADMINISTRATORS, waiting.show, label="Allow linking"),
    Route("POST", "/waiting/arm", Who.ADMINISTRATORS, waiting.arm),
    Route("POST", "/waiting/allow", Who.ADMINISTRATORS, waiting.allow),
    Route("POST", "/waiting/release", Who.ADMINISTRATORS, waiting.release),
    Route("POST", "/accounts/add", Who.ADMINISTRATORS, accounts.let_in),
    Route("POST", "/accounts/remove", Who.ADMINISTRATORS, accounts.send_away),
    Route("GET", "/links", Who.EVERYBODY, links.show, label="Links"),
    Route("POST", "/links/end", Who.EVERYBODY, links.end),
    Route("POST", "/links/reviewed", Who.ADMINISTRATORS, review.review),
    Route("POST", "/links/end-all", Who.ADMINISTRATORS, links.end_all),
    Route("GET", "/attempts", Who.EVERYBODY, attempts.show, label="Attempts"),
    Route("POST", "/attempts/end-links", Who.ADMINISTRATORS, attempts.end_all),
    Route("GET", health.PATH, Who.ADMINISTRATORS, health.show, label="Health"),
    Route("POST", "/health/examine", Who.ADMINISTRATORS, health.examine),
    Route("POST", "/health/clock", Who.ADMINISTRATORS, health.believe_clock),
    Route("GET", "/backup", Who.ADMINISTRATORS, backup.show, label="Backup"),
    Route("POST", "/backup/make", Who.ADMINISTRATORS, backup.make),
    Route("GET", "/backup/copies/{name}", Who.ADMINISTRATORS, backup.download),
    Route("POST", "/backup/check", Who.ADMINISTRATORS, restore.check, reads_body=True),
    Route("POST", "/backup/check-copy", Who.ADMINISTRATORS, restore.check_copy),
    Route("POST", "/backup/restore", Who.ADMINISTRATORS, restore.restore),
    Route("POST", "/backup/rotate", Who.ADMINISTRATORS, backup.rotate),
    Route("POST", "/backup/new-secret", Who.ADMINISTRATORS, backup.new_secret),
    Route("GET", "/audit", Who.ADMINISTRATORS, audit.show, label="Audit"),
    Route("GET", "/audit/export", Who.ADMINISTRATORS, audit.export),
    Route("GET", metrics.PATH, Who.ADMINISTRATORS, metrics.show),
    Route("POST", "/people/add", Who.ADMINISTRATORS, people.add),
    Route("POST", "/people/remove", Who.ADMINISTRATORS, people.remove),
)
"""A page with a label stands in the navigation, in this order. Every POST is a change, and guarded as one."""

_CLOSED: Final = Problem(
    "This link opens nothing",
    "A link to the panel works once, and for ten minutes; and a visit ends after an hour without use.",
    "Run `alexa-oauth admin-link` for a new one.",
    403,
)
_NOBODY: Final = Problem(
    "Nobody is signed in",
    "Home Assistant did not say who you are.",
    "Open this page from the sidebar of Home Assistant.",
    403,
)
_SIGNED_OUT: Final = Problem(
    "You are signed out", "This browser opens the panel no longer.", "Run `alexa-oauth admin-link` for a new link.", status=200
)


def admin_application(parts: AdminParts) -> web.Application:
    """The application of the admin listener."""
    csrf = Csrf(parts.entropy)
    if parts.is_supervised:
        return _application(parts, HomeAssistantDoor(parts.store, csrf), _NOBODY)
    door = LinkDoor(parts.store, csrf, Sessions(parts.entropy, parts.running))
    app = _application(parts, door, _CLOSED)
    app.add_routes(_routes_by_link(door))
    return app


def _application(parts: AdminParts, door: Door, closed: Problem) -> web.Application:
    app = web.Application(middlewares=[plain_errors(parts.entropy), metered(parts.metrics_token), entry(door, closed)])
    entries = tuple(Entry(route.path, route.label, route.who is Who.ADMINISTRATORS) for route in ROUTES if route.label)
    app[PARTS] = parts
    app[PANEL] = Panel(door, PanelPages(), entries, parts.version, parts.caution, parts.lookout)
    app.on_response_prepare.append(quiet_headers)
    app.on_cleanup.append(health.give_up)
    app.add_routes([web.route(route.method, route.path, guarded(route)) for route in ROUTES])
    return app


def _routes_by_link(door: LinkDoor) -> list[web.RouteDef]:
    """What a session of the panel's own needs beside the pages."""

    async def begin(request: web.Request) -> web.StreamResponse:
        secret = await door.open(request)
        if secret is None:
            return problem(request, _CLOSED)
        response = page(request, "opened", None)
        door.remember(request, response, secret)
        return response

    async def end(request: web.Request) -> web.StreamResponse:
        door.sign_out(request)
        return problem(request, _SIGNED_OUT)

    return [
        web.get("/open/{link}", begin, name=OPEN, allow_head=False),
        web.post("/sign-out", guarded(Route("POST", "/sign-out", Who.EVERYBODY, end))),
    ]
