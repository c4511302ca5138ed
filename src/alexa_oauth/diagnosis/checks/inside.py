"""What can be seen without leaving the machine: settings, clients, database, disk, clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from alexa_oauth.diagnosis.attempt import Attempt
from alexa_oauth.diagnosis.causes import address, console, path, person, tokens
from alexa_oauth.diagnosis.checks.recorded import check_recorded, check_refused
from alexa_oauth.diagnosis.findings import Evidence, Finding, failed, not_testable, passed, warned
from alexa_oauth.protocol.keeping import DailyCopy
from alexa_oauth.protocol.reading import RecordedEvent

ADVISED_DAYS: Final = 180
"""How long an unused refresh token should live at least, says Amazon."""
LITTLE_BYTES: Final = 200 * 1_048_576
TOO_LITTLE_BYTES: Final = 20 * 1_048_576


COPY_SECONDS: Final = 2 * 86_400
"""How old the newest daily copy may be."""
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Inside:
    """What the machine knows of itself.

    `checks` is what `/health` says, `None` if nothing answers there. `free_bytes` is `None` if nobody can say. `database_problem`
    and `clients_faults` are lines for the operator, empty if all is well; where there is no database yet, the first is `None`.
    `links_of` counts the living links of each subject; `attempts` are the last ones, newest first.
    `damage` says which table holds a row that does not open, empty if none was met.
    `refused` are calls in Alexa's name of the last days that name no attempt. `alexa_came_at` is when Alexa last used a link.
    `copy` is the newest daily copy, `copy_failed` why no newer one could be made.
    """

    public_url: str | None
    sign_in: str
    refresh_token_days: int
    has_redirect_uris: bool
    has_secret: bool
    clients_faults: tuple[str, ...] = ()
    checks: Mapping[str, str] | None = None
    database_problem: str | None = ""
    damage: str = ""
    free_bytes: int | None = None
    unknown_proxies: tuple[str, ...] = ()
    links_of: Mapping[str, int] | None = None
    attempts: tuple[Attempt, ...] = ()
    refused: tuple[RecordedEvent, ...] = ()
    alexa_came_at: int | None = None
    copy: DailyCopy | None = None
    copy_failed: str = ""
    now: int = 0

    @property
    def alexa_gets_through(self) -> bool:
        """Whether Alexa used a link within the last day: then whatever stands in the way, it stands elsewhere."""
        return self.alexa_came_at is not None and self.now - self.alexa_came_at < _DAY


def check_inside(inside: Inside) -> Iterator[Finding]:
    """Every cause that shows in here."""
    yield from _judge_public_url(inside)
    yield _judge_sign_in(inside)
    yield _judge_lifetime(inside)
    yield from _judge_clients(inside)
    yield from _judge_health(inside)
    yield _judge_database(inside)
    yield from _judge_rows(inside)
    yield from _judge_disk(inside)
    yield _judge_copy(inside)
    yield _judge_proxies(inside)
    yield from _judge_links(inside)
    yield from check_recorded(inside.attempts, inside.now)
    yield from check_refused(inside.refused, inside.alexa_came_at)


def _judge_public_url(inside: Inside) -> Iterator[Finding]:
    if inside.public_url is None:
        yield failed(address.PUBLIC_URL_UNSET)
        return
    yield passed(address.PUBLIC_URL_UNSET, f"The public address is {inside.public_url}.")
    if inside.public_url.startswith("https://"):
        yield passed(address.PUBLIC_URL_NOT_HTTPS, "The public address is https.")
    else:
        yield failed(address.PUBLIC_URL_NOT_HTTPS)


def _judge_sign_in(inside: Inside) -> Finding:
    if inside.sign_in == "approve_only":
        return warned(person.ANYONE_MAY_APPROVE)
    return passed(person.ANYONE_MAY_APPROVE, f"Who approves must prove who they are (sign_in is {inside.sign_in}).")


def _judge_lifetime(inside: Inside) -> Finding:
    days = inside.refresh_token_days
    if 0 < days < ADVISED_DAYS:
        sentence = f"A link that is unused for {days} days ends; Amazon advises to let it live for {ADVISED_DAYS} days at least."
        fix = f"Set refresh_token_days to {ADVISED_DAYS} or more, or 0 for no end."
        return warned(tokens.REFRESH_TOKEN_EXPIRED, sentence, fix)
    told = "never ends" if days == 0 else f"lives for {days} days"
    return passed(tokens.REFRESH_TOKEN_EXPIRED, f"A link that is not used {told}.")


def _judge_clients(inside: Inside) -> Iterator[Finding]:
    if inside.clients_faults:
        told = [Evidence("fault", fault, is_private=True, is_the_point=True) for fault in inside.clients_faults]
        yield failed(console.CLIENTS_FILE_BROKEN, evidence=told)
        return
    yield passed(console.CLIENTS_FILE_BROKEN, "The clients can be read.")
    if inside.has_redirect_uris:
        yield passed(console.VENDOR_IDS_UNSET, "Alexa's addresses are registered.")
    else:
        yield failed(console.VENDOR_IDS_UNSET)
    if inside.has_secret:
        yield passed(console.CLIENT_SECRET_UNSET, "The built-in client has what it signs in with.")
    else:
        yield failed(console.CLIENT_SECRET_UNSET)


def _judge_health(inside: Inside) -> Iterator[Finding]:
    if inside.checks is None:
        yield _down(inside)
        return
    told = [Evidence(name, outcome) for name, outcome in inside.checks.items()]
    yield passed(tokens.SERVER_DOWN, "The server runs.", told)
    yield passed(tokens.TWO_WORKERS, "One process serves this database; a second one would refuse to start.")
    database, clock = inside.checks.get("database", "ok"), inside.checks.get("clock", "ok")
    if database != "ok":
        yield failed(tokens.STORAGE_UNAVAILABLE, f"The database cannot be written: {database}.", evidence=told)
    else:
        yield passed(tokens.STORAGE_UNAVAILABLE, "The database can be written.", told)
    if clock != "ok":
        yield failed(tokens.CLOCK_WRONG, "The clock is in doubt, so nothing is refused for its age.", evidence=told)


def _down(inside: Inside) -> Finding:
    if inside.database_problem or inside.clients_faults:
        return not_testable(tokens.SERVER_DOWN, "The server does not run: another fault that was found keeps it from starting.")
    return failed(tokens.SERVER_DOWN)


def _judge_database(inside: Inside) -> Finding:
    if inside.database_problem is None:
        return not_testable(tokens.DATABASE_REFUSED, "There is no database yet: the server was never started here.")
    if inside.database_problem:
        told = Evidence("problem", inside.database_problem, is_private=True, is_the_point=True)
        return failed(tokens.DATABASE_REFUSED, evidence=[told])
    return passed(tokens.DATABASE_REFUSED, "The key opens the database.")


def _judge_rows(inside: Inside) -> Iterator[Finding]:
    if inside.damage:
        told = f"{inside.damage[0].upper()}{inside.damage[1:]}: the disk damaged it, or somebody changed it. It is never served."
        yield failed(tokens.ROW_DAMAGED, told)
    elif inside.links_of is not None:
        yield passed(tokens.ROW_DAMAGED, "Every living link opens.")


def _judge_disk(inside: Inside) -> Iterator[Finding]:
    if inside.free_bytes is None:
        return
    free = f"{inside.free_bytes // 1_048_576:,} MB are free where the data is."
    if inside.free_bytes < TOO_LITTLE_BYTES:
        yield failed(tokens.DISK_NEARLY_FULL, free)
    elif inside.free_bytes < LITTLE_BYTES:
        yield warned(tokens.DISK_NEARLY_FULL, free)
    else:
        yield passed(tokens.DISK_NEARLY_FULL, free)


def _judge_copy(inside: Inside) -> Finding:
    told = [Evidence("last failure", inside.copy_failed)] if inside.copy_failed else []
    copy = inside.copy
    if copy is None:
        if inside.copy_failed:
            return warned(tokens.COPY_STALE, f"No daily copy could be made: {inside.copy_failed}.", evidence=told)
        return not_testable(tokens.COPY_STALE, "There is no daily copy yet: the first is made some minutes after the start.")
    if copy.problem:
        return warned(tokens.COPY_STALE, f"The newest daily copy cannot be restored: {copy.problem}.", evidence=told)
    age = inside.now - copy.made_at
    if age > COPY_SECONDS:
        return warned(tokens.COPY_STALE, f"The newest daily copy is {age // _DAY} days old.", evidence=told)
    return passed(tokens.COPY_STALE, "The newest daily copy is fresh, and can be restored.")


def _judge_proxies(inside: Inside) -> Finding:
    if not inside.unknown_proxies:
        return passed(path.PROXY_UNKNOWN, "No request came through a proxy that is not configured.")
    addresses = ", ".join(inside.unknown_proxies)
    fix = f"If this is your reverse proxy, add to trusted_proxies: {addresses}"
    return warned(path.PROXY_UNKNOWN, f"Requests came through {addresses}, which trusted_proxies does not name.", fix)


def _judge_links(inside: Inside) -> Iterator[Finding]:
    if inside.links_of is None:
        return
    most = max(inside.links_of.values(), default=0)
    if most > 1:
        sentence = f"One person has {most} living links; they do no harm, but those that are not used can be ended."
        yield passed(tokens.OLD_ROWS, sentence)
    else:
        yield passed(tokens.OLD_ROWS, "Nobody has more than one living link.")
