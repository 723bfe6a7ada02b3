"""Legal dates as small integers: a day is its proleptic Gregorian ordinal, a quarter is year x 4 + (0..3)."""

import re
from datetime import date
from functools import cache
from typing import Final

FOREVER: Final = date.max.toordinal()
_QUARTER = re.compile(r"([0-9]{4})Q([1-4])")


@cache
def year_and_quarter(day: int) -> tuple[int, int]:
    """Give the calendar year and the quarter number of a day. Cached: a file has few days and many rows."""
    value = date.fromordinal(day)
    return value.year, value.year * 4 + (value.month - 1) // 3


def parse_date(text: str) -> int:
    """Give the day of `YYYY-MM-DD`. Raises ValueError for any other form and for days that do not exist."""
    if len(text) != len("YYYY-MM-DD") or not text.isascii() or text[4] != "-" or text[7] != "-":
        raise ValueError(text)
    return date.fromisoformat(text).toordinal()


def day_text(day: int) -> str:
    """Write a day as `YYYY-MM-DD`."""
    return date.fromordinal(day).isoformat()


def parse_quarter(text: str) -> int:
    """Give the number of a quarter written `2026Q3`. Raises ValueError for any other form."""
    match = _QUARTER.fullmatch(text)
    if not match:
        raise ValueError(text)
    return int(match[1]) * 4 + int(match[2]) - 1


def quarter_text(quarter: int) -> str:
    """Write a quarter number as `2026Q3`."""
    return f"{quarter // 4:04d}Q{quarter % 4 + 1}"
