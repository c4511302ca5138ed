"""The key ring: what each key is for, how a payload is tied to its row, and how a refresh token is made and read."""

import base64
import hashlib
import hmac
import json
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from alexa_oauth.protocol.credentials import ACCESS_TOKEN_PREFIX, REFRESH_TOKEN_PREFIX, base64url
from alexa_oauth.protocol.errors import RowDamaged
from alexa_oauth.protocol.models import KeyAge, PresentedRefreshToken
from alexa_oauth.protocol.ports import Entropy

MASTER_KEY_BYTES: Final = 32
_PAYLOADS_REMEMBERED: Final = 256
"""A household has a few grants and tokens, which are asked for again and again. Credentials are sealed, never remembered."""
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode
_REFRESH_TOKEN: Final = re.compile(rf"{REFRESH_TOKEN_PREFIX}([A-Za-z0-9_-]{{64}})")
_REFRESH_TOKEN_CONTENT: Final = struct.Struct(">8sI20s")
"""Grant id, generation, seed. With the 16 bytes of AES-SIV's tag they make 48 bytes: 64 characters, and none to spare."""


class Purpose(StrEnum):
    """What a data key is for; a key has one purpose."""

    TOKENS = "tokens"
    INDEX = "index"
    PAYLOAD = "payload"
    SEALING = "sealing"


_KEY_BYTES: Final = {Purpose.TOKENS: 64, Purpose.INDEX: 32, Purpose.PAYLOAD: 32, Purpose.SEALING: 32}


@dataclass(frozen=True, slots=True)
class DataKey:
    """A random key that protects rows; it is kept in the database, wrapped under the master key.

    `is_retired`: no living grant has its head under it any more.
    """

    key_id: str
    purpose: Purpose
    secret: bytes = field(repr=False)
    is_retired: bool = field(default=False, compare=False)


def fresh_data_keys(entropy: Entropy) -> list[DataKey]:
    """One new key of each purpose."""
    return [DataKey(entropy(8).hex(), purpose, entropy(size)) for purpose, size in _KEY_BYTES.items()]


class PayloadCipher:
    """Fernet over JSON that names the table, the purpose and the row, so that a payload moved elsewhere shows itself.

    Fernet's own `ttl` is not used: it would compare with the wall clock, which may be wrong.
    """

    def __init__(self, purpose: str, keys: Iterable[bytes], remembered: int = 0) -> None:
        """Take the keys newest first: the newest encrypts, all decrypt. So many payloads are opened once for many uses."""
        self._purpose = purpose
        self._keys = [Fernet(base64.urlsafe_b64encode(key)) for key in keys]
        self._opened = lru_cache(remembered)(self._open)

    def seal(self, table: str, row: str, body: Mapping[str, object]) -> bytes:
        """The payload for that row."""
        content = {"table": table, "purpose": self._purpose, "row": row, **body}
        return self._keys[0].encrypt(_encode(content).encode())

    def open(self, table: str, row: str, payload: bytes) -> Mapping[str, Any]:
        """What was sealed for that row; `RowDamaged` if it does not open or was sealed for another."""
        return self._opened(table, row, payload)

    def renewed(self, table: str, payload: bytes) -> bytes | None:
        """The payload under the newest key; `None` if that is the one which sealed it."""
        try:
            self._keys[0].decrypt(payload)
        except InvalidToken:
            return self._keys[0].encrypt(self._decrypt(table, payload))
        return None

    def _open(self, table: str, row: str, payload: bytes) -> Mapping[str, Any]:
        content: dict[str, Any] = json.loads(self._decrypt(table, payload).decode())
        if (content["table"], content["purpose"], content["row"]) != (table, self._purpose, row):
            raise RowDamaged(f"a payload in {table} belongs to another row")
        return content

    def _decrypt(self, table: str, payload: bytes) -> bytes:
        for key in self._keys:
            try:
                return key.decrypt(payload)
            except InvalidToken:
                continue
        raise RowDamaged(f"a payload in {table} does not open")


