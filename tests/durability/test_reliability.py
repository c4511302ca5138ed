"""RELIABILITY.md says what the tests bring about, and no test of a fault is missing there."""

import pytest

from tests.durability.reliability import CHAPTERS, COMMAND, DOCUMENT, FOLDER, document, faults


def test_the_document_says_what_the_tests_bring_about(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--write-reliability", default=False):
        DOCUMENT.write_text(document(), "utf-8")
    written = DOCUMENT.read_text("utf-8") if DOCUMENT.exists() else ""
    assert written == document(), f"RELIABILITY.md has drifted from the tests; write it anew: {COMMAND}"


def test_every_test_of_a_fault_has_its_row() -> None:
    shown = {fault.test for fault in faults()}
    found = {
        f"{file.name}::{line.partition('def ')[2].partition('(')[0]}"
        for file in FOLDER.glob("test_*.py")
        if file.name != "test_reliability.py"
        for line in file.read_text("utf-8").splitlines()
        if line.startswith(("def test_", "async def test_"))
    }
    assert found == shown
    assert {test.partition("::")[0] for test in found} == set(CHAPTERS)
