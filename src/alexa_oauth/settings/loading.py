"""The settings of one start, read from environment and options, with every fault told at once."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alexa_oauth.settings import values as read
from alexa_oauth.settings.sign_in_choices import NEEDED_BY, WEAK_SIGN_INS
from alexa_oauth.settings.table import BUILT_SIGN_INS, CERTIFICATES, CLIENTS_FILE, DATA_DIR, PREFIX, SETTINGS, Setting, Settings

_ADD_ON: Final = "SUPERVISOR_TOKEN"
"""Set by Home Assistant for its add-ons, and for them alone."""
_NOT_OURS: Final = ("BACKUP_PASSPHRASE", "BACKUP_PASSPHRASE_FILE", "OPTIONS_FILE")
"""Names with our prefix that commands read for themselves."""
_FILE: Final = "_FILE"
_QUOTED_CHARACTERS: Final = 80


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
    values.setdefault("clients_file", values.get("data_dir", DATA_DIR) / CLIENTS_FILE)
    for name in ("certfile", "keyfile"):
        if name in values:
            values[name] = CERTIFICATES / values[name]
    settings = Settings(**values)
    missing = {**dict(_missing_for_sign_in(settings, environ)), **dict(_missing_for_notifications(settings, environ))}
    faults = {**dict(_contradictions(settings)), **missing, **faults}
    if faults:
        raise SettingsRefused(tuple(f"{name}: {fault}" for name, fault in faults.items()))
    return Loaded(settings, tuple(_warnings(settings, environ, options)))


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
