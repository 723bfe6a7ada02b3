"""The drawing of spans of days, a row each: from the earliest to the latest day on which something may be.

Apart, because altair takes long to load. Days are drawn as numbers, because a drawing of dates would depend on the time
zone of the machine. Colours are names of the page's style sheet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import altair as alt
import vl_convert

ROWS_MAX: Final = 12
_YEARS_MAX: Final = 6
"""What is later is drawn as an arrow, so that one slow row does not flatten the others."""

_YEARS_AT_LEAST: Final = 1
_MARKS_MAX: Final = 6
_WIDE: Final = {"bars": 470, "names": 150, "labels": 120, "step": 30, "thick": 14, "size": 13, "drop": 0}
_NARROW: Final = {"bars": 330, "names": 8, "labels": 14, "step": 44, "thick": 12, "size": 14, "drop": 9}


@dataclass(frozen=True)
class Span:
    """A row: its name, its days, and what stands beside it. No `latest` is one that is not foreseen."""

    name: str
    earliest: date
    latest: date | None
    day: date | None
    """The day that is drawn strongest, if there is one."""
    other: date | None
    """Another estimate of it."""
    label: str


def draw_bands(spans: Sequence[Span], start: date, *, narrow: bool) -> str:
    """Draw the spans from a first day on."""
    shape = _NARROW if narrow else _WIDE
    values, height = _values(spans, start, shape), shape["step"] * len(spans)
    across = alt.X("x:Q", scale=alt.Scale(domain=[0, shape["bars"]], nice=False), axis=None)
    down = alt.Y("y:Q", scale=alt.Scale(domain=[height, 0], nice=False), axis=None)
    words: dict[str, Any] = {"fontSize": shape["size"], "fill": "var(--soft)"}
    ink: dict[str, Any] = words | {"fill": "var(--ink)", "baseline": "middle"}
    marked = {name: alt.Chart(alt.InlineData(values=rows)) for name, rows in values.items()}
    above = alt.Y("above:Q", scale=alt.Scale(domain=[height, 0], nice=False), axis=None)
    rows = marked["rows"]
    texts = [rows.mark_text(align="left", **ink).encode(text="both:N", y=above, x=alt.value(0))]
    if not narrow:
        bold = rows.mark_text(align="left", fontWeight="bold", **ink)
        texts = [
            rows.mark_text(align="right", **ink).encode(text="name:N", y=down, x=alt.value(-10)),
            bold.encode(text="label:N", y=down, x=alt.value(shape["bars"] + 18)),
        ]
    layers = (
        marked["years"].mark_rule(stroke="var(--line)").encode(x=across, y=alt.value(0), y2=alt.value(height)),
        marked["years"].mark_text(baseline="top", **words).encode(x=across, y=alt.value(height + 6), text="text:N"),
        marked["rows"].mark_bar(size=shape["thick"], fill="var(--status-open)").encode(x=across, x2="x2:Q", y=down),
        marked["open"]
        .mark_point(shape="triangle-right", filled=True, size=110, fill="var(--status-open)", opacity=1, xOffset=6)
        .encode(x=across, y=down),
        marked["others"]
        .mark_point(
            shape="circle", filled=True, size=70, fill="var(--paper)", stroke="var(--ink)", strokeWidth=1.5, opacity=1
        )
        .encode(x=across, y=down),
        marked["days"]
        .mark_tick(orient="vertical", size=shape["thick"] + 8, thickness=3, color="var(--ink)", opacity=1)
        .encode(x=across, y=down),
        *texts,
    )
    chart = (
        alt.layer(*layers)
        .properties(
            width=shape["bars"],
            height=height,
            padding={"left": shape["names"], "right": shape["labels"], "top": 8, "bottom": 28},
            background="transparent",
            autosize=alt.AutoSizeParams(type="none"),
        )
        .configure(aria=False, view=alt.ViewConfig(stroke=None))
    )
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    return drawn


def _values(spans: Sequence[Span], start: date, shape: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """Give what the marks are drawn from, in pixels from the upper left corner."""
    end = _end(spans, start)
    days = (end - start).days

    def across(day: date) -> float:
        return round(min((day - start).days / days, 1.0) * shape["bars"], 1)

    rows, ends, strong, weak = [], [], [], []
    for n, span in enumerate(spans):
        y = (n + 0.5) * shape["step"] + shape["drop"]
        last = span.latest if span.latest and span.latest <= end else end
        rows.append(
            {"x": across(span.earliest), "x2": across(last), "y": y, "above": y - 18, "name": span.name}
            | {"label": span.label, "both": f"{span.name}: {span.label}"}
        )
        if span.latest != last:
            ends.append({"x": shape["bars"], "y": y})
        strong += [{"x": across(day), "y": y} for day in (span.day,) if day and day <= end]
        weak += [{"x": across(day), "y": y} for day in (span.other,) if day and day <= end]
    return {"rows": rows, "open": ends, "days": strong, "others": weak, "years": _years(start, end, across)}


def _end(spans: Sequence[Span], start: date) -> date:
    """Give the last day drawn: that of the latest day of all, but not too far and not too near."""
    days = [day for span in spans for day in (span.earliest, span.latest, span.day, span.other) if day]
    far, near = (start.replace(year=start.year + years, day=1) for years in (_YEARS_MAX, _YEARS_AT_LEAST))
    return min(max([near, *days]), far)


def _years(start: date, end: date, across: Any) -> list[dict[str, Any]]:
    """Give where years begin, and quarters where there are few."""
    months = (1, 4, 7, 10) if end.year - start.year <= 1 else (1,)
    marks = [
        (day, str(day.year) if day.month == 1 else f"Q{day.month // 3 + 1} {day.year}")
        for year in range(start.year, end.year + 1)
        for day in (date(year, month, 1) for month in months)
        if start <= day <= end
    ]
    return [{"x": across(day), "text": text} for day, text in marks[:: max(1, -(-len(marks) // _MARKS_MAX))]]
