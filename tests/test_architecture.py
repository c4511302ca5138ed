"""The house is held against its plan: which room may know which, and how large anything may grow.

A room is a file or a folder right under `src/alexa_oauth`. Whoever bends an arrow meets this file first. The way out is
nearly always the same: take what is needed as an argument, and let the root hand it in.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

SOURCE: Final = Path(__file__).parents[1] / "src"
PACKAGE: Final = "alexa_oauth"

MAY_IMPORT: Final[dict[str, set[str]]] = {
    # the root: builds everything, once, and alone stands above SQLite
    "__main__": {"cli"},
    # a second way in: the package's own `__getattr__` leads to it
    "embedding": {"serving", "announcement", "upkeep", "app", "web", "clients", "settings", "log", "protocol"},
    "cli": {
        "serving",
        "announcement",
        "app",
        "clock",
        "keeping",
        "checkup",
        "storage",
        "diagnosis",
        "clients",
        "settings",
        "log",
        "protocol",
    },
    "serving": {"announcement", "upkeep", "app", "web", "settings", "protocol"},
    "announcement": {"app", "admin", "settings", "protocol"},
    "upkeep": {"app", "protocol"},
    "app": {
        "built_in_client",
        "notifications",
        "approval",
        "clock",
        "keeping",
        "checkup",
        "admin",
        "web",
        "storage",
        "sign_in",
        "diagnosis",
        "clients",
        "settings",
        "log",
        "supervisor",
        "outbound",
        "metrics",
        "refusals",
        "rate_limit",
        "protocol",
    },
    "built_in_client": {"admin", "supervisor", "clients", "protocol"},
    "notifications": {"diagnosis", "sign_in"},
    "clock": {"protocol"},
    "approval": {"sign_in", "settings", "outbound", "rate_limit", "protocol"},
    "keeping": {"admin", "storage", "settings", "protocol"},
    "checkup": {"diagnosis", "clients", "settings", "protocol"},
    # the faces
    "admin": {"metrics", "web", "diagnosis", "protocol"},
    "web": {"metrics", "rate_limit", "protocol"},
    # side by side, strangers to one another
    "storage": {"metrics", "protocol"},
    "sign_in": {"rate_limit", "protocol"},
    "diagnosis": {"protocol"},
    "clients": {"settings", "protocol"},
    "settings": {"protocol"},
    "log": {"protocol"},
    "supervisor": {"outbound", "protocol"},
    "outbound": set(),
    # the ground
    "metrics": {"protocol"},
    "refusals": {"rate_limit", "protocol"},
    "rate_limit": set(),
    "protocol": set(),
}
"""From the roof down to the ground. A row may name only rows below it."""

MAY_USE: Final[dict[str, set[str]]] = {
    "aiohttp": {"embedding", "serving", "upkeep", "app", "supervisor", "outbound", "admin", "web", "sign_in"},
    "aiosqlite": {"storage"},
    "cachetools": {"sign_in", "rate_limit"},
    "cryptography": {"storage", "diagnosis"},
    "jinja2": {"web"},
    "markupsafe": {"admin", "web"},
    "segno": {"admin"},
    "prometheus_client": {"admin"},
    "sqlite3": {"storage"},
    "structlog": {"embedding", "serving", "upkeep", "admin", "web", "clients", "log"},
    "uvloop": {"cli"},
}
"""The libraries, and the rooms that may know each."""

PURE: Final = {
    "base64",
    "binascii",
    "collections",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "hmac",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "re",
    "string",
    "typing",
    "urllib",
}
"""What the rules may take from the standard library: nothing here reads a clock, draws chance, waits, or touches a file."""

PORTS: Final = {"ports.py", "sign_in.py"}
"""Files of the rules that only say what others promise, and so may promise to wait."""

CLOCK_AND_CHANCE: Final = {"random", "secrets", "time", "uuid"}

FORBIDDEN_NAMES: Final = {"base", "common", "helper", "helpers", "manager", "misc", "service", "util", "utils"}
LINES_OF_A_FILE: Final = 300
LINES_OF_A_FUNCTION: Final = 30
NEVER_EXCUSED: Final = re.compile(r"noqa:[^-]*\b(TID251|PLR0913)\b")


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its dotted name; that of a package is its folder's."""
        return ".".join(self.path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")

    @property
    def room(self) -> str:
        """The room that it belongs to; the package's own `__init__` belongs to none."""
        return self.name.split(".")[1] if "." in self.name else ""

    def at(self, node: ast.stmt | ast.expr) -> str:
        """Where that is, as editors understand it."""
        return f"{self.path.relative_to(SOURCE.parent)}:{node.lineno}"


@dataclass(frozen=True)
class Arrow:
    """One import: the statement, and the dotted name that it names."""

    source: Module
    node: ast.Import | ast.ImportFrom
    target: str

    @property
    def top(self) -> str:
        """The package that it leads to."""
        return self.target.partition(".")[0]

    @property
    def room(self) -> str:
        """The room that it leads to, if it stays in the house; the package's `__init__` can be seen from everywhere."""
        inside = self.target.split(".")[1:] if self.top == PACKAGE else []
        return inside[0] if inside else ""

    def __str__(self) -> str:
        return f"{self.source.at(self.node)} imports {self.target}"


@cache
def modules() -> dict[str, Module]:
    files = sorted((SOURCE / PACKAGE).rglob("*.py"))
    found = [Module(file, text := file.read_text("utf-8"), ast.parse(text)) for file in files]
    return {module.name: module for module in found}


@cache
def arrows() -> tuple[Arrow, ...]:
    """Every import, those in functions and under TYPE_CHECKING included."""
    return tuple(dict.fromkeys(arrow for module in modules().values() for arrow in _arrows_of(module)))


def _arrows_of(module: Module) -> Iterator[Arrow]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (Arrow(module, node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                target = f"{node.module}.{alias.name}"
                is_module = target in modules() or node.module == PACKAGE
                yield Arrow(module, node, target if is_module and not alias.name.startswith("__") else f"{node.module}")


def say(faults: list[str], way_out: str) -> None:
    if faults:
        pytest.fail("\n".join([*faults, "", way_out]), pytrace=False)


def test_the_plan_itself_only_runs_down() -> None:
    rooms = list(MAY_IMPORT)
    upward = [
        f"{room} may import {other}, which stands above it"
        for room, others in MAY_IMPORT.items()
        for other in others
        if rooms.index(other) <= rooms.index(room)
    ]
    say(upward, "Order the rows of MAY_IMPORT from the roof down to the ground.")


def test_the_picture_of_the_floors_shows_the_plan() -> None:
    """ARCHITECTURE.md draws it: down is allowed, and to the right where an arrow is drawn."""
    drawn = re.search(r"^```\n(.*?)^```$", (SOURCE.parent / "ARCHITECTURE.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert drawn is not None
    groups = [(floor, group) for floor, line in enumerate(drawn[1].splitlines()) for group in re.split(r" {2,}", line.strip())]
    places = {
        room: (floor, group, step)
        for floor, group in groups
        for step, names in enumerate(group.split(" → "))
        for room in names.split(", ")
        if room in MAY_IMPORT
    }
    say(sorted(MAY_IMPORT.keys() - places.keys()), "Draw these rooms in ARCHITECTURE.md, too.")
    bent = [
        f"{room} may import {other}, which is drawn neither below it nor behind its arrow"
        for room, others in MAY_IMPORT.items()
        for other in others
        if not (places[other][0] > places[room][0] or (places[other][1] == places[room][1] and places[other] > places[room]))
    ]
    say(bent, "Let the picture in ARCHITECTURE.md show what is, or the table what should be.")


def test_every_room_stands_on_the_plan() -> None:
    built = {module.room for module in modules().values()} - {""}
    say(sorted(built - MAY_IMPORT.keys()), "Give each of these rooms a row in MAY_IMPORT, as far down as it can stand.")
    say(sorted(MAY_IMPORT.keys() - built), "Nothing is left of these rooms: take their rows out of MAY_IMPORT.")


def test_arrows_run_down_only() -> None:
    bent = [
        f"{arrow}: {arrow.source.room} may know {', '.join(sorted(MAY_IMPORT.get(arrow.source.room, ()))) or 'no other room'}"
        for arrow in arrows()
        if arrow.room not in {"", arrow.source.room, *MAY_IMPORT.get(arrow.source.room, ())}
    ]
    say(bent, "Take what is needed as an argument and let app.py hand it in, or move the word that both need into protocol/.")


def test_no_room_is_allowed_more_than_it_takes() -> None:
    rooms = {(arrow.source.room, arrow.room) for arrow in arrows()}
    libraries = {(arrow.source.room, arrow.top) for arrow in arrows()}
    idle = [
        f"{room} never imports {other}" for room, others in MAY_IMPORT.items() for other in others if (room, other) not in rooms
    ]
    idle += [f"{room} never uses {name}" for name, users in MAY_USE.items() for room in users if (room, name) not in libraries]
    say(sorted(idle), "Take these out of MAY_IMPORT and MAY_USE: a door that nobody goes through invites a bent arrow.")


def test_nothing_goes_in_circles() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for arrow in arrows():
        if arrow.target in modules() and arrow.target != arrow.source.name:
            graph[arrow.source.name].add(arrow.target)
    circle = []
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = [" ← ".join(error.args[1])]
    say(circle, "Move what two of these files need of one another into a third one below both.")


def test_each_library_is_known_to_its_rooms_only() -> None:
    strangers = [
        f"{arrow}: only {', '.join(sorted(MAY_USE.get(arrow.top, ()))) or 'nobody'} may use it"
        for arrow in arrows()
        if (arrow.top in MAY_USE or arrow.top not in {PACKAGE, *sys.stdlib_module_names})
        and arrow.source.room not in MAY_USE.get(arrow.top, ())
    ]
    say(strangers, "Keep each library behind the room that owns it. A new library gets a row in MAY_USE.")


def test_each_package_that_is_installed_is_one_that_some_room_uses() -> None:
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    installed = {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in project["dependencies"]}
    idle = sorted(installed - MAY_USE.keys())
    lent = sorted(MAY_USE.keys() - installed - sys.stdlib_module_names)
    say(idle + lent, "The dependencies in pyproject.toml and the libraries in MAY_USE are the same.")


def test_the_rules_are_pure() -> None:
    rules = [module for module in modules().values() if module.room == "protocol"]
    impure = [str(arrow) for arrow in arrows() if arrow.source in rules and arrow.top not in {PACKAGE, *PURE}]
    waiting = [
        f"{module.at(node)} waits"
        for module in rules
        if module.path.name not in PORTS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]
    say(impure + waiting, "A rule is a plain function over records: clock, chance, rows and waiting belong to its callers.")


def test_clock_and_chance_are_in_the_root_alone() -> None:
    """Ruff's banned-api finds the calls; this finds the modules, and the event loop's own clock."""
    elsewhere = [module for module in modules().values() if module.room != "app"]
    imported = [str(arrow) for arrow in arrows() if arrow.source in elsewhere and arrow.top in CLOCK_AND_CHANCE]
    called = [
        f"{module.at(node)} reads a clock"
        for module in elsewhere
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "time" and not node.args
    ]
    say(imported + called, "Take `now`, a clock or an `Entropy` as an argument; app.py holds the real ones.")


def test_no_line_excuses_itself_from_the_plan() -> None:
    excused = [
        f"{module.path.relative_to(SOURCE.parent)}:{number} {line.strip()}"
        for module in modules().values()
        for number, line in enumerate(module.text.splitlines(), 1)
        if NEVER_EXCUSED.search(line)
    ]
    say(excused, "The clock, chance and the number of parameters have no exceptions.")


def test_names_say_what_is_inside() -> None:
    vague = [
        module.name for module in modules().values() if FORBIDDEN_NAMES & {*module.name.split("."), *module.path.stem.split("_")}
    ]
    say(vague, "Name a file after its subject. What helps one file lives in that file, until a second one needs it.")


def test_files_stay_short() -> None:
    long = [
        f"{module.path.relative_to(SOURCE.parent)}: {lines} lines"
        for module in modules().values()
        if (lines := len(module.text.splitlines())) > LINES_OF_A_FILE
    ]
    say(long, f"A file has {LINES_OF_A_FILE} lines at most, and is best at about 110: look for the second subject in it.")


def test_functions_stay_short() -> None:
    long = [
        f"{module.at(node)} {node.name}: {lines} lines"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and (lines := node.end_lineno - node.lineno + 1) > LINES_OF_A_FUNCTION
    ]
    say(long, f"A function has {LINES_OF_A_FUNCTION} lines at most, and is best at about 12: give its parts names.")
