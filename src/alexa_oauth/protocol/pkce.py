"""Proof key for code exchange (RFC 7636), with S256 alone."""

import hashlib
import re
from typing import Final

from alexa_oauth.protocol.credentials import base64url, is_same
from alexa_oauth.protocol.errors import ErrorCode, RequestRefused
from alexa_oauth.protocol.events import Reason

METHODS: Final = ("S256",)

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def check_challenge(challenge: str | None, method: str | None, *, required: bool) -> str | None:
    """The challenge of an authorization request (RFC 7636 §4.3), or `invalid_request`.

    A missing method means `plain` in the RFC; it is refused, never fallen back to (RFC 9700 §2.1.1).
    """
    if challenge is None:
        if required:
            raise _refused("This client must use PKCE: code_challenge is missing", Reason.CHALLENGE_MISSING)
        if method is not None:
            raise _refused("code_challenge_method was sent without code_challenge", Reason.CHALLENGE_MISSING)
        return None
    if method not in METHODS:
        raise _refused("code_challenge_method must be S256", Reason.CHALLENGE_METHOD_UNSUPPORTED)
    if not _CHALLENGE.fullmatch(challenge):
        raise _refused("code_challenge must be 43 characters of base64url", Reason.CHALLENGE_MALFORMED)
    return challenge


def is_verified(challenge: str, verifier: str) -> bool:
    """RFC 7636 §4.6."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    return is_same(challenge_of(verifier), challenge)


def challenge_of(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())


def _refused(description: str, reason: Reason) -> RequestRefused:
    return RequestRefused(ErrorCode.INVALID_REQUEST, description, reason)
