"""Attacks that have nothing to aim at here, and why; one line for each, in the order of `case_ids.py`."""

from typing import Final

NOT_APPLICABLE: Final[dict[str, str]] = {
    "A36": "no client can be forbidden a grant type: the entry of a client has no such key",
    "E18": "no client can be forbidden a grant type: the entry of a client has no such key",
    "G24": "no refresh asks anew who its subject is; whoever runs the server ends the link, and H15 tries that",
    "I05": "tokens name no audience: one household has one resource server, and its scopes tell what it may ask",
    "M02": "no way to sign in asks for a name: a pairing code, right or wrong, is found by its digest",
    "N11": "no password is hashed slowly: secrets have 256 bits, and those that somebody chose have 16 characters at least",
    "O11": "there are no metrics yet",
    "O12": "an add-on's log page shows the standard output, which is what O01 to O10 search",
    "Q16": "tokens name no audience, as at I05",
}
