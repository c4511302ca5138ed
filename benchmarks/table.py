"""Tables in Markdown."""

import statistics
from collections.abc import Iterable, Sequence


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median, with least and greatest: `4,210 (4,002 … 4,377)`."""
    median, least, greatest = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{median} ({least} … {greatest})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The table, with all but the first column set to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
