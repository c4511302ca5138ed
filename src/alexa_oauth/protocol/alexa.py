"""Where Alexa sends people back to: one redirect URI for each of its hosts and each developer account."""

from collections.abc import Collection, Iterable
from typing import Final

HOSTS: Final = ("pitangui.amazon.com", "layla.amazon.com", "alexa.amazon.co.jp")
"""The Americas; Europe; Japan and Oceania. The account of the person who links decides, so all of them are registered."""

_PATH: Final = "/api/skill/link/"


def redirect_uris_for(vendor_ids: Iterable[str]) -> tuple[str, ...]:
    """The redirect URIs of the skills of these developer accounts, `len(HOSTS)` for each."""
    return tuple(f"https://{host}{_PATH}{vendor_id}" for vendor_id in vendor_ids for host in HOSTS)


def are_all_alexas(redirect_uris: Collection[str]) -> bool:
    """Whether nobody but Alexa's servers redeems this client's codes; no redirect URI at all is nobody."""
    prefixes = redirect_uris_for([""])
    return bool(redirect_uris) and all(uri.startswith(prefixes) for uri in redirect_uris)
