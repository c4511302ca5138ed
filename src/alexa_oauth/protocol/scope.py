"""Scopes (RFC 6749 §3.3)."""

import re
from typing import Final

from alexa_oauth.protocol.errors import ErrorCode, RequestRefused
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.models import Scope

_SCOPE_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def parse(value: str) -> Scope:
    """The scope tokens in order, repetitions dropped. `invalid_scope` for what RFC 6749 §3.3 does not allow."""
    tokens = tuple(dict.fromkeys(token for token in value.split(" ") if token))
    if not all(_SCOPE_TOKEN.fullmatch(token) for token in tokens):
        raise RequestRefused(ErrorCode.INVALID_SCOPE, "The scope holds a character that is not allowed", Reason.SCOPE_MALFORMED)
    return tokens


def choose(value: str | None, allowed: Scope) -> tuple[Scope, Scope]:
    """What an authorization request gets and what is dropped: all that is allowed if it asks for nothing in particular.

    Unknown scopes beside known ones are dropped rather than refused, since a console may list more than we know.
    """
    asked = parse(value) if value else ()
    if not asked:
        return allowed, ()
    granted = tuple(token for token in asked if token in allowed)
    if not granted:
        raise RequestRefused(ErrorCode.INVALID_SCOPE, "None of the requested scopes exists here", Reason.SCOPE_UNKNOWN)
    return granted, tuple(token for token in asked if token not in allowed)


def narrow(value: str | None, granted: Scope, allowed: Scope) -> Scope:
    """The scope of a refresh (RFC 6749 §6): at most the granted one, cut to what the client may have now."""
    asked = parse(value) if value else ()
    if not set(asked) <= set(granted):
        raise RequestRefused(ErrorCode.INVALID_SCOPE, "The scope is wider than the one that was granted", Reason.SCOPE_WIDER)
    scope = tuple(token for token in granted if token in allowed and (not asked or token in asked))
    if not scope:
        raise RequestRefused(ErrorCode.INVALID_SCOPE, "The client may no longer have that scope", Reason.SCOPE_UNKNOWN)
    return scope
