"""The drawing of one country's use of its cap over time: apart, because altair takes long to load.

Days are drawn as numbers, because a drawing of dates would depend on the time zone of the machine. Colours are names
of the page's style sheet, so the drawing follows it into the dark and onto paper.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import altair as alt
import vl_convert

from ledger.reporting.period import Period

_PERCENT_MAX: Final = 300
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
        return min(max(100.0, *(percent for _, percent in self.steps)) * 1.06, _PERCENT_MAX)


def use_of(changes: Iterable[Mapping[str, Any]], cap_tpp: int, start: date, period: Period, status: str) -> Use:
    """Work out the shares from rows with `date` and `used_tpp`, what is used from that day on, in order."""
    rows = [(row["date"], 100 * row["used_tpp"] / cap_tpp if cap_tpp else 0.0) for row in changes]
    start = min([start, period.last, *(day for day, _ in rows[:1])])
    return Use([(start, 0.0), *rows], period.last, status)


def draw_timeline(use: Use, period: Period) -> str:
    """Draw the use as steps up to the cap in the status's colour, and what is beyond it darker."""
    scales = {
        "x": alt.Scale(
            domain=[use.first.toordinal(), max(use.last.toordinal(), use.first.toordinal() + 1)], nice=False
        ),
        "y": alt.Scale(domain=[0, use.top], nice=False, clamp=True),
    }
    chart = (
        alt.layer(*_band(use, period, scales), *_steps(use, scales), *_levels(use, scales), *_days(use, scales))
        .properties(
            width=_WIDTH,
            height=_HEIGHT,
            padding=_PADDING,
            background="transparent",
            autosize=alt.AutoSizeParams(type="none"),
        )
        .configure_view(stroke=None)
    )
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    return drawn


def _chart(*values: Mapping[str, Any]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(values)))


def _x(name: str, scales: Mapping[str, alt.Scale]) -> alt.X:
    return alt.X(f"{name}:Q", scale=scales["x"], axis=None)


def _y(name: str, scales: Mapping[str, alt.Scale]) -> alt.Y:
    return alt.Y(f"{name}:Q", scale=scales["y"], axis=None)


def _band(use: Use, period: Period, scales: Mapping[str, alt.Scale]) -> list[alt.Chart]:
    """Draw the period as a band, if more than the period is drawn."""
    if period.first <= use.first:
        return []
    band = _chart({"from": period.first.toordinal(), "to": use.last.toordinal()})
    return [band.mark_rect(fill="var(--tint)").encode(x=_x("from", scales), x2="to:Q")]


def _steps(use: Use, scales: Mapping[str, alt.Scale]) -> list[alt.Chart]:
    points = [*use.steps, (use.last, use.steps[-1][1])]
    values = [
        {"day": day.toordinal(), "end": min(percent, use.top), "within": min(percent, use.top, 100.0), "cap": 100}
        for day, percent in points
    ]
    colour = f"var(--status-{use.status})"
    area = _chart(*values).mark_area(interpolate="step-after", fill=colour, stroke=None)
    drawn = [area.encode(x=_x("day", scales), y=_y("within", scales))]
    if any(percent > values[0]["cap"] for _, percent in points):
        over = [value | {"over": max(value["end"], 100.0)} for value in values]
        beyond = _chart(*over).mark_area(interpolate="step-after", fill="var(--beyond)", stroke=None)
        drawn.append(beyond.encode(x=_x("day", scales), y=_y("over", scales), y2="cap:Q"))
    return drawn


def _levels(use: Use, scales: Mapping[str, alt.Scale]) -> list[alt.Chart]:
    """Draw the lines of none, half and all of the cap, and write what is used at the end beside the last step."""
    last = use.steps[-1][1]
    shown = f"{int(last * 10) / 10:,.1f}%"
    levels = [{"at": at, "text": text} for at, text in ((0, "0%"), (50, "50%"), (100, "cap"))]
    rules = _chart(*levels[:2]).mark_rule(stroke="var(--line)")
    cap = _chart(levels[2]).mark_rule(stroke="var(--ink)", strokeWidth=1.5)
    names = _chart(*levels).mark_text(align="right", baseline="middle", fontSize=_SIZE, fill="var(--soft)")
    figure = _chart({"at": min(last, use.top), "text": shown}).mark_text(
        align="left", baseline="middle", fontSize=_SIZE, fontWeight="bold", fill="var(--ink)"
    )
    return [
        rules.encode(y=_y("at", scales)),
        cap.encode(y=_y("at", scales)),
        names.encode(y=_y("at", scales), x=alt.value(-6), text="text:N"),
        figure.encode(y=_y("at", scales), x=alt.value(_WIDTH + 5), text="text:N"),
    ]


def _days(use: Use, scales: Mapping[str, alt.Scale]) -> list[alt.Chart]:
    """Mark where years begin, and quarters where there are few."""
    years = range(use.first.year, use.last.year + 1)
    starts = [(date(year, month, 1), month) for year in years for month in (1, 4, 7, 10)]
    few = len(years) <= _YEARS_IN_QUARTERS_MAX
    marks = [
        {"day": day.toordinal(), "text": str(day.year) if month == 1 else f"Q{month // 3 + 1}" if few else ""}
        for day, month in starts
        if use.first <= day <= use.last and (few or month == 1)
    ]
    if not marks:
        marks = [{"day": use.first.toordinal(), "text": use.first.isoformat()}]
    step = -(-len(marks) // _MARKS_MAX)
    marks = marks[::step]
    ticks = (
        _chart(*marks)
        .mark_rule(stroke="var(--soft)")
        .encode(x=_x("day", scales), y=alt.value(_HEIGHT), y2=alt.value(_HEIGHT + 4))
    )
    names = (
        _chart(*marks)
        .mark_text(align="center", baseline="top", fontSize=_SIZE, fill="var(--soft)")
        .encode(x=_x("day", scales), y=alt.value(_HEIGHT + 8), text="text:N")
    )
    return [ticks, names]
