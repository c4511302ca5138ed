"""The sealed file: a backup that may lie anywhere, since only its passphrase opens it.

Lines of text: what it is, the salt, then Fernet tokens under a key that scrypt (RFC 7914) derives from passphrase and salt.
Each token holds its number and whether it is the last, so that none can be left out, moved or added. Nothing is compressed:
what is opened is never larger than the file.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from cryptography.fernet import Fernet, InvalidToken

from alexa_oauth.protocol.keeping import BackupRefused

SALT_BYTES: Final = 16
CHUNK_BYTES: Final = 1_048_576
FIRST_LINE: Final = b"alexa-oauth backup 1\n"
PASSPHRASE_CHARACTERS: Final = 12

_SCRYPT: Final = {"n": 2**15, "r": 8, "p": 1, "dklen": 32, "maxmem": 2**26}
"""Fixed, so that no file can make whoever opens it spend more: 32 MB and a tenth of a second."""
_HEAD: Final = struct.Struct(">Q?")
_ANY_VERSION: Final = re.compile(rb"alexa-oauth backup [0-9]{1,4}\n")
_LINE_BYTES: Final = 4 * CHUNK_BYTES
_DIFFERENT_CHARACTERS: Final = 5


def weakness(passphrase: str) -> str | None:
    """Why the passphrase is too weak to be sealed with, or `None`."""
    advice = "take four or five words that have nothing to do with one another"
    if len(passphrase) < PASSPHRASE_CHARACTERS:
        return f"the passphrase is too short: {PASSPHRASE_CHARACTERS} characters at least; {advice}"
    if len(set(passphrase)) < _DIFFERENT_CHARACTERS:
        return f"the passphrase repeats itself; {advice}"
    if passphrase.isdecimal():
        return f"the passphrase is only digits, which are tried out quickly; {advice}"
    return None


def is_sealed(beginning: bytes) -> bool:
    """Whether a file that begins so is a sealed one, of whatever version."""
    return _ANY_VERSION.match(beginning) is not None


def seal(chunks: Iterable[bytes], passphrase: str, salt: bytes) -> Iterator[bytes]:
    """The sealed file, piece by piece; a chunk has `CHUNK_BYTES` at most, but for the first, which may have twice as many."""
    yield FIRST_LINE + base64.urlsafe_b64encode(salt) + b"\n"
    fernet = _fernet(passphrase, salt)
    number = 0
    for number, chunk in enumerate(chunks):
        yield fernet.encrypt(_HEAD.pack(number, False) + chunk) + b"\n"  # noqa: FBT003 - a field of the file
    yield fernet.encrypt(_HEAD.pack(number + 1, True)) + b"\n"  # noqa: FBT003 - a field of the file


def unseal(file: BinaryIO, passphrase: str) -> Iterator[bytes]:
    """The chunks that were sealed. `BackupRefused`, at the first of them if it is not ours or the passphrase is wrong."""
    first_line = file.readline(len(FIRST_LINE) + 8)
    if not is_sealed(first_line):
        raise BackupRefused("this is no backup of this server")
    if first_line != FIRST_LINE:
        raise BackupRefused("this backup was made by a newer version of this server; install that version again")
    fernet = _fernet(passphrase, _salt(file))
    number, is_last = 0, False
    while not is_last:
        try:
            content = fernet.decrypt(file.readline(_LINE_BYTES).removesuffix(b"\n"))
        except InvalidToken as error:
            wrong = "is damaged or was cut off" if number else "cannot be opened: the passphrase is wrong, or the file is damaged"
            raise BackupRefused(f"the backup {wrong}") from error
        found, is_last = _HEAD.unpack(content[: _HEAD.size])
        if found != number:
            raise BackupRefused("the backup is damaged: its parts are not in their order")
        if not is_last:
            yield content[_HEAD.size :]
        number += 1
    if file.read(1):
        raise BackupRefused("the backup is damaged: something stands behind its end")


def _salt(file: BinaryIO) -> bytes:
    try:
        salt = base64.urlsafe_b64decode(file.readline(64).strip())
    except ValueError:
        salt = b""
    # A salt that was damaged is as a passphrase that is wrong.
    return salt or bytes(SALT_BYTES)


def _fernet(passphrase: str, salt: bytes) -> Fernet:
    key = hashlib.scrypt(passphrase.encode("utf-8", "surrogatepass"), salt=salt, **_SCRYPT)
    return Fernet(base64.urlsafe_b64encode(key))
