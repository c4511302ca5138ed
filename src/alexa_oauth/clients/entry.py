"""One entry of the clients file: what its keys may hold, and the client that comes of it."""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from alexa_oauth.protocol.alexa import are_all_alexas
from alexa_oauth.protocol.credentials import secret_digest
from alexa_oauth.protocol.models import Client, ClientType, PkceRule, RefreshProfile
from alexa_oauth.protocol.policy import SCOPES
from alexa_oauth.protocol.redirect_uri import is_loopback
from alexa_oauth.settings.values import Unfit, client_id, origin, secret

Word = TypeVar("Word", bound=StrEnum)

_NAME_CHARACTERS: Final = 100
_REDIRECT_URI: Final = re.compile(r"(https?://[A-Za-z0-9.:\[\]-]+)(?:[/?][A-Za-z0-9._~:/?@!$&'()+,;=%\[\]-]*)?")
_REDIRECT_URIS: Final = "https://…, or http:// for 127.0.0.1, [::1] and localhost, spelled out as it will be sent"
_WHY_NOT: Final = (
    ("#", "has a fragment (RFC 6749 §3.1.2)"),
    ("*", "has a wildcard, and redirect URIs are compared byte for byte"),
    ("@", "names a user"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an entry: at `key`, or with the whole of it where `key` is `None`."""

    key: str | None
    problem: str
    allowed: str


class EntryRefused(Exception):
    """An entry that no client can be made of, with all that is wrong with it."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


def read_entry(name: str, entry: object, built_in: Client) -> Client:
    """The client of that id. `EntryRefused`.

    An entry that replaces the built-in client and gives no secret keeps the built-in client's, or the one that the server
    makes. The secret of a public client is not looked at: PKCE is what protects it.
    """
    if not isinstance(entry, dict):
        raise EntryRefused((Fault(None, "is not an object", '{"client_type": …, "redirect_uris": […]}'),))
    values, faults = _read_values(entry)
    faults += _unfit_id(name)
    faults += _missing(entry, is_built_in=name == built_in.client_id)
    faults += _contradictions(values)
    if faults:
        raise EntryRefused(tuple(faults))
    return _client(name, values, built_in)


def _client(name: str, values: Mapping[str, Any], built_in: Client) -> Client:
    is_public = values["client_type"] is ClientType.PUBLIC
    is_built_in = name == built_in.client_id
    digests = values.get("client_secrets") or values.get("client_secret") or (built_in.secret_digests if is_built_in else ())
    usual = RefreshProfile.OVERLAP if are_all_alexas(values["redirect_uris"]) else RefreshProfile.STRICT_WINDOW
    return Client(
        client_id=name,
        client_type=values["client_type"],
        redirect_uris=values["redirect_uris"],
        name=values.get("name", built_in.name if is_built_in else name),
        scopes=values.get("scopes", SCOPES),
        pkce=values.get("pkce", PkceRule.REQUIRED if is_public else PkceRule.OPTIONAL),
        refresh=values.get("refresh", usual),
        introspect=values.get("introspect", False),
        auto_approve=values.get("auto_approve", False),
        secret_digests=() if is_public else digests,
    )


def _read_values(entry: Mapping[str, object]) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults = []
    for key, value in entry.items():
        read = _READERS.get(key) or _unknown(key)
        try:
            values[key] = read(value)
        except Unfit as unfit:
            faults.append(Fault(key, unfit.problem, unfit.allowed))
    return values, faults


def _unfit_id(name: str) -> Iterator[Fault]:
    try:
        client_id(name)
    except Unfit as unfit:
        yield Fault(None, unfit.problem, unfit.allowed)


def _missing(entry: Mapping[str, object], *, is_built_in: bool) -> Iterator[Fault]:
    for key, allowed in (("client_type", "public or confidential"), ("redirect_uris", f"a list of {_REDIRECT_URIS}")):
        if key not in entry:
            yield Fault(None, f'has no "{key}"', allowed)
    is_confidential = entry.get("client_type") == ClientType.CONFIDENTIAL
    if is_confidential and not is_built_in and entry.keys().isdisjoint(("client_secret", "client_secrets")):
        yield Fault(None, 'is confidential and has no "client_secret"', "a client_secret, or client_type public with PKCE")


def _contradictions(values: Mapping[str, Any]) -> Iterator[Fault]:
    if "client_secret" in values and "client_secrets" in values:
        yield Fault("client_secrets", 'stands beside "client_secret"', "one of them")
    if values.get("client_type") is ClientType.PUBLIC:
        if values.get("pkce") is PkceRule.OPTIONAL:
            yield Fault("pkce", "is optional for a public client, whose codes nothing else protects", "required")
        if values.get("introspect"):
            yield Fault("introspect", "would answer anybody, for a public client has no secret (RFC 7662 §2.1)", "false")
    if values.get("auto_approve") and not all(is_loopback(uri) for uri in values.get("redirect_uris", ())):
        allowed = "true only where every redirect URI is http://127.0.0.1, http://[::1] or http://localhost"
        yield Fault("auto_approve", "would give codes to another machine without asking anybody", allowed)


def _unknown(key: str) -> Callable[[object], object]:
    close = difflib.get_close_matches(key, _READERS, n=1)
    guess = f" (did you mean {close[0]}?)" if close else ""

    def read(_value: object) -> object:
        raise Unfit(f"is not known{guess}", ", ".join(_READERS))

    return read


def _word_of(words: type[Word]) -> Callable[[object], Word]:
    def read(value: object) -> Word:
        if not isinstance(value, str) or value not in tuple(words):
            raise Unfit("is not known", ", ".join(words))
        return words(value)

    return read


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise Unfit("is not a list with text in it", 'such as ["first", "second"]')
    return tuple(dict.fromkeys(value))


def _redirect_uris(value: object) -> tuple[str, ...]:
    found = _texts(value)
    problems = [f"{_shown(uri)} {problem}" for uri in found if (problem := _problem_of(uri)) is not None]
    if problems:
        raise Unfit("; ".join(problems), _REDIRECT_URIS)
    return found


def _problem_of(uri: str) -> str | None:
    match = _REDIRECT_URI.fullmatch(uri)
    if match is None:
        named = (why for mark, why in _WHY_NOT if mark in uri)
        return next(named, "is not an absolute URI of visible ASCII characters")
    try:
        origin(match[1])
    except Unfit:
        return "has an impossible host or port"
    return None if uri.startswith("https://") or is_loopback(uri) else "is not https"


def _shown(uri: str) -> str:
    """On one line, and without a password or a query."""
    without_user = re.sub(r"//[^/]*@", "//…@", uri.partition("?")[0])
    return json.dumps(without_user[:_NAME_CHARACTERS], ensure_ascii=not without_user.isprintable())


def _secret(value: object) -> tuple[bytes, ...]:
    return (secret_digest(secret(value)),)


def _secrets(value: object) -> tuple[bytes, ...]:
    return tuple(secret_digest(secret(item)) for item in _texts(value))


def _scopes(value: object) -> tuple[str, ...]:
    found = _texts(value)
    unknown = [json.dumps(scope) for scope in found if scope not in SCOPES]
    if unknown:
        raise Unfit(f"holds {', '.join(unknown)}, which does not exist", ", ".join(SCOPES))
    return found


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _NAME_CHARACTERS:
        raise Unfit("is not a name", f"1 to {_NAME_CHARACTERS} printable characters")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unfit("is neither true nor false", "true or false, without quotation marks")
    return value


_READERS: Final[dict[str, Callable[[object], object]]] = {
    "client_type": _word_of(ClientType),
    "redirect_uris": _redirect_uris,
    "name": _name,
    "client_secret": _secret,
    "client_secrets": _secrets,
    "scopes": _scopes,
    "pkce": _word_of(PkceRule),
    "refresh": _word_of(RefreshProfile),
    "introspect": _flag,
    "auto_approve": _flag,
}
