"""The parsers of strangers' bytes against their oracles: on the corpus always, on new input as long as `--all` has time."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.fuzz.parsers import CHECKS

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = Path(__file__).parent / "corpus"
SECONDS: Final = {"form": 20, "redirect_uri": 20, "basic": 8, "language": 8}
"""With those of tests/fuzz/test_http.py well under two minutes, so that a busy machine stays under them, too."""
HAS_ATHERIS: Final = (sys.platform, platform.machine()) == ("linux", "x86_64") and sys.version_info < (3, 14)
"""As pyproject.toml says it. Where there should be one, its lack is a failure."""


@pytest.mark.parametrize("name", CHECKS)
def test_every_input_of_the_corpus_is_read_as_the_oracle_reads_it(name: str) -> None:
    inputs = sorted((CORPUS / name).iterdir())
    assert inputs
    for kept in inputs:
        try:
            CHECKS[name](kept.read_bytes())
        except Exception as error:
            raise AssertionError(f"{kept}: {kept.read_bytes()!r}") from error


@pytest.mark.fuzz
@pytest.mark.skipif(not HAS_ATHERIS, reason="atheris has no wheel for this Python on this machine")
@pytest.mark.parametrize("name", CHECKS)
def test_no_input_that_atheris_finds_is_read_differently(name: str, tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.mkdir()
    limits = (f"-max_total_time={SECONDS[name]}", "-seed=1", "-max_len=400", "-timeout=5", "-print_final_stats=1")
    places = (f"-artifact_prefix={tmp_path}/", found, CORPUS / name)
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.drive", name, *limits, *places],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS[name] + 60,
        check=False,
    )
    breaking = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    assert (run.returncode, breaking) == (0, {}), f"{run.stdout}\n{run.stderr[-6_000:]}"
    executed = re.search(r"number_of_executed_units: ([0-9]+)", run.stderr)
    assert executed is not None
    assert int(executed[1]) > 1_000, "it tried next to nothing"
