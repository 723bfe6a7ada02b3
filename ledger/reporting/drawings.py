"""The drawings that a page may have, each with its words for who cannot see it."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from markupsafe import Markup

from ledger.reporting import wording
from ledger.reporting.chart import COUNTRIES_MAX, used_chart
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


def _drawn(svg: str) -> Markup:
    # A page gives the whole drawing its words; what vega says of each mark nobody hears, and it is half of the bytes.
    svg = _SPOKEN.sub("", svg)
    # Drawn here, from numbers and from names of the seeds, which vega escapes; no party's words are ever drawn.
    return Markup(svg)  # noqa: S704
