"""The drawings of months and of bands of days."""

from datetime import date
from typing import Any

from ledger.reporting.drawings import bands_figure, months_figure

START = date(2026, 6, 30)


def month(year: int, number: int, percent: float, status: str = "open") -> dict[str, Any]:
    """Give a row of a month."""
    return {"month": date(year, number, 1), "percent": percent, "status": status}


def band(**days: Any) -> dict[str, Any]:
    """Give a row of a forecast."""
    none = dict.fromkeys(("earliest", "latest", "reached_by_2", "reached_by_4"))
    return {"name": "Malta", "remaining_tpp": 5} | none | days


def test_nothing_is_not_drawn() -> None:
    """Of no rows, and of rows that hold nothing, there is no drawing."""
    assert months_figure([], "percent", "share") == {}
    assert months_figure([month(2026, 1, 0)], "percent", "share") == {}
    assert bands_figure([band()], START) == {}


def test_months_are_told_and_drawn() -> None:
    """A gap stays open, the last figure stands beside its column, and a limit is a line with its figure."""
    rows = [month(2025, 11, 3.26), month(2026, 2, 8.19, "over")]
    found = months_figure(rows, "percent", "share of Alpha", "%", 7)

    assert found["words"] == (
        "Chart: share of Alpha by month, from November 2025 to February 2026; the most was 8.1% in February 2026,"
        " the last is 8.1%. The line is at 7%."
    )
    assert ">8.1%<" in found["drawing"]
    assert ">7%<" in found["drawing"]
    assert [found["drawing"].count(f"var(--{name})") for name in ("status-open", "beyond")] == [1, 1]
    assert months_figure(rows, "percent", "share of Alpha", "%", 7) == found


def test_very_many_months_and_very_large_figures_are_drawn() -> None:
    """The last four years are drawn, and a count in the millions has round levels."""
    rows = [month(2010 + n // 12, n % 12 + 1, n * 10_000) for n in range(200)]
    found = months_figure(rows, "percent", "requests")

    assert "from September 2022 to August 2026" in found["words"]
    assert ">1,000,000<" in found["drawing"]
    assert len(found["drawing"]) < 20_000


def test_a_band_that_has_no_end_has_a_point() -> None:
    """What is not foreseen, or is later than the drawing goes, ends in a point; what is used up has no band."""
    end = {"earliest": date(2026, 9, 1), "reached_by_2": date(2026, 12, 1), "reached_by_4": date(2027, 3, 1)}
    closed = bands_figure([band(**end, latest=date(2028, 1, 1))], START)
    never = bands_figure([band(**end)], START)
    late = bands_figure([band(**end, latest=date(2099, 1, 1))], START)
    used_up = bands_figure([band(earliest=START, latest=START, reached_by_2=START, remaining_tpp=0)], START)
    point = 'transform="translate(476,'

    assert [point in found["wide"] for found in (closed, never, late)] == [False, True, True]
    assert ">2026-12-01<" in closed["wide"]
    assert "Malta: 2026-12-01" in closed["narrow"]
    assert used_up["words"].endswith("Malta used up.")
    assert bands_figure([band(**end)], START) == never


def test_no_name_of_a_party_changes_a_drawing() -> None:
    """Words that are given are in the words beside the drawing alone."""
    found = months_figure([month(2026, 1, 1)], "percent", "<b>share</b>")

    assert "share" not in found["drawing"]
    assert "<b>share</b>" in found["words"]
