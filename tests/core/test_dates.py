"""Days and quarters as numbers and back, and what is no day."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.dates import FOREVER, day_text, parse_date, parse_quarter, quarter_text, year_and_quarter

NO_DAYS = (
    *("", "2025-1-01", "2025-01-1", "25-01-01", "2025-02-30", "2025-02-29", "2025-13-01", "2025-00-01", "2025-01-00"),
    *("0000-01-01", "2025/01/01", "20250101", "2025-W01-1", "2025-W011", "2025W01-1", "2025-001", "2025-0-101"),
    *(" 2025-01-01", "2025-01-01 ", "2025- 1-01", "2025-01- 1", "2025-01-01\n", "+025-01-01", "2025-+1-01"),
    *("2025-01-0\uff11", "\uff12\uff10\uff12\uff15-01-01", "\u0662\u0660\u0662\u0665-\u0660\u0661-\u0660\u0661"),
    *("2025\u201001\u201001", "2025-01-01T00", "2025-01-01T00:00:00"),
    *("10000-01-01", "2025-01-1e", "2025-0_1-01", "date", "None"),
)  # fmt: skip
NO_QUARTERS = (
    "",
    "2025",
    "2025Q0",
    "2025Q5",
    "2025q1",
    "2025-Q1",
    "25Q1",
    "2025Q1 ",
    "2025Q1\n",
    "\uff12\uff10\uff12\uff15Q1",
    "2025Q11",
)


@given(st.dates())
def test_a_day_is_read_as_it_is_written(value: date) -> None:
    """Every day that exists is written as YYYY-MM-DD and read back from it."""
    day = value.toordinal()

    assert day_text(day) == f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
    assert parse_date(day_text(day)) == day


@pytest.mark.parametrize("text", NO_DAYS)
def test_no_other_form_is_a_day(text: str) -> None:
    """Neither another form nor a day that does not exist is read, though Python's own reader knows more forms."""
    with pytest.raises(ValueError):  # noqa: PT011 -- that it is one is all that is promised
        parse_date(text)


@given(st.text(alphabet="0123456789-WQ /+eT:", max_size=12))
def test_whatever_is_read_as_a_day_is_written_so_again(text: str) -> None:
    """What is read as a day has the one form in which it is written."""
    try:
        day = parse_date(text)
    except ValueError:
        return

    assert day_text(day) == text


@given(st.dates())
def test_a_quarter_is_read_as_it_is_written(value: date) -> None:
    """The quarter of a day is written as YYYYQn and read back from it, and quarters follow one another."""
    year, quarter = year_and_quarter(value.toordinal())
    first = date(value.year, 3 * (quarter % 4) + 1, 1)

    assert (year, quarter_text(quarter)) == (value.year, f"{value.year:04d}Q{(value.month + 2) // 3}")
    assert parse_quarter(quarter_text(quarter)) == quarter
    assert year_and_quarter(first.toordinal())[1] == quarter
    assert first.toordinal() == 1 or year_and_quarter(first.toordinal() - 1)[1] == quarter - 1


@pytest.mark.parametrize("text", NO_QUARTERS)
def test_no_other_form_is_a_quarter(text: str) -> None:
    """Neither another form nor a fifth quarter is read."""
    with pytest.raises(ValueError):  # noqa: PT011 -- that it is one is all that is promised
        parse_quarter(text)


def test_forever_is_the_last_day_that_can_be_written() -> None:
    """An authorization without an end holds to the last day that there is."""
    assert day_text(FOREVER) == "9999-12-31"
