"""Records as the rules would make them."""

from dataclasses import replace
from hashlib import sha256
from typing import Final

from alexa_oauth.protocol.models import (
    AuthorizationRequest,
    Client,
    ClientType,
    Grant,
    IssuedAccessToken,
    PendingRequest,
    PkceRule,
    RefreshProfile,
)

NOW: Final = 1_800_000_000
DAY: Final = 86_400
REDIRECT_URI: Final = "https://pitangui.amazon.com/api/skill/link/M2AAAAAAAAAAAA"

ALEXA: Final = Client(
    client_id="amazon-alexa",
    client_type=ClientType.CONFIDENTIAL,
    redirect_uris=(REDIRECT_URI,),
    name="Amazon Alexa",
    scopes=("music.read", "music.control"),
    pkce=PkceRule.OPTIONAL,
    refresh=RefreshProfile.OVERLAP,
)
OTHER: Final = replace(ALEXA, client_id="other", refresh=RefreshProfile.STRICT_WINDOW, secret_digests=(b"configured",))
CLIENTS: Final = {client.client_id: client for client in (ALEXA, OTHER)}


def pending_request(name: str, address: str = "192.0.2.1", client_id: str = "other") -> PendingRequest:
    request = AuthorizationRequest(
        client_id=client_id,
        redirect_uri=REDIRECT_URI,
        scope=("music.read", "music.control"),
        dropped_scope=("profile",),
        state="a=b+c/d.e--\N{SNOWMAN}" * 100,
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    )
    return PendingRequest(
        request_id=f"request-{name}",
        browser=f"browser-{name}",
        csrf=f"csrf-{name}",
        request=request,
        attempt="0badcafe",
        address=address,
        user_agent="Mozilla/5.0 (Test)",
        created_at=NOW,
        expires_at=NOW + 600,
    )


def code(number: int) -> str:
    return f"code-{number}".ljust(43, "c")


def grant(number: int = 1, client_id: str = "other") -> Grant:
    return Grant(
        grant_id=f"{number:016x}",
        client_id=client_id,
        subject=f"ha:user-{number}",
        scope=("music.read", "music.control"),
        seed=sha256(b"seed %d" % number).digest()[:20],
        attempt="0badcafe",
        created_at=NOW,
        generation=1,
        rotated_at=NOW,
        rotated_profile=None,
        head_used_at=None,
        first_used_at=None,
        last_used_at=NOW,
    )


def access_token(number: int = 1, expires_at: int = NOW + 1_800) -> IssuedAccessToken:
    return IssuedAccessToken(f"aoa_at_{str(number).rjust(43, 'a')}", ("music.read",), expires_at)
