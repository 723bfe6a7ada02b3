"""The chart of the most used caps, drawn as SVG without a browser; apart, because altair takes long to load.

Colours are names of the page's style sheet, so the drawing follows it into the dark and onto paper.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import altair as alt
import vl_convert

COUNTRIES_MAX: Final = 12
_PERCENT_MAX: Final = 300
"""Bars end here, so that one runaway country does not flatten the others; its label tells the whole."""

STATUSES: Final = ("open", "watch", "critical", "exhausted", "over")
_WIDE: Final = {"bars": 470, "names": 150, "labels": 120, "step": 30, "thick": 16, "size": 13}
_NARROW: Final = {"bars": 330, "names": 0, "labels": 0, "step": 42, "thick": 12, "size": 13}


def used_chart(positions: Sequence[Mapping[str, Any]], *, narrow: bool) -> str:
    """Draw, for the first countries, what is used of the cap, with a mark where the cap is."""
    shape = _NARROW if narrow else _WIDE
    shown = [_bar(row) for row in positions[:COUNTRIES_MAX]]
    most = max([100.0, *(bar["end"] for bar in shown)])
    scale = alt.Scale(domain=[0, most], nice=False, zero=True)
    chart = (
        alt.layer(
            *_bars(shown, shape, scale),
            *_words(shown, shape, narrow=narrow),
            *_cap(shown, shape, scale, narrow=narrow),
        )
        .properties(
            width=shape["bars"],
            height=alt.Step(shape["step"]),
            padding={"left": shape["names"], "right": shape["labels"] or 6, "top": 30, "bottom": 4},
            background="transparent",
            autosize=alt.AutoSizeParams(type="none"),
        )
        .configure_view(stroke=None)
    )
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    return drawn


def _bar(row: Mapping[str, Any]) -> dict[str, Any]:
    percent = float(row["used_percent"] or Decimal(0))
    end = min(percent, float(_PERCENT_MAX))
    shown = f"{int(percent * 10) / 10:,.1f}%"
    label = shown if row["status"] == "open" else f"{shown}, {row['status']}"
    return {
        "code": row["destination"],
        "name": row["name"],
        "end": end,
        "within": min(end, 100.0),
        "status": row["status"],
        "label": label,
        "both": f"{row['name']}: {label}",
    }


def _chart(values: Sequence[Mapping[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(values)))


def _rows(bars: Sequence[Mapping[str, Any]]) -> alt.Y:
    return alt.Y("code:N", sort=[bar["code"] for bar in bars], axis=None)


def _bars(bars: list[dict[str, Any]], shape: Mapping[str, int], scale: alt.Scale) -> list[alt.Chart]:
    """Draw each bar up to the cap in its status's colour, and what is beyond the cap darker."""
    colour = alt.Color(
        "status:N",
        legend=None,
        scale=alt.Scale(domain=list(STATUSES), range=[f"var(--status-{status})" for status in STATUSES]),
    )
    beyond = [bar for bar in bars if bar["end"] > bar["within"]]
    drop = 9 if not shape["names"] else 0
    within = _chart(bars).mark_bar(size=shape["thick"], yOffset=drop)
    over = _chart(beyond).mark_bar(size=shape["thick"], yOffset=drop, fill="var(--beyond)")
    return [
        within.encode(x=alt.X("within:Q", scale=scale, axis=None), y=_rows(bars), color=colour),
        over.encode(x=alt.X("within:Q", scale=scale, axis=None), x2="end:Q", y=_rows(bars)),
    ]


def _words(bars: list[dict[str, Any]], shape: Mapping[str, int], *, narrow: bool) -> list[alt.Chart]:
    """Write the names and the figures beside the bars, or, on a narrow page, above them."""
    data = _chart(bars)
    font: dict[str, Any] = {"fontSize": shape["size"], "fill": "var(--ink)", "baseline": "middle"}
    if narrow:
        above = data.mark_text(align="left", dy=-8, **font)
        return [above.encode(text="both:N", y=_rows(bars), x=alt.value(0))]
    names = data.mark_text(align="right", **font).encode(text="name:N", x=alt.value(-10))
    figures = data.mark_text(align="left", fontWeight="bold", **font).encode(
        text="label:N", x=alt.value(shape["bars"] + 10)
    )
    return [chart.encode(y=_rows(bars)) for chart in (names, figures)]


def _cap(bars: list[dict[str, Any]], shape: Mapping[str, int], scale: alt.Scale, *, narrow: bool) -> list[alt.Chart]:
    """Draw the mark at 100 percent of the cap and name it; on a narrow page it leaves the words free."""
    at = alt.X("at:Q", scale=scale, axis=None)
    line = _chart([{"at": 100}]).mark_rule(stroke="var(--ink)", strokeWidth=1.5).encode(x=at)
    if narrow:
        marks = _chart([{**bar, "at": 100} for bar in bars])
        tick = marks.mark_tick(orient="vertical", size=shape["thick"] + 8, thickness=2, yOffset=9, color="var(--ink)")
        line = tick.encode(x=at, y=_rows(bars))
    label = _chart([{"at": 100, "text": "the cap: 100%"}]).mark_text(
        baseline="bottom",
        align="center" if narrow else "right",
        dx=4,
        fontSize=shape["size"],
        fontWeight="bold",
        fill="var(--ink)",
    )
    return [line, label.encode(x=at, y=alt.value(-8), text="text:N")]
