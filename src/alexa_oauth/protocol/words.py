"""Two words by which a person tells their own request from a stranger's."""

import hashlib
from typing import Final

_COLOURS: Final = (
    "amber", "azure", "black", "blue", "bronze", "brown", "coral", "copper", "cream", "crimson", "golden", "green",
    "grey", "indigo", "ivory", "jade", "lemon", "lilac", "maroon", "mint", "navy", "olive", "orange", "pearl",
    "pink", "plum", "purple", "red", "ruby", "silver", "violet", "white",
)  # fmt: skip
_ANIMALS: Final = (
    "badger", "bear", "beaver", "bee", "bison", "camel", "cat", "crab", "crane", "deer", "dolphin", "duck",
    "eagle", "falcon", "finch", "fox", "goat", "hare", "heron", "horse", "koala", "lion", "lynx", "mole",
    "otter", "owl", "panda", "robin", "seal", "swan", "tiger", "wolf",
)  # fmt: skip


def words_of(request_id: str) -> tuple[str, str]:
    """The same two words wherever the request is shown; they say nothing of its id."""
    digest = hashlib.sha256(b"words " + request_id.encode()).digest()
    return _COLOURS[digest[0] % len(_COLOURS)], _ANIMALS[digest[1] % len(_ANIMALS)]
