"""The README is held against the code, so that it cannot drift from it."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Final

from alexa_oauth.settings.table import CLIENTS_FILE, SETTINGS, Settings

README: Final = Path(__file__).parents[1] / "README.md"


def test_the_table_of_settings_is_that_of_the_code() -> None:
    defaults = {row.name: row.default for row in fields(Settings)}
    rows = [
        f"| `{setting.name}` | {_shown(defaults[setting.name])} | {setting.purpose.replace('<', '&lt;')} |"
        for setting in SETTINGS
    ]
    table = "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])
    assert table in README.read_text("utf-8"), f"The table is now:\n{table}"


def _shown(default: Any) -> str:  # noqa: ANN401 - the defaults are of every type
    if default is MISSING:
        return f"`{CLIENTS_FILE}` in `data_dir`"
    if isinstance(default, tuple):
        default = ", ".join(default)
    if isinstance(default, bool):
        default = str(default).lower()
    return "" if default in (None, "") else f"`{default}`"
