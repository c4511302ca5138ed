"""What an AppArmor profile permits, for the kinds of rules that `apparmor.txt` has; enough to hold a trace against it."""

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final, Self

from tests.container.engine import run

_VARIABLE: Final = re.compile(r"^(@\{\w+\})\s*=\s*(.*)$")
_PROFILE: Final = re.compile(r"profile (\S+) .*\{")
_FILE_RULE: Final = re.compile(r"(?:owner )?([/@]\S*)\s+([a-zA-Z]+)(?: -> (\S+))?,")
_NETWORK_RULE: Final = re.compile(r"network (\w+) (\w+),")
_GLOB: Final = re.compile(r"\*\*|\*|\?|\{|\}|,|\[[^\]]*\]|.")
_EXECUTION: Final = "xXcCpPiIuU"


@dataclass(frozen=True)
class Rule:
    """A file rule: whom it is about, what it permits, and into which profile an execution leads."""

    pattern: re.Pattern[str]
    is_exact: bool
    permits: str
    child: str | None


@dataclass
class Profile:
    """One profile with its rules; the children are profiles of their own."""

    name: str
    rules: list[Rule] = field(default_factory=list)
    networks: set[tuple[str, str]] = field(default_factory=set)
    children: dict[str, Self] = field(default_factory=dict)

    def permits(self, path: str, access: str) -> bool:
        """Whether every letter of the access is permitted; a folder's path may end with a slash."""
        spelt = (path, f"{path.rstrip('/')}/")
        return set(access) <= {
            letter for rule in self.rules if any(map(rule.pattern.fullmatch, spelt)) for letter in rule.permits
        }

    def after_executing(self, path: str) -> Self | None:
        """The profile in which the program runs; `None` if it may not run at all. An exact path beats a pattern."""
        matching = [rule for rule in self.rules if set(rule.permits) & set(_EXECUTION) and rule.pattern.fullmatch(path)]
        if not matching:
            return None
        rule = max(matching, key=lambda rule: rule.is_exact)
        return self if rule.child is None else self.children[rule.child]


def read_profile(path: Path) -> Profile:
    """The one profile of that file, with what it includes."""
    lines = [line.strip() for line in run("apparmor_parser", "--preprocess", path).stdout.splitlines()]
    variables: dict[str, list[str]] = {}
    open_profiles: list[Profile] = []
    for line in lines:
        if variable := _VARIABLE.fullmatch(line):
            variables[variable[1]] = variable[2].split()
        elif opened := _PROFILE.fullmatch(line):
            profile = Profile(opened[1])
            if open_profiles:
                open_profiles[-1].children[profile.name] = profile
            open_profiles.append(profile)
        elif line == "}" and len(open_profiles) > 1:
            open_profiles.pop()
        elif rule := _FILE_RULE.fullmatch(line):
            open_profiles[-1].rules += _rules(rule[1], rule[2], rule[3], variables)
        elif network := _NETWORK_RULE.fullmatch(line):
            open_profiles[-1].networks.add((network[1], network[2]))
    (outermost,) = open_profiles
    return outermost


def _rules(glob: str, permits: str, child: str | None, variables: dict[str, list[str]]) -> list[Rule]:
    is_exact = not re.search(r"[*?{\[@]", glob)
    return [Rule(re.compile(_expression(found)), is_exact, permits, child) for found in _expanded(glob, variables)]


def _expanded(glob: str, variables: dict[str, list[str]]) -> list[str]:
    """Every spelling of a pattern whose variables have several values, which may have variables themselves."""
    names = re.findall(r"@\{\w+\}", glob)
    if not names:
        return [glob]
    spellings = []
    for values in product(*(variables.get(name, ["*"]) for name in names)):
        spelt = glob
        for name, value in zip(names, values, strict=True):
            spelt = spelt.replace(name, value, 1)
        spellings += _expanded(re.sub("//+", "/", spelt), variables)
    return spellings


@cache
def _expression(glob: str) -> str:
    """AppArmor's pattern as a regular expression; behind a slash a star stands for one character at least."""
    written = []
    depth = 0
    for number, mark in enumerate(marks := _GLOB.findall(glob)):
        depth += (mark == "{") - (mark == "}")
        least = "+" if number and marks[number - 1] == "/" else "*"
        match mark:
            case "**":
                written.append(f".{least}")
            case "*":
                written.append(f"[^/]{least}")
            case "?":
                written.append("[^/]")
            case "{":
                written.append("(?:")
            case "}":
                written.append(")")
            case "," if depth:
                written.append("|")
            case _:
                written.append(mark if mark.startswith("[") and len(mark) > 1 else re.escape(mark))
    return "".join(written)
