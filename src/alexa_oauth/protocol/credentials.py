"""How credentials are made, and the one way in which two of them are compared."""

import base64
import hashlib
import hmac
from typing import Final

from alexa_oauth.protocol.ports import Entropy

ACCESS_TOKEN_PREFIX: Final = "aoa_at_"
REFRESH_TOKEN_PREFIX: Final = "aoa_rt_"
"""Prefixes by which secret scanners recognise what leaked; they carry no entropy."""

SEED_BYTES: Final = 20
PAIRING_ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no word appears, and nothing that is read as another."""
PAIRING_LENGTH: Final = 8


def base64url(octets: bytes) -> str:
    """RFC 7636 appendix A: base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def new_secret(entropy: Entropy) -> str:
    """256 bits as 43 characters: an authorization code, a request id, a CSRF value or a cookie."""
    return base64url(entropy(32))


def new_access_token(entropy: Entropy) -> str:
    """An access token: 256 random bits behind its prefix."""
    return ACCESS_TOKEN_PREFIX + new_secret(entropy)


def new_client_secret(entropy: Entropy) -> str:
    """256 bits in hexadecimal, so that a client that forgets to percent-encode Basic credentials sends the same bytes."""
    return entropy(32).hex()


def new_grant_id(entropy: Entropy) -> str:
    """64 bits in hexadecimal. Random, so that no id of a grant that a restore forgot is given out again."""
    return entropy(8).hex()


def new_attempt(entropy: Entropy) -> str:
    """The id that all events of one link attempt carry; shown to the person as a reference."""
    return entropy(4).hex()


def new_pairing_code(entropy: Entropy) -> str:
    """Eight characters of `PAIRING_ALPHABET`, each equally likely."""
    number = int.from_bytes(entropy(32), "big")
    characters = []
    for _ in range(PAIRING_LENGTH):
        number, index = divmod(number, len(PAIRING_ALPHABET))
        characters.append(PAIRING_ALPHABET[index])
    return "".join(characters)


def read_pairing_code(entered: str) -> str:
    """What a person entered, with case, hyphens and blanks set aside."""
    return entered.replace("-", "").replace(" ", "").strip().upper()


def secret_digest(secret: str) -> bytes:
    """SHA-256 of a client secret: of equal length for all, so that comparing takes the same time."""
    return hashlib.sha256(secret.encode()).digest()


def is_same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
