"""What the choice of a way to sign in brings with it, by the value of the setting `sign_in`."""

from typing import Final

_BROWSERS: Final = "the address that browsers reach"

NEEDED_BY: Final = {
    "home_assistant": {"public_url": _BROWSERS, "home_assistant_url": _BROWSERS},
    "amazon": {
        "public_url": _BROWSERS,
        "amazon_client_id": "the client id of a Login with Amazon security profile",
        "amazon_client_secret": "the client secret of that profile",
    },
}
"""Settings that have no default and must be set, and what each is to be."""

WEAK_SIGN_INS: Final = {
    "password": "sign_in is password: two-factor is not asked for, and whoever has a password of Home Assistant's may approve",
    "approve_only": "sign_in is approve_only: whoever opens the page can link this home, without proving who they are",
}
"""What the operator hears at every start, and reads on every page of the panel."""
