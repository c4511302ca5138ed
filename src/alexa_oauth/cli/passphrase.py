"""The passphrase of a backup: from the environment, from a file that it names, or asked for on the terminal."""

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Final

from alexa_oauth.cli.context import CommandFailed
from alexa_oauth.settings.table import PREFIX

VARIABLE: Final = f"{PREFIX}BACKUP_PASSPHRASE"
_FILE: Final = f"{VARIABLE}_FILE"


def new_passphrase() -> str:
    """A passphrase to seal with. On a terminal it is asked for twice, since nobody sees a mistake."""
    given = _given()
    if given is not None:
        return given
    passphrase = _ask("Passphrase of the new backup: ")
    if _ask("Once more: ") != passphrase:
        raise CommandFailed("the two passphrases differ; no backup was made")
    return passphrase


def known_passphrase() -> str:
    """The passphrase that a backup was sealed with."""
    given = _given()
    return _ask("Passphrase of the backup: ") if given is None else given


def _given() -> str | None:
    value, file = os.environ.get(VARIABLE), os.environ.get(_FILE)
    if value and file:
        raise CommandFailed(f"the passphrase is given twice, by {VARIABLE} and {_FILE}; unset one of them")
    if not file:
        return value or None
    try:
        return Path(file).read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandFailed(f"{_FILE} names a file that cannot be read ({why})") from error


def _ask(question: str) -> str:
    if not (sys.stdin.isatty() or sys.stderr.isatty()):
        raise CommandFailed(f"a passphrase is needed: set {VARIABLE} or {_FILE}, or run this on a terminal")
    try:
        return getpass(question)
    except EOFError as error:
        raise CommandFailed("no passphrase was given") from error
