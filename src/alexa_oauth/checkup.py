"""What the doctor is told of this machine: settings, clients, rows and disk, gathered alike for command line and panel."""

import asyncio
import platform
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from alexa_oauth import __version__
from alexa_oauth.clients.definitions import ClientDefinitions, ClientsFileRefused
from alexa_oauth.diagnosis.attempt import Attempt
from alexa_oauth.diagnosis.attempts import read_attempts
from alexa_oauth.diagnosis.checks.inside import Inside, check_inside
from alexa_oauth.diagnosis.counted import with_counted
from alexa_oauth.diagnosis.doctor import examine
from alexa_oauth.diagnosis.findings import Finding
from alexa_oauth.diagnosis.joining import strays_beside
from alexa_oauth.diagnosis.outside import Outside
from alexa_oauth.diagnosis.report import report
from alexa_oauth.protocol.alexa import are_all_alexas
from alexa_oauth.protocol.errors import RowDamaged, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.keeping import DailyCopy
from alexa_oauth.protocol.models import Client
from alexa_oauth.protocol.reading import EventQuery, History, HistoryQuery, ReadableStore, RecordedEvent
from alexa_oauth.settings.table import Network, Settings

_PROXIES_TOLD: Final = 8
_ATTEMPTS_READ: Final = 25
_RECENT_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database has to say.

    `last_use_of` by client, the instant at which it last used a link; `failed_copy` is the newest copy that could not be made.
    `strays` and `refused` are refused calls that name no attempt, the former about the time of the histories, the latter of the
    last days.
    """

    has_secret: bool
    unknown_proxies: tuple[str, ...]
    links_of: Mapping[str, int]
    last_use_of: Mapping[str, int]
    histories: Sequence[History]
    strays: Sequence[RecordedEvent]
    refused: Sequence[RecordedEvent]
    failed_copy: RecordedEvent | None
    now: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking the database at `now`: its rows; or `damage`, which of them does not open; or another `problem`.

    The problem is `None` where there is no database yet. Without rows, damage and problem it cannot be read at the moment.
    """

    now: int
    rows: Rows | None = None
    damage: str = ""
    problem: str | None = ""


async def ask_database(store: ReadableStore, settings: Settings, now: int, counted: Iterable[Event] = ()) -> Asked:
    """Ask, and tell of a damaged row as one; `counted` is what is not written yet. `StorageUnavailable`."""
    try:
        return Asked(now, _with(await read_rows(store, settings, now), counted))
    except RowDamaged as damaged:
        return Asked(now, damage=str(damaged))


async def read_rows(store: ReadableStore, settings: Settings, now: int) -> Rows:
    """Ask the database. `StorageUnavailable`, `RowDamaged`."""
    has_secret = store.read(lambda tx: tx.clients.show_secret(settings.client_id)) is not None
    async with store.reader() as reader:
        links = await reader.links(now)
        histories = await reader.histories(HistoryQuery(_ATTEMPTS_READ))
        strays = await strays_beside(reader, histories, now)
        refused = await reader.strays(now - _RECENT_SECONDS, now)
        failed = await reader.events(EventQuery(1, name=EventName.BACKUP_FAILED))
        proxies = await reader.events(EventQuery(_PROXIES_TOLD, name=EventName.PROXY_UNKNOWN))
    last_use_of: dict[str, int] = {}
    for link in links:
        last_use_of[link.client_id] = max(link.last_used_at, last_use_of.get(link.client_id, 0))
    recent = [told.event.address for told in proxies if told.at >= now - _RECENT_SECONDS]
    addresses = dict.fromkeys(address for address in recent if address is not None and _is_address(address))
    links_of, failed_copy = Counter(link.subject for link in links), failed[0] if failed else None
    return Rows(has_secret, tuple(addresses), links_of, last_use_of, histories, strays, refused, failed_copy, now)


def _with(rows: Rows, counted: Iterable[Event]) -> Rows:
    histories, strays = with_counted(rows.histories, rows.strays, counted, rows.now)
    return replace(rows, histories=histories, strays=strays, refused=[*rows.refused, *strays[len(rows.strays) :]])


