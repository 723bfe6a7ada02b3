"""The period of a report: which days' records it lists; its positions are as of the last of them."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.core.errors import WrongUsage
from ledger.core.text import shown
from ledger.reporting.wording import day_words

FORMS: Final = "a year 2026, a quarter 2026-Q3, a month 2026-07, or two days 2026-02-01..2026-02-28"
_NAMED: Final = re.compile(r"([0-9]{4})(?:-?Q([1-4])|-([0-9]{2}))?", re.IGNORECASE)
_DAYS: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included; `text` is what gives the same period again."""

    first: date
    last: date
    text: str

    @property
    def words(self) -> str:
        """The period for a reader."""
        if self.first == self.last:
            return day_words(self.first)
        return f"{day_words(self.first)} to {day_words(self.last)}"


def parse_period(text: str) -> Period:
    """Read a period. Raises WrongUsage for any other form, and for days that do not exist."""
    try:
        days = _DAYS.fullmatch(text)
        first, last = (date.fromisoformat(days[1]), date.fromisoformat(days[2])) if days else _named(text)
    except ValueError:
        raise WrongUsage(f"found the period {shown(text)}; expected {FORMS}") from None
    if last < first:
        raise WrongUsage(f"the period {text} ends before it begins; give the earlier day first")
    return Period(first, last, text if days else text.upper())


def whole_period(first: date, last: date) -> Period:
    """Give the period of everything that is recorded."""
    return Period(first, last, f"{first.isoformat()}..{last.isoformat()}")


def _named(text: str) -> tuple[date, date]:
    named = _NAMED.fullmatch(text)
    if not named:
        raise ValueError(text)
    year, quarter, month = (int(part) if part else None for part in named.groups())
    assert year is not None  # noqa: S101 -- the pattern has it
    first_month, months = (quarter * 3 - 2, 3) if quarter else (month, 1) if month is not None else (1, 12)
    last_month = first_month + months - 1
    first = date(year, first_month, 1)
    return first, date(year, last_month, monthrange(year, last_month)[1])
