"""Periods: every form that is understood, and the sentence for every other."""

from datetime import date

import pytest

from ledger.core.errors import WrongUsage
from ledger.reporting.period import parse_period, whole_period


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-Q3", "2026-07-01", "2026-09-30"),
        ("2026Q1", "2026-01-01", "2026-03-31"),
        ("2026q4", "2026-10-01", "2026-12-31"),
        ("2026-07", "2026-07-01", "2026-07-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2025-12-31..2026-01-01", "2025-12-31", "2026-01-01"),
        ("2026-05-05..2026-05-05", "2026-05-05", "2026-05-05"),
    ],
)
def test_a_period_is_its_first_and_last_day(text: str, first: str, last: str) -> None:
    """Years, quarters, months and pairs of days are understood, with all their days, and can be written again."""
    period = parse_period(text)

    assert (period.first, period.last) == (date.fromisoformat(first), date.fromisoformat(last))
    assert parse_period(period.text) == period


@pytest.mark.parametrize(
    "text",
    [
        *("", "26", "2026-13", "2026-00", "2026-Q5", "2026-Q0", "2026Q", "0000", "2026-7", "20266", " 2026"),
        *(
            "2026-02-30..2026-03-01",
            "2026-02-01..",
            "..2026-02-01",
            "2026..2027",
            "2026-02-01",
            "\uff12\uff10\uff12\uff16",
        ),
    ],
)
def test_anything_else_is_refused_with_the_forms(text: str) -> None:
    """What is no period is named, with what is one."""
    with pytest.raises(WrongUsage, match="expected a year 2026, a quarter 2026-Q3"):
        parse_period(text)


def test_a_period_does_not_end_before_it_begins() -> None:
    """Two days in the wrong order are refused."""
    with pytest.raises(WrongUsage, match="ends before it begins; give the earlier day first"):
        parse_period("2026-02-02..2026-02-01")


def test_the_whole_of_a_ledger_can_be_asked_for_again() -> None:
    """The period of everything recorded is written as its two days."""
    whole = whole_period(date(2024, 12, 31), date(2026, 6, 1))

    assert parse_period(whole.text) == whole
    assert whole.words == "31 December 2024 to 1 June 2026"
