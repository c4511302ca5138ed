"""The root: settings become objects, objects become two applications. The only clock, and the only randomness."""

import base64
import os
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from alexa_oauth.admin.examination import Examination
from alexa_oauth.admin.parts import AdminParts
from alexa_oauth.admin.routes import admin_application
from alexa_oauth.admin.sightings import Sightings
from alexa_oauth.approval import Means, chosen_approval, home_assistant_addresses
from alexa_oauth.built_in_client import BuiltInClient
from alexa_oauth.checkup import Checkup
from alexa_oauth.clients.definitions import ClientDefinitions
from alexa_oauth.clock import Clock
from alexa_oauth.diagnosis.lookout import Lookout
from alexa_oauth.diagnosis.outside import Outside, connect, resolve
from alexa_oauth.keeping.panel import PanelKeeping, PanelSetting
from alexa_oauth.log import log_events
from alexa_oauth.metrics import Metrics
from alexa_oauth.notifications import Access, Notifications
from alexa_oauth.outbound import Outbound
from alexa_oauth.protocol.clock import Reading
from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.policy import Policy
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.rate_limit import FailureLimiter
from alexa_oauth.refusals import RefusalLedger
from alexa_oauth.settings.sign_in_choices import WEAK_SIGN_INS
from alexa_oauth.settings.table import Settings
from alexa_oauth.sign_in.pairing_code import PairingCode
from alexa_oauth.storage.patient import PatientStore
from alexa_oauth.storage.store import Opening, SqliteStore
from alexa_oauth.supervisor import AddOnOptions
from alexa_oauth.web.pages import Pages
from alexa_oauth.web.parts import Parts, PublicFace, UnknownProxies
from alexa_oauth.web.routes import public_application

entropy: Final[Entropy] = os.urandom


def read_clocks() -> Reading:
    """Both clocks. The running one counts while the machine sleeps, where the system has such a clock."""
    return Reading(time.time(), time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)))


def system_clock() -> Clock:
    """This machine's, of which nothing is doubted yet."""
    return Clock(read_clocks)


@dataclass(frozen=True, slots=True)
class Recorder:
    """What becomes of events: log lines, counts, and sums of refusals that cost no write."""

    ledger: RefusalLedger
    metrics: Metrics
    sightings: Sightings

    def committed(self, events: Sequence[Event]) -> None:
        """These stand in the audit trail."""
        log_events(events)
        self.metrics.happened(events)

    def report(self, event: Event) -> None:
        """This one is to be summed, and written later."""
        log_events([event])
        self.metrics.happened([event])
        self.ledger.note(event)
        self.sightings.note(event)


@dataclass(frozen=True, slots=True)
class Server:
    """The objects of one running server. `supervised`: by Home Assistant, which keeps its log and shows its panel."""

    settings: Settings
    clock: Clock
    definitions: ClientDefinitions
    store: PatientStore
    recorder: Recorder
    lookout: Lookout
    notifications: Notifications | None
    outbound: Outbound
    public: web.Application
    admin: web.Application
    supervised: bool

    @property
    def adopted_as_of(self) -> str | None:
        """If the copy of the database took the place of a missing one: the instant that it shows, as ISO 8601 writes it."""
        opened = self.store.opened
        if opened is None or not opened.adopted:
            return None
        return datetime.fromtimestamp(opened.newest_instant or 0, UTC).isoformat()


def build(
    settings: Settings,
    definitions: ClientDefinitions,
    clock: Clock | None = None,
    chance: Entropy = entropy,
    *,
    supervisor_token: str | None = None,
) -> Server:
    """Put a server together; nothing is opened or bound yet. Another clock and another chance are for tests.

    `supervisor_token` is what Home Assistant hands to its add-ons.
    """
    clock, outbound, supervised = clock or system_clock(), Outbound(), supervisor_token is not None
    sightings = Sightings(settings.client_id, lambda: clock.instant().now)
    recorder = Recorder(RefusalLedger(), Metrics(time.perf_counter), sightings)
    store = PatientStore(lambda: open_store(settings, definitions, clock, chance, recorder))
    means = Means(store, clock.running, chance, outbound, supervisor_token)
    parts = _parts(settings, store, clock, means, recorder)
    alexa = _alexa(settings, definitions, sightings, means)
    keeping = _keeping(settings, store, clock, chance)
    lookout = Lookout(store, parts.policy.refresh_token_seconds)
    panel = admin_application(_panel(settings, parts, means, _PanelOnly(alexa, keeping, recorder.ledger, lookout, clock)))
    public, notifications = public_application(parts), _notifications(settings, means)
    return Server(settings, clock, definitions, store, recorder, lookout, notifications, outbound, public, panel, supervised)


def outside() -> Outside:
    """The world, as the doctor calls it."""
    return Outside(resolve, connect, ssl.create_default_context, lambda: int(time.time()), lambda: read_clocks().running)


