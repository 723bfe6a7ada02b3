"""The drawings that a page may have, each with its words for who cannot see it."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from markupsafe import Markup

from ledger.reporting import wording
from ledger.reporting.bands import ROWS_MAX, Span, draw_bands
from ledger.reporting.chart import COUNTRIES_MAX, used_chart
from ledger.reporting.months import Column, Line, draw_months, every_month, figure_words
from ledger.reporting.period import Period
from ledger.reporting.timeline import draw_timeline, use_of

Row = Mapping[str, Any]

_SPOKEN: Final = re.compile(r' (?:role|aria-[a-z]+|class|xmlns:xlink)="[^"<>]*"')


def used_figure(positions: Sequence[Row]) -> dict[str, Any]:
    """Draw which countries have used most of their caps, for wide and for narrow pages; empty if none has.

    Takes rows of `country_positions`, the most used first.
    """
    used = [row for row in positions if row["used_tpp"]]
    if not used:
        return {}
    shown = [
        f"{row['name']} {wording.percent_text(row['used_percent'])} ({row['status']})" for row in used[:COUNTRIES_MAX]
    ]
    return {
        "wide": _drawn(used_chart(used, narrow=False)),
        "narrow": _drawn(used_chart(used, narrow=True)),
        "words": f"Bar chart: percent of its cap that each country has used. {wording.listed(shown)}.",
    }


def timeline_figure(changes: Sequence[Row], position: Row, start: date, period: Period) -> dict[str, Any]:
    """Draw one country's use of its cap over time, from `start` or its first change on; empty if it used none.

    Takes rows with `date` and `used_tpp`, what is used from that day on, in order, and its row of `country_positions`.
    """
    if not changes:
        return {}
    most = max(changes, key=lambda row: row["used_tpp"])
    words = (
        f"Chart: use of the cap of {position['name']} over time, from none on"
        f" {wording.day_words(min(start, changes[0]['date']))} to"
        f" {wording.percent_text(position['used_percent'])} on {wording.day_words(period.last)}; the most was used from"
        f" {wording.day_words(most['date'])} on."
    )
    use = use_of(changes, position["cap_tpp"], start, period, position["status"])
    return {"drawing": _drawn(draw_timeline(use, period)), "words": words}


def months_figure(
    rows: Sequence[Row], column: str, of_what: str, unit: str = "", limit: int | None = None
) -> dict[str, Any]:
    """Draw a column of rows with `month` as columns, in the colours of their `status` if they have one; empty of none.

    `of_what` says in words what is drawn; `limit` is drawn as a line.
    """
    told = [Column(row["month"], float(row[column] or 0), row.get("status") or "open") for row in rows]
    if not any(column.value for column in told):
        return {}
    columns = every_month(told)
    most, last = max(columns, key=lambda column: column.value), columns[-1]
    line = None if limit is None else Line(float(limit), f"{limit:,}{unit}")
    words = (
        f"Chart: {of_what} by month, from {_month_words(columns[0].month)} to {_month_words(last.month)}; the most"
        f" was {figure_words(most.value, unit)} in {_month_words(most.month)}, the last is"
        f" {figure_words(last.value, unit)}."
        f"{f' The line is at {line.text}.' if line else ''}"
    )
    return {"drawing": _drawn(draw_months(columns, line, unit)), "words": words}


def bands_figure(rows: Sequence[Row], start: date) -> dict[str, Any]:
    """Draw when caps are reached, out of rows with `name`, `earliest`, `latest`, `reached_by_2` and `reached_by_4`.

    For wide and for narrow pages; empty if no row has a day.
    """
    spans = [_span(row, start) for row in rows if row["earliest"]][:ROWS_MAX]
    if not spans:
        return {}
    said = [f"{span.name} {span.label}" for span in spans]
    return {
        "wide": _drawn(draw_bands(spans, start, narrow=False)),
        "narrow": _drawn(draw_bands(spans, start, narrow=True)),
        "words": f"Chart: the days between which each cap is reached. At the pace of the last two quarters:"
        f" {wording.listed(said)}.",
    }


def _span(row: Row, start: date) -> Span:
    if not row["remaining_tpp"]:
        return Span(row["name"], start, start, None, None, "used up")
    days = (row["earliest"], row["latest"], row["reached_by_2"], row["reached_by_4"])
    return Span(row["name"], *days, str(row["reached_by_2"] or "not reached"))


def _month_words(month: date) -> str:
    return wording.day_words(month).removeprefix("1 ")


def _drawn(svg: str) -> Markup:
    # A page gives the whole drawing its words; what vega says of each mark nobody hears, and it is half of the bytes.
    svg = _SPOKEN.sub("", svg)
    # Drawn here, from numbers and from names of the seeds, which vega escapes; no party's words are ever drawn.
    return Markup(svg)  # noqa: S704
