"""Which figures and switches a rulebook must hold, and what each may be.

A new figure goes here, into the rulebooks under `seeds/`, and is read with `Rulebook.figure(name)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ledger.core.dates import parse_quarter
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


def _schedule(value: Any) -> str | None:
    allowed = 'a table of consecutive quarters and whole TPP, such as {"2025Q1" = 633_000_000}'
    if not isinstance(value, Mapping) or not value:
        return allowed
    try:
        quarters = [parse_quarter(key) for key in value]
    except ValueError:
        return allowed
    consecutive = quarters == list(range(quarters[0], quarters[0] + len(quarters)))
    return None if consecutive and all(_is_whole(v, 0, ACCOUNT_TPP_MAX) for v in value.values()) else allowed


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
    Figure("uveu_reporting_dates", "month-day", _texts),
    Figure("h100_equivalent_tpp", "TPP", _whole(1, ACCOUNT_TPP_MAX)),
    Figure("status_watch_percent", "percent", _whole(0, 100)),
    Figure("status_critical_percent", "percent", _whole(0, 100)),
)
