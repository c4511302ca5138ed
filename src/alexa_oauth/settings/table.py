"""The settings: one table, read from environment and options, with every fault told at once.

Each row of `Settings` says how its value is read, its default, whether it is a secret (`repr=False`) and what it is for.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from alexa_oauth.settings import values as read
from alexa_oauth.settings.sign_in_choices import NEEDED_BY, WEAK_SIGN_INS

Network = read.Network
PREFIX: Final = "ALEXA_OAUTH_"
CLIENTS_FILE: Final = "oauth_clients.json"
BUILT_SIGN_INS: Final = ("pairing_code", "home_assistant", "password", "amazon", "approve_only")

_ADD_ON: Final = "SUPERVISOR_TOKEN"
"""Set by Home Assistant for its add-ons, and for them alone."""
_ALIASES: Final = {"encryption_key": "OAUTH_ENCRYPTION_KEY"}
_NOT_OURS: Final = ("BACKUP_PASSPHRASE", "BACKUP_PASSPHRASE_FILE", "OPTIONS_FILE")
"""Names with our prefix that commands read for themselves."""
_FILE: Final = "_FILE"
_QUOTED_CHARACTERS: Final = 80
_DATA_DIR: Final = Path("data")
_CERTIFICATES: Final = Path("/ssl")
"""Where Home Assistant lays the certificates that add-ons name without a folder."""
_HERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
"""What stands for every address of the machine, and how the machine itself reaches it; asyncio's `::` is IPv6 alone."""


