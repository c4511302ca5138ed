"""The clients that these libraries play, and what every one of them must have received."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SCOPES: Final = ["music.read", "music.control"]
SCOPE: Final = " ".join(SCOPES)
LIFETIME: Final = 1_800

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{43,}=*")
"""RFC 6750 §2.1, and no shorter than 256 bits are in Base64."""

_SECRET: Final = "se:cret+with%2Bwhat/Basic=gets&wrong~!*'()"
"""Libraries disagree whether id and secret are form-encoded before Base64 (RFC 6749 §2.3.1): this one shows which does what."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as it is registered at the server, with the method by which it authenticates (RFC 8414 names)."""

    method: str
    client_id: str
    client_secret: str | None
    redirect_uri: str

    @property
    def is_public(self) -> bool:
        return self.client_secret is None


PLAIN_REDIRECT_URI: Final = "https://client.test/callback"
WEB_REDIRECT_URI: Final = f"{PLAIN_REDIRECT_URI}?from=music"
NATIVE_REDIRECT_URI: Final = "http://127.0.0.1/callback"
RESOURCE_SERVER: Final = Registered("client_secret_basic", "music-assistant", _SECRET[::-1], "https://resource.test/callback")

BASIC: Final = Registered("client_secret_basic", "web-client", _SECRET, WEB_REDIRECT_URI)
POST: Final = Registered("client_secret_post", "web-client", _SECRET, WEB_REDIRECT_URI)
PUBLIC: Final = Registered("none", "native-client", None, "http://127.0.0.1:49152/callback")
"""A native application takes whatever port is free (RFC 8252 §7.3)."""

EVERYONE: Final = (BASIC, POST, PUBLIC)

CLIENTS_FILE: Final[dict[str, dict[str, Any]]] = {
    "web-client": {
        "client_type": "confidential",
        "client_secret": _SECRET,
        "redirect_uris": [WEB_REDIRECT_URI, PLAIN_REDIRECT_URI],
        "introspect": True,
    },
    "native-client": {"client_type": "public", "redirect_uris": [NATIVE_REDIRECT_URI]},
    "music-assistant": {
        "client_type": "confidential",
        "client_secret": RESOURCE_SERVER.client_secret,
        "redirect_uris": [RESOURCE_SERVER.redirect_uri],
        "introspect": True,
    },
}


def check_tokens(answer: Mapping[str, Any]) -> None:
    """A token response (RFC 6749 §5.1); libraries may have added members of their own, such as `expires_at`."""
    assert answer["token_type"].lower() == "bearer"  # some libraries write it small
    assert type(answer["expires_in"]) is int
    assert answer["expires_in"] == LIFETIME
    assert set(answer["scope"] if isinstance(answer["scope"], list) else answer["scope"].split()) == set(SCOPES)
    for name in ("access_token", "refresh_token"):
        assert _TOKEN.fullmatch(answer[name])


def check_rotated(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """A refresh of a client that is not Alexa: a new pair."""
    check_tokens(new)
    assert new["access_token"] != old["access_token"]
    assert new["refresh_token"] != old["refresh_token"]


def check_active(described: Mapping[str, Any], client: Registered, issuer: str) -> None:
    """The description of a living access token (RFC 7662 §2.2)."""
    assert described == {
        "active": True,
        "scope": SCOPE,
        "client_id": client.client_id,
        "sub": "local",
        "iss": issuer,
        "token_type": "Bearer",
        "iat": described["exp"] - LIFETIME,
        "exp": described["exp"],
    }


INACTIVE: Final = {"active": False}
