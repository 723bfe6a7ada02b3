"""Which figures and switches a rulebook must hold, and what each may be.

A new figure goes here, into the rulebooks under `seeds/`, and is read with `Rulebook.figure(name)`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

from ledger.core.dates import parse_date, parse_quarter, quarter_text, year_and_quarter
from ledger.core.tpp import ACCOUNT_TPP_MAX

Check = Callable[[Any], str | None]
"""Gives what would be allowed, where a value is not; None where it is."""

EXCEPT_LISTED: Final = "except-listed"
REPORTING_DATES: Final = "reporting-dates"


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _whole(low: int, high: int) -> Check:
    return lambda value: None if _is_whole(value, low, high) else f"a whole number from {low:,} to {high:,}"


def _one_of(*words: str) -> Check:
    return lambda value: None if value in words else "one of " + ", ".join(f'"{word}"' for word in words)


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "a text"


def _date(value: Any) -> str | None:
    return None if type(value) is date else "a date, written 2025-01-31 without quotes"


def _switch(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _texts(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if good else 'a list of texts, such as ["AE", "SA"]'


def _month_days(value: Any) -> str | None:
    allowed = 'a list of days of every year, such as ["02-01", "08-01"]'
    if not isinstance(value, list) or not value:
        return allowed
    try:
        for item in value:
            parse_date(f"2025-{item}")  # any year without 29 February
    except ValueError:
        return allowed
    return None


def _schedule(value: Any) -> str | None:
    allowed = 'a table of consecutive quarters and whole TPP, such as {"2025Q1" = 633_000_000}'
    if not isinstance(value, Mapping) or not value:
        return allowed
    try:
        quarters = [parse_quarter(key) for key in value]
    except ValueError as error:
        return f"{allowed}; {error} is no quarter"
    for before, after in pairwise(quarters):
        if after != before + 1:
            return f"{allowed}; {quarter_text(after)} does not follow {quarter_text(before)}"
    wrong = [key for key, tpp in value.items() if not _is_whole(tpp, 0, ACCOUNT_TPP_MAX)]
    return f"{allowed}; that of {wrong[0]} is not a whole number from 0 to {ACCOUNT_TPP_MAX:,}" if wrong else None


_tpp = _whole(0, ACCOUNT_TPP_MAX)
_share = _whole(0, 99)  # of 100 percent there would be no limit, and nothing left to divide by


@dataclass(frozen=True)
class Figure:
    """A figure that a rulebook must hold: its name, unit and check; `countries` if it names country codes."""

    name: str
    unit: str
    check: Check
    countries: bool = False


FIGURES: Final = (
    Figure("counting_start", "date", _date),
    Figure("horizon_end", "date", _date),
    Figure("counted_class", "class", _text),
    Figure("country_cap_tpp", "TPP", _tpp),
    Figure("uplift_percent_max", "percent", _whole(0, 100)),
    Figure("lapse_restores_cap", "switch", _switch),
    Figure("lpp_annual_tpp", "TPP", _tpp),
    Figure("lpp_open_from", "date", _date),
    Figure("lpp_destinations", "switch", _one_of("all", EXCEPT_LISTED)),
    Figure("lpp_excluded_destinations", "countries", _texts, countries=True),
    Figure("nveu_installed_base_tpp", "TPP", _schedule),
    Figure("uveu_single_country_percent", "percent", _share),
    Figure("uveu_outside_tier_1_percent", "percent", _share),
    Figure("uveu_outside_us_percent", "percent", _share),
    Figure("uveu_home_country", "country", _text, countries=True),
    Figure("uveu_outside_us_measured", "switch", _one_of("each-record", REPORTING_DATES)),
    Figure("lpp_notice_tpp", "TPP", _tpp),
    Figure("aia_certification_tpp", "TPP", _tpp),
    Figure("licence_validity_months", "months", _whole(1, 1200)),
    Figure("uveu_reporting_dates", "month-day", _month_days),
    Figure("h100_equivalent_tpp", "TPP", _whole(1, ACCOUNT_TPP_MAX)),
    Figure("status_watch_percent", "percent", _whole(0, 100)),
    Figure("status_critical_percent", "percent", _whole(0, 100)),
)


def parameter_values(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Give name and text of a figure: a schedule has a name for each period, a list is joined."""
    if isinstance(value, Mapping):
        yield from ((f"{name}.{period}", str(amount)) for period, amount in value.items())
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value))
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    else:
        yield name, str(value)


def contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the figures that contradict others, with what would be allowed.

    `values` has figures that are each well-formed; what is absent is not compared.
    """
    start, end = values.get("counting_start"), values.get("horizon_end")
    if start and end and end < start:
        yield "horizon_end", f"a day that is not before counting_start, {start}"
    elif start and end and "nveu_installed_base_tpp" in values:
        # A quarter without a figure would be one without a limit.
        first, last = (year_and_quarter(day.toordinal())[1] for day in (start, end))
        quarters = [parse_quarter(key) for key in values["nveu_installed_base_tpp"]]
        if first < quarters[0] or quarters[-1] < last:
            span = f"{quarter_text(first)} to {quarter_text(last)}"
            yield (
                "nveu_installed_base_tpp",
                f"every quarter from {span}, those of counting_start and horizon_end",
            )
    watch, critical = values.get("status_watch_percent"), values.get("status_critical_percent")
    if watch is not None and critical is not None and watch > critical:
        yield "status_watch_percent", f"at most status_critical_percent, {critical}"
