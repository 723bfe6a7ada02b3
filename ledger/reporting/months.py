"""The drawing of a figure by month as columns: apart, because altair takes long to load.

Like the timeline, it is worked out in pixels, and its colours are names of the page's style sheet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import log10
from typing import Any, Final

import altair as alt
import vl_convert

from ledger.reporting.chart import STATUSES

MONTHS_MAX: Final = 48
"""More would be too thin to be told apart: the last are drawn."""

_WIDTH, _HEIGHT, _SIZE = 340, 110, 14
_PADDING: Final = {"left": 52, "right": 64, "top": 14, "bottom": 28}
_GAP: Final = 0.12
_LEAST: Final = 2
"""A column is at least so many pixels high if its figure is not nothing."""

_STEPS: Final = (1, 2, 5, 10)
_MARKS_MAX: Final = 6
_YEAR_MONTHS: Final = 12


@dataclass(frozen=True)
class Column:
    """A month, its figure, and the status in whose colour it is drawn."""

    month: date
    value: float
    status: str


@dataclass(frozen=True)
class Line:
    """A limit that is drawn across the columns, with what stands beside it."""

    value: float
    text: str


def every_month(columns: Sequence[Column]) -> list[Column]:
    """Fill the months of which nothing is told, and leave the last of very many."""
    told = {column.month: column for column in columns}
    first, last = (12 * day.year + day.month - 1 for day in (min(told), max(told)))
    months = (date(n // 12, n % 12 + 1, 1) for n in range(max(first, last - MONTHS_MAX + 1), last + 1))
    return [told.get(month, Column(month, 0.0, "open")) for month in months]


def draw_months(columns: Sequence[Column], line: Line | None, unit: str) -> str:
    """Draw the columns, as `every_month` gives them, with the last figure beside them."""
    drawn: str = vl_convert.vegalite_to_svg(_chart() | {"datasets": _values(columns, line, unit)}, allowed_base_urls=[])
    return drawn


def figure_words(value: float, unit: str) -> str:
    """Give a figure as it stands in a drawing: a percentage to one place, rounded down; a count as it is."""
    return f"{int(value * 10) / 10:,.1f}{unit}" if unit == "%" else f"{value:,.0f}{unit}"


def _values(columns: Sequence[Column], line: Line | None, unit: str) -> dict[str, list[dict[str, Any]]]:
    """Give what the marks are drawn from, in pixels from the lower left corner."""
    most = max([line.value if line else 0.0, *(column.value for column in columns)]) or 1.0
    wide, level = _WIDTH / len(columns), _level(most)

    def up(value: float) -> float:
        return round(min(value, most * 1.08) / (most * 1.08) * _HEIGHT, 1)

    bars = [
        {
            "x": round((n + _GAP) * wide, 1),
            "x2": round((n + 1 - _GAP) * wide, 1),
            "y": max(up(column.value), _LEAST if column.value else 0),
            "status": column.status,
        }
        for n, column in enumerate(columns)
        if column.value
    ]
    levels = [n * level for n in range(int(most / level) + 1)]
    free = [value for value in levels if not line or abs(up(value) - up(line.value)) > _SIZE]
    last = columns[-1].value
    return {
        "bars": bars,
        "levels": [{"y": up(value), "text": f"{value:,.0f}{unit}"} for value in free],
        "line": [{"y": up(line.value), "text": line.text}] if line else [],
        "end": [{"y": up(last), "text": figure_words(last, unit)}],
        "months": [{"x": round((n + 0.5) * wide, 1), "text": text} for n, text in _marks(columns)],
    }


def _level(most: float) -> float:
    """Give the distance of the lines behind the columns: a round figure, so that there are two or three of them."""
    size = 10.0 ** int(log10(most)) if most >= 1 else 1.0
    return next(
        (step * size / 10 for step in (*_STEPS, 20, 50, 100) if most / (step * size / 10) <= len(_STEPS) - 1), most
    )


def _marks(columns: Sequence[Column]) -> list[tuple[int, str]]:
    """Give the columns that have their month below them: each January and, of few months, the others as well."""
    few = len(columns) <= _MARKS_MAX
    marks = [
        (n, str(column.month.year) if column.month.month == 1 else f"{column.month:%Y-%m}")
        for n, column in enumerate(columns)
        if few or column.month.month == 1 or (len(columns) <= 2 * _YEAR_MONTHS and column.month.month % 6 == 1)
    ]
    return marks[:: -(-len(marks) // _MARKS_MAX)] if marks else [(0, f"{columns[0].month:%Y-%m}")]


@cache
def _chart() -> dict[str, Any]:
    """Give the chart without its values, as Vega-Lite: the same for all, and declaring it takes time."""
    across = alt.X("x:Q", scale=alt.Scale(domain=[0, _WIDTH], nice=False), axis=None)
    up = alt.Y("y:Q", scale=alt.Scale(domain=[0, _HEIGHT], nice=False), axis=None)
    names = ["var(--beyond)" if status == "over" else f"var(--status-{status})" for status in STATUSES]
    colours = alt.Scale(domain=list(STATUSES), range=names)
    words: dict[str, Any] = {"fontSize": _SIZE, "fill": "var(--soft)"}
    ink: dict[str, Any] = words | {"fill": "var(--ink)"}
    left: dict[str, Any] = {"align": "right", "baseline": "middle"}
    layers = (
        _marked("levels").mark_rule(stroke="var(--line)").encode(y=up),
        _marked("bars")
        .mark_rect()
        .encode(x=across, x2="x2:Q", y=up, y2=alt.datum(0), color=alt.Color("status:N", scale=colours, legend=None)),
        _marked("line").mark_rule(stroke="var(--ink)", strokeWidth=1.5).encode(y=up),
        _marked("levels").mark_text(**left, **words).encode(y=up, x=alt.value(-6), text="text:N"),
        _marked("line").mark_text(**left, **ink).encode(y=up, x=alt.value(-6), text="text:N"),
        _marked("end")
        .mark_text(align="left", baseline="middle", fontWeight="bold", **ink)
        .encode(y=up, x=alt.value(_WIDTH + 5), text="text:N"),
        _marked("months").mark_text(baseline="top", **words).encode(x=across, y=alt.value(_HEIGHT + 8), text="text:N"),
    )
    sizes = {"width": _WIDTH, "height": _HEIGHT, "padding": _PADDING, "autosize": alt.AutoSizeParams(type="none")}
    chart = (
        alt.layer(*layers)
        .properties(background="transparent", **sizes)
        .configure(aria=False, view=alt.ViewConfig(stroke=None))
    )
    declared: dict[str, Any] = chart.to_dict()
    return declared


def _marked(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name=name))
