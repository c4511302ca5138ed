"""What a command is given, and how it says that it cannot."""

from argparse import Namespace
from dataclasses import dataclass
from typing import Final

from alexa_oauth.settings.table import Settings

FAILED: Final = 1
NO_RESTART: Final = 78
"""EX_CONFIG of sysexits.h: what is wrong is cured by no restart, so that a supervisor should not try one."""


@dataclass(frozen=True, slots=True)
class Context:
    """The settings, what the operator should be warned of, and the arguments that belong to the command."""

    settings: Settings
    warnings: tuple[str, ...]
    arguments: Namespace


class CommandFailed(Exception):
    """The command could not do its work; each line is for the person at the terminal and holds no secret."""

    def __init__(self, *lines: str, status: int = FAILED) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.status = status