class MasterKey:
    """The one key outside the database. It wraps the data keys and is named by its key id; both are derived from it."""

    def __init__(self, secret: bytes) -> None:
        """Derive from `MASTER_KEY_BYTES` random bytes."""
        self.secret: Final = secret
        self.key_id = hashlib.sha256(_derive(secret, b"alexa-oauth key id")).hexdigest()[:8]
        self._cipher = PayloadCipher("wrapping", [_derive(secret, b"alexa-oauth wrapping of data keys")])

    def wrap(self, key: DataKey) -> bytes:
        """The data key as the database keeps it."""
        secret = base64.urlsafe_b64encode(key.secret).decode()
        return self._cipher.seal("data_keys", key.key_id, {"key_purpose": key.purpose, "secret": secret})

    def unwrap(self, key_id: str, wrapped: bytes) -> DataKey:
        """The data key that was wrapped; `RowDamaged` if it was not wrapped by this master key."""
        content = self._cipher.open("data_keys", key_id, wrapped)
        return DataKey(key_id, Purpose(content["key_purpose"]), base64.urlsafe_b64decode(content["secret"]))


class KeyRing:
    """All data keys, several of a purpose after a rotation: the newest of each makes, all of them read."""

    def __init__(self, keys: Sequence[DataKey]) -> None:
        """Take the keys newest first."""
        secrets = {purpose: [key.secret for key in keys if key.purpose is purpose] for purpose in Purpose}
        self.payloads = PayloadCipher(Purpose.PAYLOAD, secrets[Purpose.PAYLOAD], _PAYLOADS_REMEMBERED)
        self.sealing = PayloadCipher(Purpose.SEALING, secrets[Purpose.SEALING])
        self._index_keys = tuple(secrets[Purpose.INDEX])
        token_keys = [key for key in keys if key.purpose is Purpose.TOKENS]
        self._token_keys = {key.key_id: AESSIV(key.secret) for key in token_keys}
        self._exchange_keys = {key.key_id: _derive(key.secret, b"alexa-oauth first access tokens") for key in token_keys}
        self.newest_token_key_id = token_keys[0].key_id
        self.has_former_token_keys = len(token_keys) > 1
        self._ages = {key.key_id: KeyAge.RETIRED if key.is_retired else KeyAge.FORMER for key in token_keys}
        self._ages[self.newest_token_key_id] = KeyAge.CURRENT

    def digest(self, table: str, value: str) -> bytes:
        """The keyed digest under which a new row of the table is found."""
        return _keyed_digest(self._index_keys[0], table, value)

    def digests(self, table: str, value: str) -> tuple[bytes, ...]:
        """Every digest under which a row may be found, the likeliest first."""
        return tuple(_keyed_digest(key, table, value) for key in self._index_keys)

    def refresh_token(self, key_id: str, content: PresentedRefreshToken) -> str:
        """The refresh token that says `content`: always the same string, since AES-SIV is deterministic (RFC 5297)."""
        packed = _REFRESH_TOKEN_CONTENT.pack(bytes.fromhex(content.grant_id), content.generation, content.seed)
        sealed = self._token_keys[key_id].encrypt(packed, None)
        return f"{REFRESH_TOKEN_PREFIX}{base64.urlsafe_b64encode(sealed).decode()}"

    def first_access_token(self, key_id: str, grant_id: str, code: str) -> str:
        """The access token that the code is redeemed for, 256 bits: neither grant nor code tells it without the key."""
        return f"{ACCESS_TOKEN_PREFIX}{base64url(_keyed_digest(self._exchange_keys[key_id], grant_id, code))}"

    def read_refresh_token(self, value: str) -> PresentedRefreshToken | None:
        """What a refresh token says if a key of this ring made it, spelt exactly as it was issued."""
        match = _REFRESH_TOKEN.fullmatch(value)
        if match is None:
            return None
        sealed = base64.urlsafe_b64decode(match[1])
        for key_id, key in self._token_keys.items():
            try:
                grant_id, generation, seed = _REFRESH_TOKEN_CONTENT.unpack(key.decrypt(sealed, None))
            except InvalidTag:
                continue
            return PresentedRefreshToken(grant_id.hex(), generation, seed, key_id, self._ages[key_id])
        return None


def _keyed_digest(key: bytes, table: str, value: str) -> bytes:
    # Callers present anything, lone surrogates too: such a value has no row, and must not become an error.
    return hmac.digest(key, f"{table} {value}".encode("utf-8", "surrogatepass"), "sha256")


def _derive(secret: bytes, label: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=label).derive(secret)
