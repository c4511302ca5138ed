"""Prints the matrix of requirements at the end of a run."""

import pytest

from tests.conformance.matrix import FOLDER, Requirement, shown
from tests.outcomes import worst_outcomes


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-conformance", action="store_true", help="write CONFORMANCE.md from the markers of the tests")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each requirement whose test ran."""
    outcomes = worst_outcomes(terminalreporter, FOLDER)
    ran = [row for row in shown() if row.test in outcomes]
    if not ran:
        return
    terminalreporter.section("conformance")
    for row in ran:
        terminalreporter.write_line(_line(row, outcomes[row.test]))


def _line(row: Requirement, outcome: str) -> str:
    section = f"§{row.section}" if row.section else ""
    return f"{outcome:7} {row.specification} {section:8} {row.requirement}  [{row.test}]"
