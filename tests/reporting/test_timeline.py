"""The drawing of a country's use over time."""

import re
from datetime import date, timedelta

from ledger.reporting.drawings import timeline_figure, used_figure
from ledger.reporting.period import whole_period

START = date(2025, 1, 1)
PERIOD = whole_period(START, date(2026, 6, 1))
POSITION = {"name": "Malta", "cap_tpp": 100, "used_percent": None, "status": "over"}


def test_no_use_has_no_drawing() -> None:
    """A country that has used nothing has no drawing, and neither has a list of such."""
    assert timeline_figure([], POSITION, START, PERIOD) == {}
    assert used_figure([{"used_tpp": 0}]) == {}


def test_what_is_beyond_the_cap_is_drawn_apart() -> None:
    """Use beyond the cap is drawn darker; within it, it is not; the last share stands beside its end."""
    within = timeline_figure([{"date": date(2025, 3, 1), "used_tpp": 40}], POSITION, START, PERIOD)["drawing"]
    over = timeline_figure(
        [{"date": date(2025, 3, 1), "used_tpp": 40}, {"date": date(2025, 9, 1), "used_tpp": 133}],
        POSITION,
        START,
        PERIOD,
    )["drawing"]
    dark = r'd="M[^"]+" fill="var\(--beyond\)"'

    assert ">40.0%<" in within
    assert ">133.0%<" in over
    assert re.search(dark, over)
    assert not re.search(dark, within)
    assert "var(--status-over)" in within


def test_a_drawing_says_in_words_what_it_shows() -> None:
    """The words give the country, the days and when most was used."""
    changes = [{"date": date(2025, 3, 1), "used_tpp": 90}, {"date": date(2025, 9, 1), "used_tpp": 20}]
    words = timeline_figure(changes, POSITION, START, PERIOD)["words"]

    assert "use of the cap of Malta over time, from none on 1 January 2025" in words
    assert "the most was used from 1 March 2025 on" in words


def test_many_days_and_no_cap_are_drawn_too() -> None:
    """A change a day for years, use a hundredfold of the cap, and a cap of nothing give a drawing each."""
    days = [{"date": START + timedelta(day), "used_tpp": day * 100} for day in range(1, 900)]
    long = timeline_figure(days, POSITION, START, whole_period(START, date(2027, 12, 31)))
    none = timeline_figure(days[:1], POSITION | {"cap_tpp": 0}, START, whole_period(START, START))

    assert ">89,900%<" in long["drawing"]
    assert ">2025<" in long["drawing"]
    assert ">0.0%<" in none["drawing"]
    assert len(long["drawing"]) < 30_000