def open_store(
    settings: Settings, definitions: ClientDefinitions, clock: Clock, chance: Entropy, recorder: Recorder
) -> SqliteStore:
    """Open the database for serving, and judge the clock by what stands in it."""
    store = SqliteStore.open(
        settings.data_dir,
        Opening(
            master_key=master_key(settings),
            instant=clock.instant,
            entropy=chance,
            definitions=definitions.definitions,
            on_commit=recorder.committed,
            serving=True,
            metrics=recorder.metrics,
        ),
    )
    clock.compare_with(store.newest_instant)
    definitions.add_vendor_ids(store.read(lambda tx: tx.clients.vendor_ids()))
    return store


def _alexa(settings: Settings, definitions: ClientDefinitions, sightings: Sightings, means: Means) -> BuiltInClient:
    token = means.supervisor_token
    options = AddOnOptions(means.outbound, token) if token is not None else None
    return BuiltInClient(settings, definitions, sightings, options)


def _notifications(settings: Settings, means: Means) -> Notifications | None:
    if settings.home_assistant_token is None:
        return None
    addresses = home_assistant_addresses(settings, is_add_on=means.supervisor_token is not None)
    return Notifications(Access(addresses, settings.home_assistant_token), means.outbound.session, means.running)


def _keeping(settings: Settings, store: PatientStore, clock: Clock, chance: Entropy) -> PanelKeeping:
    opening = Opening(master_key(settings), clock.instant, chance, definitions=dict, on_commit=log_events, serving=False)
    return PanelKeeping(PanelSetting(settings, clock.running), store, opening)


def checks(store: PatientStore, clock: Clock) -> Mapping[str, str]:
    """What `/health` tells, from memory."""
    return {**store.checks(), "clock": "doubtful" if clock.doubtful else "ok"}


def master_key(settings: Settings) -> bytes | None:
    """The master key of the settings, 32 bytes; `None` if it is a file in `data_dir`."""
    return base64.urlsafe_b64decode(settings.encryption_key) if settings.encryption_key else None


def _parts(settings: Settings, store: PatientStore, clock: Clock, means: Means, recorder: Recorder) -> Parts:
    approval = chosen_approval(settings, means)
    return Parts(
        store=store,
        policy=policy_of(settings),
        face=_face(settings),
        sign_in=approval.sign_in,
        elsewhere=approval.elsewhere,
        button=approval.button,
        pages=Pages(),
        limiter=FailureLimiter(clock.running),
        entropy=means.entropy,
        report=recorder.report,
        checks=lambda: checks(store, clock),
        instance=lambda: store.instance,
        doubts_clock=lambda: clock.doubtful,
        unknown_proxies=UnknownProxies(recorder.report),
        metrics=recorder.metrics,
    )


@dataclass(frozen=True, slots=True)
class _PanelOnly:
    """What the panel needs and the public face does not."""

    alexa: BuiltInClient
    keeping: PanelKeeping
    ledger: RefusalLedger
    lookout: Lookout
    clock: Clock


def _panel(settings: Settings, parts: Parts, means: Means, own: _PanelOnly) -> AdminParts:
    sign_in = parts.sign_in
    checkup = _checkup(settings, parts, means, own)
    return AdminParts(
        store=means.store,
        policy=parts.policy,
        entropy=parts.entropy,
        running=means.running,
        caution=WEAK_SIGN_INS.get(settings.sign_in),
        alexa=own.alexa,
        has_address=(settings.public_url or "").startswith("https://"),
        asks_for_code=settings.sign_in == PairingCode.way,
        button=parts.button,
        is_guessed_at=sign_in.is_guessed_at if isinstance(sign_in, PairingCode) else lambda: False,
        is_supervised=own.alexa.is_of_an_add_on,
        counted=own.ledger.sums,
        keeping=own.keeping,
        version=parts.version,
        metrics=parts.metrics,
        doctor=checkup,
        lookout=own.lookout,
        examination=Examination(checkup.examine),
        checks=parts.checks,
        metrics_token=settings.metrics_token,
        clock=own.clock,
    )


def _checkup(settings: Settings, parts: Parts, means: Means, own: _PanelOnly) -> Checkup:
    return Checkup(
        settings=settings,
        store=means.store,
        checks=parts.checks,
        instance=parts.instance,
        world=outside(),
        counted=own.ledger.sums,
        daily_copy=own.keeping.daily_copy,
    )


def policy_of(settings: Settings) -> Policy:
    """What the settings say of the rules."""
    return Policy(
        issuer=settings.issuer,
        code_seconds=settings.code_seconds,
        access_token_seconds=settings.access_token_seconds,
        refresh_token_seconds=settings.refresh_token_days * 86_400,
    )


def _face(settings: Settings) -> PublicFace:
    return PublicFace(
        origin=settings.issuer,
        is_configured=settings.public_url is not None,
        trusted_proxies=settings.trusted_proxies,
        self_test=settings.self_test,
    )
