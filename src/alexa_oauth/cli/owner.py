"""Who a command is: the owner of the data folder, so that no file is left there that the server cannot write."""

import os
from pathlib import Path

from alexa_oauth.cli.context import CommandFailed


def become_owner(folder: Path) -> None:
    """Started as root, go on as the owner of the folder, for good. A folder that is not there yet will be root's own."""
    if os.geteuid() != 0:
        return
    try:
        status = folder.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CommandFailed(f"data_dir: {folder} cannot be looked at ({error.strerror})") from error
    if status.st_uid == 0:
        return
    try:
        os.setgroups([])
        os.setgid(status.st_gid)
        os.setuid(status.st_uid)
    except OSError as error:
        raise CommandFailed(f"cannot go on as user {status.st_uid}, who owns {folder} ({error.strerror})") from error
    for needed in (__file__, os.__file__):
        # A checkout or a Python in root's home is closed to others, and what is imported only later would break off.
        if not os.access(needed, os.R_OK):
            raise CommandFailed(f"cannot go on as user {status.st_uid}, who owns {folder} and may not read {needed}")


def is_owner(folder: Path) -> bool:
    """Whether the folder is the user's own; one that cannot be looked at is not."""
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return False
