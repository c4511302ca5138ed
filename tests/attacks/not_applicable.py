"""Attacks that have nothing to aim at here, and why; one line for each, in the order of `case_ids.py`."""

from typing import Final

NOT_APPLICABLE: Final[dict[str, str]] = {
    "A36": "no client can be forbidden a grant type: the entry of a client has no such key",
}
