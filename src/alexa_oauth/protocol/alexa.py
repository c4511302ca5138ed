"""Where Alexa sends people back to: one redirect URI for each of its hosts and each developer account."""

import re
from collections.abc import Collection, Iterable
from typing import Final

HOSTS: Final = ("pitangui.amazon.com", "layla.amazon.com", "alexa.amazon.co.jp")
"""The Americas; Europe; Japan and Oceania. The account of the person who links decides, so all of them are registered."""

VENDOR_ID: Final = re.compile(r"M[A-Z0-9]{12,14}")

_PATH: Final = "/api/skill/link/"


def redirect_uris_for(vendor_ids: Iterable[str]) -> tuple[str, ...]:
    """The redirect URIs of the skills of these developer accounts, `len(HOSTS)` for each."""
    return tuple(f"https://{host}{_PATH}{vendor_id}" for vendor_id in vendor_ids for host in HOSTS)


def are_all_alexas(redirect_uris: Collection[str]) -> bool:
    """Whether nobody but Alexa's servers redeems this client's codes; no redirect URI at all is nobody."""
    prefixes = redirect_uris_for([""])
    return bool(redirect_uris) and all(uri.startswith(prefixes) for uri in redirect_uris)


def vendor_id_of(redirect_uri: str) -> str | None:
    """The developer account that Alexa sends people back for; `None` for what is no redirect URI of Alexa's."""
    for prefix in redirect_uris_for([""]):
        if redirect_uri.startswith(prefix) and VENDOR_ID.fullmatch(redirect_uri.removeprefix(prefix)):
            return redirect_uri.removeprefix(prefix)
    return None