def _row(reader: read.Reader[object], purpose: str) -> dict[str, object]:
    return {"read": reader, "purpose": purpose}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator chose. Secrets are left out of `repr`."""

    host: str = field(default="127.0.0.1", metadata=_row(read.host, "Address on which the public endpoints listen"))
    port: int = field(default=8096, metadata=_row(read.port, "Port of the public endpoints; 0 is any that is free"))
    admin_host: str = field(default="127.0.0.1", metadata=_row(read.host, "Address on which the panel listens"))
    admin_port: int = field(default=8099, metadata=_row(read.port, "Port of the panel; 0 is any that is free"))
    data_dir: Path = field(default=_DATA_DIR, metadata=_row(read.path, "Folder of database, key and backups"))
    public_url: str | None = field(
        default=None, metadata=_row(read.public_origin, "The https address under which the internet reaches this server")
    )
    sign_in: str = field(
        default="pairing_code",
        metadata=_row(read.one_of(*BUILT_SIGN_INS), "How people prove who they are before they approve"),
    )
    anyone_may_approve: bool = field(
        default=False, metadata=_row(read.boolean, "Allow sign_in approve_only behind an https public_url")
    )
    approvers: tuple[str, ...] = field(
        default=("admins",), metadata=_row(read.approvers, "Who may approve: admins, everyone, or Home Assistant user ids")
    )
    vendor_ids: tuple[str, ...] = field(
        default=(), metadata=_row(read.vendor_ids, "Vendor ids of the Amazon developer accounts that own the skill")
    )
    client_id: str = field(default="amazon-alexa", metadata=_row(read.client_id, "Id of the built-in client"))
    client_secret: str | None = field(
        default=None, repr=False, metadata=_row(read.secret, "Secret of the built-in client; unset, one is made at first")
    )
    clients_file: Path = field(metadata=_row(read.path, f"File of further clients; <data_dir>/{CLIENTS_FILE} unless set"))
    home_assistant_url: str | None = field(
        default=None, metadata=_row(read.origin, "Home Assistant's address as browsers reach it")
    )
    home_assistant_internal_url: str | None = field(
        default=None, metadata=_row(read.origin, "Home Assistant's address as this server reaches it")
    )
    home_assistant_token: str | None = field(
        default=None, repr=False, metadata=_row(read.secret, "Long-lived token with which Home Assistant is told what is unusual")
    )
    self_test: bool = field(
        default=False, metadata=_row(read.boolean, "Let loopback clients marked auto_approve pass without a page")
    )
    metrics_token: str | None = field(
        default=None, repr=False, metadata=_row(read.secret, "Bearer token that lets any machine read the metrics")
    )
    encryption_key: str | None = field(
        default=None, repr=False, metadata=_row(read.encryption_key, "Master key; unset, it is a file in data_dir")
    )
    access_token_seconds: int = field(default=1_800, metadata=_row(read.integer(360, 3_600), "How long an access token lives"))
    code_seconds: int = field(default=300, metadata=_row(read.integer(30, 600), "How long an authorization code lives"))
    refresh_token_days: int = field(
        default=90,
        metadata=_row(read.integer(7, 3_650, or_zero=True), "How long an unused refresh token lives; 0 is for ever"),
    )
    trusted_proxies: tuple[read.Network, ...] = field(
        default=(), metadata=_row(read.networks, "Addresses and networks of proxies whose X-Forwarded-For is believed")
    )
    log_level: str = field(
        default="info", metadata=_row(read.one_of("debug", "info", "warning", "error"), "The least level that is logged")
    )
    log_format: str = field(default="console", metadata=_row(read.one_of("console", "json"), "How log lines look"))
    ssl: bool = field(default=False, metadata=_row(read.boolean, "Serve the public endpoints over TLS"))
    certfile: Path | None = field(
        default=None, metadata=_row(read.path, f"Certificate chain for ssl; relative to {_CERTIFICATES}")
    )
    keyfile: Path | None = field(default=None, metadata=_row(read.path, f"Private key for ssl; relative to {_CERTIFICATES}"))
    amazon_client_id: str | None = field(
        default=None, metadata=_row(read.client_id, "Client id of the Login with Amazon security profile")
    )
    amazon_client_secret: str | None = field(
        default=None, repr=False, metadata=_row(read.secret, "Client secret of that security profile")
    )
    amazon_region: str = field(
        default="na", metadata=_row(read.one_of("na", "eu", "fe"), "Login with Amazon's region: North America, Europe, Far East")
    )
    amazon_allowed: tuple[str, ...] = field(
        default=(), metadata=_row(read.amazon_user_ids, "Amazon user ids that may approve; none: an administrator confirms one")
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table."""

    name: str
    read: read.Reader[object]
    secret: bool
    purpose: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that hold the value; with `_FILE` behind it, each names a file that does."""
        usual = PREFIX + self.name.upper()
        return (usual, _ALIASES[self.name]) if self.name in _ALIASES else (usual,)


SETTINGS: Final = tuple(
    Setting(row.name, row.metadata["read"], not row.repr, row.metadata["purpose"]) for row in fields(Settings)
)
"""The table, as the documentation and the reading of it need it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and lines that the operator should see although the server starts."""

    settings: Settings
    warnings: tuple[str, ...]


class SettingsRefused(Exception):
    """Settings with which no start can succeed: one line for each fault, no secret in any."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(environ: Mapping[str, str], options: Mapping[str, object]) -> Loaded:
    """The environment beats the options, and these the defaults; what is empty counts as not set. `SettingsRefused`."""
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for setting in SETTINGS:
        try:
            found = _find(setting, environ, options)
            if found is not None:
                values[setting.name] = _read(setting, found)
        except read.Unfit as unfit:
            faults[setting.name] = f"{unfit.problem}; allowed: {unfit.allowed}"
    values.setdefault("clients_file", values.get("data_dir", _DATA_DIR) / CLIENTS_FILE)
    for name in ("certfile", "keyfile"):
        if name in values:
            values[name] = _CERTIFICATES / values[name]
    settings = Settings(**values)
    missing = {**dict(_missing_for_sign_in(settings, environ)), **dict(_missing_for_notifications(settings, environ))}
    faults = {**dict(_contradictions(settings)), **missing, **faults}
    if faults:
        raise SettingsRefused(tuple(f"{name}: {fault}" for name, fault in faults.items()))
    return Loaded(settings, tuple(_warnings(settings, environ, options)))


def plain(settings: Settings) -> dict[str, str]:
    """What is no secret and not as it is by default, as the environment would write it."""
    found = {}
    for row in fields(Settings):
        value = getattr(settings, row.name)
        if row.repr and value != row.default:
            found[row.name] = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return found


def origin_here(host: str, port: int, *, tls: bool = False) -> str:
    """The origin under which a listener on that address answers on this machine."""
    name = _HERE.get(host, host)
    return f"{'https' if tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"


