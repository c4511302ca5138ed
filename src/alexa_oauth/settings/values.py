"""How the value of a setting is read: from text, as the environment has it, or from JSON, as the add-on's options have it.

Each reader returns the value or raises `Unfit`, which says what is wrong and what is allowed, and never quotes a secret.
"""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from alexa_oauth.protocol.alexa import VENDOR_ID

Value = TypeVar("Value")
Reader = Callable[[object], Value]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_CHARACTERS: Final = 16
"""What a secret that somebody chose must have at least."""

_BOOLEANS: Final = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_INTEGER: Final = re.compile(r"[0-9]{1,9}")
_HOST: Final = r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_HOST_NAME: Final = re.compile(_HOST)
_ORIGIN: Final = re.compile(rf"([Hh][Tt][Tt][Pp][Ss]?)://({_HOST})(?::([0-9]{{1,5}}))?/?")
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_VENDOR_IDS: Final = "M and 12 to 14 upper-case letters or digits, commas between"
_AMAZON_USER_ID: Final = re.compile(r"amzn1\.account\.[A-Za-z0-9._-]{1,128}")
_FERNET_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}=")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_PORTS: Final = 65_535


class Unfit(Exception):
    """A value that cannot be used: `problem` goes on from the value ("is not …"), `allowed` says what would do."""

    def __init__(self, problem: str, allowed: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.allowed = allowed


def text(value: object) -> str:
    """Text as it is."""
    if not isinstance(value, str):
        raise Unfit("is not text", "text")
    return value


def path(value: object) -> Path:
    """A path, absolute or from the working directory."""
    if "\0" in text(value):
        raise Unfit("holds a NUL character", "a path")
    return Path(text(value))


def boolean(value: object) -> bool:
    """Yes or no, in any of the usual spellings."""
    found = _BOOLEANS.get(str(value).strip().lower())
    if found is None:
        raise Unfit("is neither yes nor no", "true or false (also yes, no, on, off, 1, 0)")
    return found


def integer(least: int, most: int, *, or_zero: bool = False) -> Reader[int]:
    """A whole number in a range, given as a number or in digits; with `or_zero` also 0."""
    allowed = f"{'0, or ' if or_zero else ''}{least} to {most}"

    def read(value: object) -> int:
        written = "" if isinstance(value, bool) else str(value).strip()
        if not _INTEGER.fullmatch(written):
            raise Unfit("is not a whole number", allowed)
        number = int(written)
        if not (least <= number <= most or (or_zero and number == 0)):
            raise Unfit("is out of range", allowed)
        return number

    return read


port = integer(0, _PORTS)
"""A TCP port; 0 is any that is free."""


def one_of(*choices: str) -> Reader[str]:
    """One word of a list."""
    allowed = ", ".join(choices)

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Unfit("is not known", allowed)
        return value

    return read


def items(value: object) -> tuple[str, ...]:
    """A list, or text with commas between; repetitions are dropped."""
    found = value if isinstance(value, list) else text(value).split(",")
    if not all(isinstance(item, str) for item in found):
        raise Unfit("holds something that is not text", "a list of texts, or texts with commas between")
    return tuple(dict.fromkeys(item.strip() for item in found if item.strip()))


def networks(value: object) -> tuple[Network, ...]:
    """IP addresses and networks."""
    return tuple(_network(item) for item in items(value))


def vendor_ids(value: object) -> tuple[str, ...]:
    """The ids of Amazon developer accounts, which Alexa's redirect URIs end with."""
    found = items(value)
    for item in found:
        if not VENDOR_ID.fullmatch(item):
            raise Unfit(f"holds {item[:40]!a}, which is not a vendor id", _VENDOR_IDS)
    return found


def approvers(value: object) -> tuple[str, ...]:
    """`admins` or `everyone` alone, or ids of Home Assistant users."""
    found = items(value)
    if not found or (len(found) > 1 and not {"admins", "everyone"}.isdisjoint(found)):
        raise Unfit("names nobody, or a group beside something else", "admins, everyone, or user ids with commas between")
    return found


def amazon_user_ids(value: object) -> tuple[str, ...]:
    """The ids by which Login with Amazon tells people apart; no mail address says who somebody is."""
    found = items(value)
    for item in found:
        if not _AMAZON_USER_ID.fullmatch(item):
            raise Unfit(f"holds {item[:40]!a}, which is no user id", "amzn1.account. and letters or digits, commas between")
    return found


def host(value: object) -> str:
    """An IP address or a host name, without a port."""
    written = text(value).strip()
    try:
        return str(ipaddress.ip_address(written))
    except ValueError:
        if "[" in written or not _HOST_NAME.fullmatch(written):
            raise Unfit("is neither an address nor a host name", "such as 127.0.0.1, 0.0.0.0, :: or a host name") from None
        return written


def origin(value: object) -> str:
    """A URL of scheme, host and port alone, in one spelling: lower case, no default port, no slash at the end."""
    allowed = "https://host or https://host:port, nothing behind it"
    match = _ORIGIN.fullmatch(text(value).strip())
    if match is None:
        raise Unfit("is not a bare address: it has a path, query, fragment, user or an odd character, or no scheme", allowed)
    scheme, name, digits = match[1].lower(), match[2].lower(), match[3]
    number = int(digits) if digits else _DEFAULT_PORTS[scheme]
    if not 0 < number <= _PORTS or not _is_host(name):
        raise Unfit("has an impossible host or port", allowed)
    return f"{scheme}://{name}" if number == _DEFAULT_PORTS[scheme] else f"{scheme}://{name}:{number}"


def public_origin(value: object) -> str:
    """An origin that browsers reach: https, so that codes and cookies cannot be read underway (RFC 6749 §3.1)."""
    found = origin(value)
    if found.startswith("http://") and not _is_loopback(found):
        raise Unfit("is not https", "https://…; plain http only for 127.0.0.1, [::1] and localhost")
    return found


def client_id(value: object) -> str:
    """RFC 6749 appendix A.1, without blanks."""
    if not _VISIBLE.fullmatch(text(value)):
        raise Unfit("has a blank or a character outside ASCII", "visible ASCII characters")
    return text(value)


def secret(value: object) -> str:
    """A secret that travels in header fields (RFC 6749 appendix A.2)."""
    if not isinstance(value, str) or not _VISIBLE.fullmatch(value) or len(value) < SECRET_CHARACTERS:
        raise Unfit("is too short, or has an odd character", f"{SECRET_CHARACTERS} or more visible ASCII characters")
    return value


def encryption_key(value: object) -> str:
    """A Fernet key: 32 bytes in URL-safe Base64."""
    if not isinstance(value, str) or not _FERNET_KEY.fullmatch(value):
        raise Unfit("is not a key", "32 bytes in URL-safe Base64: 43 characters and an equals sign")
    return value


def _network(item: str) -> Network:
    try:
        return ipaddress.ip_network(item)
    except ValueError:
        allowed = "addresses and networks with commas between, such as 192.0.2.7, 172.16.0.0/12"
        raise Unfit(f"holds {item[:60]!a}, which is no address and no network", allowed) from None


def _is_host(name: str) -> bool:
    """Names were matched already; what is all digits and dots, or stands in brackets, must be an address."""
    if not name.startswith("[") and not name.replace(".", "").isdigit():
        return True
    try:
        return bool(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return False


def _is_loopback(found: str) -> bool:
    return re.fullmatch(r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]+)?", found) is not None
