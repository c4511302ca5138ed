"""Bar charts as SVG needs them: the geometry is worked out here, so that a page needs no script to draw one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 100
LABELLED: Final = 6
"""Every so many bars have a label."""
_GAP: Final = 0.25
_LEAST: Final = 2.0
"""Height of a bar that stands for little, so that it is seen at all."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One value where it is drawn. `label` is below it, `told` what it says in words; `label` may be empty."""

    x: float
    y: float
    width: float
    height: float
    label: str
    hour: str
    told: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its `title`, a `summary` of what it shows, and the value of its top line, `top`, in words."""

    chart_id: str
    title: str
    summary: str
    top: str
    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Series:
    """Values by the hour, `None` where there is none, and how one is said."""

    hours: Sequence[str]
    values: Sequence[float | None]
    say: Callable[[float], str]


def bar_chart(chart_id: str, title: str, series: Series) -> Chart:
    """One bar for each hour; a value that is infinite fills the chart."""
    shown = [value for value in series.values if value is not None]
    finite = [value for value in shown if value != inf]
    top = max(finite, default=0) or 1
    bars = tuple(_bar(series, number, top) for number in range(len(series.values)))
    summary = _summary(series, shown)
    return Chart(chart_id, title, summary, series.say(top), bars)


def _bar(series: Series, number: int, top: float) -> Bar:
    value, step = series.values[number], WIDTH / len(series.values)
    share = 0.0 if value is None else min(value / top, 1.0)
    height = max(share * HEIGHT, _LEAST) if value else 0.0
    hour = series.hours[number]
    return Bar(
        x=round((number + _GAP / 2) * step, 1),
        y=round(HEIGHT - height, 1),
        width=round((1 - _GAP) * step, 1),
        height=round(height, 1),
        label=hour if number % LABELLED == 0 else "",
        hour=hour,
        told="–" if value is None else series.say(value),  # noqa: RUF001 - the dash of tables
    )


def _summary(series: Series, shown: Sequence[float]) -> str:
    if not shown:
        return "Nothing in the last 24 hours."
    peak = max(range(len(series.values)), key=lambda number: series.values[number] or 0)
    return f"The highest value is {series.say(max(shown))}, in the hour from {series.hours[peak]}."