def _find(setting: Setting, environ: Mapping[str, str], options: Mapping[str, object]) -> object | None:
    candidates = [name for variable in setting.variables for name in (variable, variable + _FILE) if environ.get(name)]
    if len(candidates) > 1:
        raise read.Unfit(f"it is given more than once, by {' and '.join(candidates)}", "one of them")
    if not candidates:
        option = options.get(setting.name)
        return None if option in ("", []) else option
    (name,) = candidates
    return environ[name] if name in setting.variables else _content(name, Path(environ[name]))


def _content(variable: str, path: Path) -> str:
    try:
        content = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise read.Unfit(f"{variable} names a file that cannot be read ({why})", "a readable file") from error
    return content.removesuffix("\n").removesuffix("\r")


def _read(setting: Setting, found: object) -> object:
    try:
        return setting.read(found)
    except read.Unfit as unfit:
        value = "the value" if setting.secret else _quoted(found)
        raise read.Unfit(f"{value} {unfit.problem}", unfit.allowed) from unfit


def _quoted(value: object) -> str:
    """The value on one line, short, without what a URL may hold of passwords and keys."""
    shown = re.sub(r"//[^/]*@", "//…@", value) if isinstance(value, str) else value
    shown = re.sub(r"[?#].*", "?…", shown, flags=re.DOTALL) if isinstance(shown, str) else shown
    line = json.dumps(shown, default=str)
    return line if len(line) <= _QUOTED_CHARACTERS else f"{line[:_QUOTED_CHARACTERS]}…"


def _contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is wrong with settings that are each sound."""
    if settings.port == settings.admin_port != 0:
        yield "admin_port", f"{settings.admin_port} is the public port too; allowed: two different ports"
    is_https = (settings.public_url or "").startswith("https://")
    if settings.sign_in == "approve_only" and is_https and not settings.anyone_may_approve:
        allowed = f"{BUILT_SIGN_INS[0]}, or anyone_may_approve true"
        yield "sign_in", f'"approve_only" would let anybody on the internet link your home; allowed: {allowed}'
    if settings.ssl:
        for name, file in (("certfile", settings.certfile), ("keyfile", settings.keyfile)):
            if file is None:
                yield name, "it is not set; allowed: a readable file, since ssl is on"
            elif not _is_readable(file):
                yield name, f"{_quoted(str(file))} cannot be read; allowed: a readable file, since ssl is on"


def _missing_for_sign_in(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What the chosen way to sign in needs and does not have."""
    needs = {name: value for name, value in NEEDED_BY.get(settings.sign_in, {}).items() if getattr(settings, name) is None}
    for name, needed in needs.items():
        yield name, f"it is not set; allowed: {needed}, since sign_in is {settings.sign_in}"
    if settings.sign_in == "password":
        if _ADD_ON not in environ:
            allowed = ", ".join(way for way in BUILT_SIGN_INS if way not in {"password", "approve_only"})
            yield "sign_in", f'"password" works in the add-on alone, where Home Assistant checks passwords; allowed: {allowed}'
        if not {*settings.approvers} <= {"admins", "everyone"}:
            yield "approvers", "it names user ids, and sign_in password learns of none; allowed: everyone"


def _missing_for_notifications(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    addresses = (settings.home_assistant_url, settings.home_assistant_internal_url)
    if settings.home_assistant_token is not None and _ADD_ON not in environ and not any(addresses):
        allowed = "a token beside home_assistant_internal_url or home_assistant_url"
        yield "home_assistant_token", f"nothing says where Home Assistant is; allowed: {allowed}"


def _is_readable(file: Path) -> bool:
    try:
        with file.open("rb"):
            return True
    except OSError:
        return False


def _warnings(settings: Settings, environ: Mapping[str, str], options: Mapping[str, object]) -> Iterator[str]:
    if settings.sign_in in WEAK_SIGN_INS:
        yield WEAK_SIGN_INS[settings.sign_in]
    variables = [name for setting in SETTINGS for variable in setting.variables for name in (variable, variable + _FILE)]
    variables += [PREFIX + name for name in _NOT_OURS]
    for name in environ:
        if name.startswith(PREFIX) and name not in variables:
            yield f"{_printable(name)} is not a setting{_guess(name, variables)}"
    names = [setting.name for setting in SETTINGS]
    for name in options:
        if name not in names:
            yield f"the option {_printable(name)} is not a setting{_guess(name, names)}"


def _printable(name: str) -> str:
    return name if name.isprintable() else json.dumps(name)


def _guess(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
