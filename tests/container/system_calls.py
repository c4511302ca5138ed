"""What a trace of system calls says of files, programs and sockets, each with the process that it was."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import join, normpath
from typing import Final

SYSTEM_CALLS: Final = (
    *(
        "execve",
        "clone",
        "clone3",
        "fork",
        "vfork",
        "chdir",
        "open",
        "openat",
        "mmap",
        "socket",
        "socketpair",
        "connect",
        "fcntl",
    ),
    *("flock", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "link", "linkat"),
    *("symlink", "symlinkat", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "chown", "lchown", "fchownat", "truncate"),
    *("utimensat", "ftruncate", "fchown"),
)

_LINE: Final = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)(?:<(.*?)>(?:\(deleted\))?)?(?: .*)?")
_UNFINISHED: Final = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
_RESUMED: Final = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)")
_QUOTED: Final = re.compile(r'(?:AT_FDCWD<([^>]*)>|\d+<([^>]*)>)?(?:, )?"((?:[^"\\]|\\.)*)"')
_DESCRIPTOR: Final = re.compile(r"\d+<(/[^>]*)>")
_BIRTHS: Final = {"clone", "clone3", "fork", "vfork"}
_OPENINGS: Final = {"open", "openat"}
_SOCKETS: Final = {"socket", "socketpair"}
_BY_DESCRIPTOR: Final = {"mmap": "m", "fcntl": "k", "flock": "k", "fchmod": "w", "fchown": "w", "ftruncate": "w"}
_ONLY_WITH: Final = {"mmap": "PROT_EXEC", "fcntl": "SETLK"}
_BY_NAME: Final = {"execve": "x", "rename": "rw", "renameat": "rw", "renameat2": "rw"}


@dataclass(frozen=True)
class Step:
    """One call that succeeded. `access` is in AppArmor's letters, `x` an execution; `born` is the child that it made."""

    pid: int
    call: str
    paths: tuple[str, ...] = ()
    access: str = ""
    socket: tuple[str, str] | None = None
    born: int | None = None


def read_trace(text: str) -> Iterator[Step]:
    """The calls that matter, in their order."""
    folders: dict[int, str] = {}
    for pid, call, arguments, result, described in _calls(text):
        if result < 0:
            continue
        if call in _BIRTHS:
            folders[result] = folders.get(pid, "/")
            yield Step(pid, call, born=result)
        elif call == "chdir":
            folders[pid] = normpath(join(folders.get(pid, "/"), _named(arguments, "/")[0]))
        elif step := _step(pid, call, arguments, described, folders.get(pid, "/")):
            yield step


def _calls(text: str) -> Iterator[tuple[int, str, str, int, str | None]]:
    """Calls whole: those that were interrupted by another process's line are put together."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        if unfinished := _UNFINISHED.fullmatch(line):
            begun[unfinished[1]] = f"{unfinished[1]} {unfinished[2]}({unfinished[3]}"
            continue
        resumed = _RESUMED.fullmatch(line)
        whole = begun.pop(resumed[1]) + resumed[3] if resumed and resumed[1] in begun else line
        if found := _LINE.fullmatch(whole):
            yield int(found[1]), found[2], found[3], int(found[4]), found[5]


def _step(pid: int, call: str, arguments: str, described: str | None, folder: str) -> Step | None:
    if call in _SOCKETS:
        kind = re.match(r"AF_(\w+), SOCK_(\w+)", arguments)
        return Step(pid, call, socket=(kind[1].lower(), kind[2].lower())) if kind else None
    paths, access = _touched(call, arguments, described or "", folder)
    return Step(pid, call, paths, access) if paths else None


def _touched(call: str, arguments: str, described: str, folder: str) -> tuple[tuple[str, ...], str]:
    if call in _OPENINGS:
        return (described,) if described.startswith("/") else (), _opened(arguments)
    if call in _BY_DESCRIPTOR:
        file = _DESCRIPTOR.search(arguments) if _ONLY_WITH.get(call, "") in arguments else None
        return (file[1],) if file else (), _BY_DESCRIPTOR[call]
    if call == "connect":
        return tuple(re.findall(r'sun_path="(/[^"]*)"', arguments)), "rw"
    named = _named(arguments, folder)
    return named[:1] if call == "execve" else named, _BY_NAME.get(call, "w")


def _opened(arguments: str) -> str:
    flags = arguments.rpartition(", 0")[0] if ", 0" in arguments else arguments
    reads = "O_RDONLY" in flags or "O_RDWR" in flags
    writes = any(flag in flags for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"))
    return ("r" if reads else "") + ("w" if writes else "")


def _named(arguments: str, folder: str) -> tuple[str, ...]:
    """The paths among the arguments, made absolute."""
    before_lists = arguments.partition(" [")[0]
    return tuple(normpath(join(at or other or folder, name)) for at, other, name in _QUOTED.findall(before_lists))
