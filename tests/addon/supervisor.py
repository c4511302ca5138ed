"""What Home Assistant's Supervisor makes of an add-on's `config.yaml`, as far as its documents and its source tell.

Written from what they say, not copied: the real schema needs the whole Supervisor.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DEFAULTS: Final[Mapping[str, object]] = {
    "apparmor": True,
    "audio": False,
    "auth_api": False,
    "backup": "hot",
    "boot": "auto",
    "devicetree": False,
    "docker_api": False,
    "full_access": False,
    "gpio": False,
    "hassio_api": False,
    "hassio_role": "default",
    "homeassistant_api": False,
    "host_dbus": False,
    "host_ipc": False,
    "host_network": False,
    "host_pid": False,
    "host_uts": False,
    "ingress": False,
    "ingress_port": 8099,
    "ingress_stream": False,
    "init": True,
    "journald": False,
    "kernel_modules": False,
    "legacy": False,
    "options": {},
    "panel_admin": True,
    "panel_icon": "mdi:puzzle",
    "realtime": False,
    "schema": {},
    "stage": "stable",
    "startup": "application",
    "stdin": False,
    "timeout": 10,
    "tmpfs": False,
    "uart": False,
    "udev": False,
    "ulimits": {},
    "usb": False,
    "video": False,
}
"""Keys that may be left out, and what they are then. The store's linter refuses a key that stands at its default."""

KEYS: Final = frozenset(DEFAULTS) | {
    *("arch", "backup_exclude", "backup_post", "backup_pre", "breaking_versions", "description", "devices", "discovery"),
    *("environment", "homeassistant", "image", "ingress_entry", "machine", "map", "name", "panel_title", "ports"),
    *("ports_description", "privileged", "services", "slug", "url", "version", "webui"),
}
"""Every key that is understood and not discouraged; the Supervisor drops others without a word."""

_DANGEROUS: Final = frozenset(
    {
        *("BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "NET_ADMIN", "NET_RAW", "PERFMON"),
        *("SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO"),
    }
)
_FORM: Final = re.compile(
    r"(?P<kind>bool|str|password|email|url|port|int|float|match|list|device)(?:\((?P<argument>.+)\))?(?P<optional>\?)?"
)
_RANGE: Final = re.compile(r"(-?[0-9]+)?,(-?[0-9]+)?")
_HIGHEST_RATING: Final = 8


def rating(configuration: Mapping[str, Any], *, profile: bool) -> int:
    """The security rating that the store shows, 1 to 8; `profile`: an AppArmor profile lies beside the file."""
    found = {**DEFAULTS, **configuration}
    privileged = set(found.get("privileged", ()))
    points = 5
    points += 0 if found["apparmor"] and not profile else 1 if found["apparmor"] else -1
    points += 2 if found["ingress"] else 1 if found["auth_api"] else 0
    points -= bool(privileged & _DANGEROUS or found["kernel_modules"])
    points -= {"manager": 1, "admin": 2}.get(found["hassio_role"], 0)
    points -= bool(found["host_network"]) + 2 * bool(found["host_pid"])
    points -= bool(found["host_uts"] and "SYS_ADMIN" in privileged)
    return 1 if found["docker_api"] or found["full_access"] else min(max(points, 1), _HIGHEST_RATING)


@dataclass(frozen=True, slots=True)
class OptionType:
    """The type of an option, or of each item of a list of them."""

    kind: str
    argument: str | None
    optional: bool

    @classmethod
    def parse(cls, written: str) -> "OptionType":
        """Read a type such as `int(1,9)?`. `ValueError` says why it is none, or none that can be used."""
        match = _FORM.fullmatch(written)
        if match is None:
            raise ValueError(f"{written} is no type of the Supervisor's")
        kind, argument = match["kind"], match["argument"]
        if kind in {"str", "password"} and argument:
            raise ValueError(f"{written}: the Supervisor compares text with these numbers, and so refuses every text")
        if argument is None and kind in {"match", "list"}:
            raise ValueError(f"{written} lacks its brackets")
        if (
            argument is not None
            and kind not in {"match", "list"}
            and not (kind in {"int", "float"} and _RANGE.fullmatch(argument))
        ):
            raise ValueError(f"{written} has something in brackets that is no range of numbers")
        return cls(kind, argument, match["optional"] is not None)

    @property
    def choices(self) -> tuple[str, ...]:
        """What a `list(…)` offers."""
        return tuple((self.argument or "").split("|"))

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the most of an `int(…)`, both given."""
        least, most = (self.argument or "").split(",")
        return int(least), int(most)

    def accepts(self, value: object) -> bool:
        """Whether the Supervisor stores that value, as the panel sends it."""
        match self.kind:
            case "bool":
                return isinstance(value, bool)
            case "str" | "password":
                return isinstance(value, str)
            case "int":
                least, most = self.bounds
                return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
            case "match":
                return isinstance(value, str) and re.match(self.argument or "", value) is not None
            case "list":
                return value in self.choices
            case _:
                raise NotImplementedError(f"no option of ours is of the kind {self.kind} yet")