def look_inside(settings: Settings, asked: Asked, checks: Mapping[str, str] | None, copy: DailyCopy | None) -> Inside:
    """Everything together. `checks` is what `/health` tells, `None` if nobody answers there."""
    rows = asked.rows
    clients, faults = _clients(settings)
    alexas = [client for client in clients.values() if are_all_alexas(client.redirect_uris)]
    alexa_ids = {client.client_id for client in alexas}
    alexa = clients.get(settings.client_id)
    signs_in_alone = alexa is not None and (alexa.is_public or bool(alexa.secret_digests))
    return Inside(
        public_url=settings.public_url,
        sign_in=settings.sign_in,
        refresh_token_days=settings.refresh_token_days,
        has_redirect_uris=bool(alexas),
        has_secret=signs_in_alone or rows is None or rows.has_secret,
        clients_faults=faults,
        checks=checks,
        database_problem=asked.problem,
        damage=asked.damage,
        free_bytes=_free_bytes(settings.data_dir),
        unknown_proxies=_still_unknown(settings, rows),
        links_of=None if rows is None else rows.links_of,
        alexa_came_at=None if rows is None else max((rows.last_use_of.get(one, 0) for one in alexa_ids), default=None),
        attempts=() if rows is None else _attempts(rows, clients),
        refused=() if rows is None else tuple(told for told in rows.refused if told.event.client_id in alexa_ids),
        copy=copy,
        copy_failed=_failed_since(copy, rows),
        now=asked.now,
    )


def _failed_since(copy: DailyCopy | None, rows: Rows | None) -> str:
    """Why no newer copy could be made; empty if none failed since that one."""
    failed = rows.failed_copy if rows is not None else None
    if failed is None or (copy is not None and failed.at <= copy.made_at):
        return ""
    return failed.event.detail.get("problem", "")


def _clients(settings: Settings) -> tuple[Mapping[str, Client], tuple[str, ...]]:
    try:
        return ClientDefinitions(settings).definitions(), ()
    except ClientsFileRefused as refused:
        return {}, refused.faults


def _attempts(rows: Rows, clients: Mapping[str, Client]) -> tuple[Attempt, ...]:
    def redirect_uris(client_id: str | None) -> tuple[str, ...]:
        client = clients.get(client_id or "")
        return client.redirect_uris if client is not None else ()

    return read_attempts(rows.histories, rows.strays, rows.now, redirect_uris)


def _still_unknown(settings: Settings, rows: Rows | None) -> tuple[str, ...]:
    """Those that are trusted by now are known by now."""
    found = () if rows is None else rows.unknown_proxies
    return tuple(address for address in found if not _is_within(ip_network(address), settings.trusted_proxies))


def _is_address(address: str) -> bool:
    """A sum over many addresses names none."""
    try:
        ip_network(address)
    except ValueError:
        return False
    return True


def _is_within(network: Network, trusted: tuple[Network, ...]) -> bool:
    return any(
        (isinstance(network, IPv4Network) and isinstance(one, IPv4Network) and network.subnet_of(one))
        or (isinstance(network, IPv6Network) and isinstance(one, IPv6Network) and network.subnet_of(one))
        for one in trusted
    )


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def about(settings: Settings) -> Mapping[str, str]:
    """What a maintainer wants to know first, none of it private."""
    return {
        "version": __version__,
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "public_url": (settings.public_url or "unset").partition(":")[0],
        "sign_in": settings.sign_in,
        "refresh_token_days": str(settings.refresh_token_days),
    }


@dataclass(frozen=True, slots=True)
class Checkup:
    """The doctor beside a running server. `counted`: refusals that are not written yet."""

    settings: Settings
    store: ReadableStore
    checks: Callable[[], Mapping[str, str]]
    instance: Callable[[], str | None]
    world: Outside
    counted: Callable[[], Iterable[Event]]
    daily_copy: Callable[[], DailyCopy | None]

    async def look(self) -> tuple[Finding, ...]:
        """What shows without leaving the machine."""
        return tuple(check_inside(await self._inside()))

    async def examine(self, tell: Callable[[str], None]) -> tuple[Finding, ...]:
        """Every cause, with the public address called as Amazon does; `tell` hears what is being tried."""
        return await examine(await self._inside(), self.world, self.instance(), tell)

    def report(self, findings: Iterable[Finding]) -> str:
        """The findings for a bug tracker: nothing that tells whose they are."""
        return report(findings, about(self.settings))

    async def _inside(self) -> Inside:
        now = self.world.now()
        try:
            asked = await ask_database(self.store, self.settings, now, self.counted())
        except StorageUnavailable:
            asked = Asked(now)
        copy = await asyncio.to_thread(self.daily_copy)
        return look_inside(self.settings, asked, self.checks(), copy)
