"""CONFORMANCE.md says what the tests prove, and the tests prove what it says."""

import pytest

from tests.conformance.choices import DEVIATIONS, NOT_OFFERED
from tests.conformance.matrix import COMMAND, DOCUMENT, FOLDER, TITLES, document, requirements, shown


def test_the_document_says_what_the_tests_prove(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--write-conformance", default=False):
        DOCUMENT.write_text(document(), "utf-8")
    written = DOCUMENT.read_text("utf-8") if DOCUMENT.exists() else ""
    assert written == document(), f"CONFORMANCE.md has drifted from the tests; write it anew: {COMMAND}"


def test_every_specification_has_its_chapter_and_every_requirement_its_words() -> None:
    assert list(dict.fromkeys(row.specification for row in requirements())) == list(TITLES)
    said = [(row.specification, row.section, row.requirement) for row in requirements()]
    assert len(said) == len(set(said))
    assert [row for row in requirements() if len(row.requirement) < 20] == []


def test_every_choice_is_shown_by_a_test_that_exists() -> None:
    for row in shown():
        file, _, name = row.test.partition("::")
        assert f"def {name}(" in (FOLDER / file).read_text("utf-8"), row


def test_every_test_of_a_choice_belongs_to_one() -> None:
    named = {row.test for row in (*DEVIATIONS, *NOT_OFFERED)}
    for file in ("test_deviations.py", "test_not_offered.py"):
        lines = (FOLDER / file).read_text("utf-8").splitlines()
        tests = [line.partition("def ")[2].partition("(")[0] for line in lines if "def test_" in line]
        assert [name for name in tests if f"{file}::{name}" not in named] == []
