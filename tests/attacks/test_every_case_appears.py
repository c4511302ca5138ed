"""No attack is forgotten: each id of `case_ids.py` stands in the name of a test, or in `not_applicable.py` with a reason."""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.attacks.case_ids import CASE_IDS
from tests.attacks.not_applicable import NOT_APPLICABLE

TESTS = Path(__file__).parents[1]
IN_A_FUNCTION = re.compile(r"_([a-q][0-9]{2})(?=_|\b)")
IN_A_PARAMETER = re.compile(r"(?<![A-Za-z0-9])([A-Q][0-9]{2})(?![A-Za-z0-9])")
DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)


def cases_of(tests: Iterable[str]) -> set[str]:
    """The ids that tests are named after: `test_a22_…`, or a parameter `[A22-…]`."""
    found: set[str] = set()
    for test in tests:
        function, _, parameter = test.partition("::")[2].partition("[")
        found |= {number.upper() for number in IN_A_FUNCTION.findall(function)}
        found |= set(IN_A_PARAMETER.findall(parameter))
    return found


def attacks() -> set[str]:
    """What pytest itself finds in this folder."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", str(Path(__file__).parent)]
    collected = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False)
    assert collected.returncode == 0, collected.stdout
    return {line for line in collected.stdout.splitlines() if "::" in line}


def proofs_elsewhere() -> set[str]:
    """Tests of other folders, which may need programs that are not here; their names alone are read."""
    files = [file for file in TESTS.rglob("test_*.py") if file.parent != Path(__file__).parent]
    return {f"{file.name}::{name}" for file in files for name in DEFINED.findall(file.read_text("utf-8"))}


def test_every_case_is_a_test_or_has_a_reason_why_not() -> None:
    tested = cases_of(attacks() | proofs_elsewhere())
    assert [case for case in CASE_IDS if case not in tested and case not in NOT_APPLICABLE] == []
    assert sorted(tested - set(CASE_IDS)) == []
    assert sorted(tested & NOT_APPLICABLE.keys()) == []


def test_the_reasons_are_of_known_cases_and_say_something() -> None:
    assert list(NOT_APPLICABLE) == [case for case in CASE_IDS if case in NOT_APPLICABLE]
    assert [case for case, reason in NOT_APPLICABLE.items() if len(reason) < 20] == []


def test_the_list_is_whole_and_this_test_can_fail() -> None:
    assert len(CASE_IDS) == len(set(CASE_IDS)) == 314
    invented = [
        "x.py::test_a22_b43_twice",
        "x.py::test_twice[A23-x]",
        "x.py::test_c[x-D24-y]",
        "x.py::test_aes256_e1",
        "x.py::t[XA99]",
    ]
    assert cases_of(invented) == {"A22", "B43", "A23", "D24"}
