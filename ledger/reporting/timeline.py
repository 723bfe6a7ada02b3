"""The drawing of one country's use of its cap over time: apart, because altair takes long to load.

Days are drawn as numbers, because a drawing of dates would depend on the time zone of the machine. Colours are names
of the page's style sheet, so the drawing follows it into the dark and onto paper.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

import altair as alt
import vl_convert

from ledger.reporting.chart import STATUSES
from ledger.reporting.period import Period

_ALL: Final = 100.0
"""The cap, in percent of itself."""

_PERCENT_MAX: Final = 300
_SHOWN_MAX: Final = 1000
_WIDTH, _HEIGHT, _SIZE = 340, 110, 14
_PADDING: Final = {"left": 42, "right": 64, "top": 12, "bottom": 28}
_YEARS_IN_QUARTERS_MAX: Final = 2
_MARKS_MAX: Final = 8


@dataclass(frozen=True)
class Use:
    """What is to be drawn: the share of the cap that was used from each day on, until the last day."""

    steps: Sequence[tuple[date, float]]
    last: date
    status: str

    @property
    def first(self) -> date:
        """The first day drawn."""
        return self.steps[0][0]

    @property
    def top(self) -> float:
        """The highest share drawn, in percent: at least the cap."""
        return min(max(_ALL, *(percent for _, percent in self.steps)) * 1.06, _PERCENT_MAX)


def use_of(changes: Iterable[Mapping[str, Any]], cap_tpp: int, start: date, period: Period, status: str) -> Use:
    """Work out the shares from rows with `date` and `used_tpp`, what is used from that day on, in order."""
    rows = [(row["date"], 100 * row["used_tpp"] / cap_tpp if cap_tpp else 0.0) for row in changes]
    start = min([start, period.last, *(day for day, _ in rows[:1])])
    return Use([(start, 0.0), *rows], period.last, status)


def draw_timeline(use: Use, period: Period) -> str:
    """Draw the use as steps up to the cap in the status's colour, and what is beyond it darker."""
    drawn: str = vl_convert.vegalite_to_svg(_chart() | {"datasets": _values(use, period)}, allowed_base_urls=[])
    return drawn


def _values(use: Use, period: Period) -> dict[str, list[dict[str, Any]]]:
    """Give what the marks of the chart are drawn from, in pixels from the lower left corner."""
    first, days = use.first.toordinal(), max((use.last - use.first).days, 1)

    def across(day: date) -> float:
        return round((day.toordinal() - first) / days * _WIDTH, 1)

    def up(percent: float) -> float:
        return round(min(percent, use.top) / use.top * _HEIGHT, 1)

    points = [*use.steps, (use.last, use.steps[-1][1])]
    cap, most, last = up(_ALL), max(percent for _, percent in points), points[-1][1]
    within = _moving([{"x": across(day), "y": min(up(share), cap), "status": use.status} for day, share in points])
    beyond = _moving([{"x": across(day), "y": max(up(share), cap), "y2": cap} for day, share in points])
    return {
        # the period, if more than the period is drawn
        "band": [{"x": across(period.first), "x2": _WIDTH}] if period.first > use.first else [],
        "within": within,
        "beyond": beyond if most > _ALL else [],
        "levels": [{"y": up(at), "text": text} for at, text in ((0, "0%"), (_ALL / 2, "50%"))],
        "cap": [{"y": cap, "text": "cap"}],
        "end": [{"y": up(last), "text": f"{int(last * 10) / 10:,.1f}%" if last < _SHOWN_MAX else f"{int(last):,}%"}],
        "days": [{"x": across(day), "text": text} for day, text in _marks(use)],
    }


def _moving(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the steps that change nothing that can be seen, but for the last."""
    moved = [step for n, step in enumerate(steps[:-1]) if not n or step["y"] != steps[n - 1]["y"]]
    return [*moved, steps[-1]]


def _marks(use: Use) -> list[tuple[date, str]]:
    """Give the days on which years begin, and quarters where there are few years."""
    years = range(use.first.year, use.last.year + 1)
    months = (1, 4, 7, 10) if len(years) <= _YEARS_IN_QUARTERS_MAX else (1,)
    starts = [date(year, month, 1) for year in years for month in months]
    marks = [
        (day, str(day.year) if day.month == 1 else f"Q{day.month // 3 + 1}")
        for day in starts
        if use.first <= day <= use.last
    ]
    return marks[:: -(-len(marks) // _MARKS_MAX)] if marks else [(use.first, use.first.isoformat())]


@cache
def _chart() -> dict[str, Any]:
    """Give the chart without its values, as Vega-Lite: the same for every country, and declaring it takes time."""
    across = alt.X("x:Q", scale=alt.Scale(domain=[0, _WIDTH], nice=False), axis=None)
    up = alt.Y("y:Q", scale=alt.Scale(domain=[0, _HEIGHT], nice=False), axis=None)
    colours = alt.Scale(domain=list(STATUSES), range=[f"var(--status-{status})" for status in STATUSES])
    words: dict[str, Any] = {"fontSize": _SIZE, "fill": "var(--soft)"}
    end: dict[str, Any] = words | {"fill": "var(--ink)", "fontWeight": "bold"}
    layers = (
        _marked("band").mark_rect(fill="var(--tint)").encode(x=across, x2="x2:Q"),
        _marked("within")
        .mark_area(interpolate="step-after")
        .encode(x=across, y=up, color=alt.Color("status:N", scale=colours, legend=None)),
        _marked("beyond").mark_area(interpolate="step-after", fill="var(--beyond)").encode(x=across, y=up, y2="y2:Q"),
        _marked("levels").mark_rule(stroke="var(--line)").encode(y=up),
        _marked("cap").mark_rule(stroke="var(--ink)", strokeWidth=1.5).encode(y=up),
        *(
            _marked(name)
            .mark_text(align="right", baseline="middle", **words)
            .encode(y=up, x=alt.value(-6), text="text:N")
            for name in ("levels", "cap")
        ),
        _marked("end")
        .mark_text(align="left", baseline="middle", **end)
        .encode(y=up, x=alt.value(_WIDTH + 5), text="text:N"),
        _marked("days")
        .mark_rule(stroke="var(--soft)")
        .encode(x=across, y=alt.value(_HEIGHT), y2=alt.value(_HEIGHT + 4)),
        _marked("days").mark_text(baseline="top", **words).encode(x=across, y=alt.value(_HEIGHT + 8), text="text:N"),
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
