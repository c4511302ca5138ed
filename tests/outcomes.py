"""What came of the tests of a folder, for those that print it beside the promises that the tests prove."""

from pathlib import Path

import pytest


def worst_outcomes(reporter: pytest.TerminalReporter, folder: Path) -> dict[str, str]:
    """The worst outcome of each test of that folder as `file::name`, over all its parameters; left out in part is not passed."""
    found: dict[str, str] = {}
    for outcome in ("passed", "skipped", "error", "failed"):
        for report in reporter.stats.get(outcome, []):
            file, _, name = report.nodeid.partition("[")[0].partition("::")
            if file.rpartition("/")[0].endswith(f"tests/{folder.name}"):
                found[f"{file.rpartition('/')[2]}::{name}"] = outcome
    return found
