"""The figures of RULE.md, written out a second time, by hand.

Apart from the oracle because these are law and it is procedure: a test may change one alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta


def _tier_1() -> frozenset[str]:
    """RULE 3: supplement no. 5(a) to part 740, eighteen countries and the United States."""
    return frozenset(
        [
            "AU",
            "BE",
            "CA",
            "DK",
            "FI",
            "FR",
            "DE",
            "IE",
            "IT",
            "JP",
            "NL",
            "NZ",
            "NO",
            "KR",
            "ES",
            "SE",
            "TW",
            "GB",
            "US",
        ]
    )


def _tier_3() -> dict[str, date | None]:
    """RULE 6: Country Group D:5 and Macau, each with its last day in the tier (None: it is still there)."""
    ever = "AF BY MM CF CN CD CU ER HT IR IQ KP LB LY NI RU SO SS SD SY VE ZW MO"
    last_days: dict[str, date | None] = dict.fromkeys(ever.split())
    last_days["KH"] = date(2026, 2, 2)  # SPEC 1: tier 3 to 2026-02-02, tier 2 from 2026-02-03
    return last_days


def _aliases() -> dict[str, str]:
    """RULE 6: territories count as their country."""
    territories = {
        "CN": "HK",
        "US": "AS GU MP PR UM VI",
        "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
        "GB": "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG",
        "DK": "FO GL",
        "NL": "BQ",
        "NO": "BV SJ",
        "FI": "AX",
        "AU": "CC CX HM NF",
        "NZ": "CK NU TK",
    }
    return {code: country for country, codes in territories.items() for code in codes.split()}


def _nveu_schedule() -> dict[str, int]:
    """RULE 4.2: Table 1, the cumulative base of one company in one country, in TPP."""
    return {
        "2025Q1": 633_000_000,
        "2025Q2": 949_500_000,
        "2025Q3": 1_266_000_000,
        "2025Q4": 1_582_500_000,
        "2026Q1": 1_899_000_000,
        "2026Q2": 2_690_250_000,
        "2026Q3": 3_481_500_000,
        "2026Q4": 4_272_750_000,
        "2027Q1": 5_064_000_000,
        "2027Q2": 5_064_000_000,
        "2027Q3": 5_064_000_000,
        "2027Q4": 5_064_000_000,
    }


@dataclass(frozen=True)
class Rules:
    """Every parameter and switch that a decision reads."""

    counted_class: str = "3A090.a"  # SPEC 4: any other class is UNCOUNTED
    counting_start: date = date(2025, 1, 1)  # SPEC 6, limit 4
    horizon_end: date = date(2027, 12, 31)  # SPEC 6, limits 3 and 4
    cap_tpp: int = 790_000_000  # limit 4
    uplift_percent_max: int = 100  # limit 4
    lapse_restores_cap: bool = False  # limit 4, switch
    lpp_annual_tpp: int = 26_900_000  # limit 5
    lpp_open_from: date = date(2025, 1, 13)  # SPEC 4, "Open"
    lpp_closed_to: frozenset[str] = frozenset()  # SPEC 4, "Open", switch: counted codes where LPP is not open
    nveu_schedule: Mapping[str, int] = field(default_factory=_nveu_schedule)  # limit 6
    single_country_percent: int = 7  # limit 7
    outside_tier_1_percent: int = 25  # limit 8
    outside_us_percent: int = 50  # limit 9
    outside_us_each_record: bool = True  # limit 9, switch uveu_outside_us_measured
    united_states: str = "US"  # limit 9
    most_tpp: int = 90_000_000_000_000_000  # SPEC 6, "too-large"
    tier_1: frozenset[str] = field(default_factory=_tier_1)
    tier_3: Mapping[str, date | None] = field(default_factory=_tier_3)  # to the last day in it, None: open
    aliases: Mapping[str, str] = field(default_factory=_aliases)

    def counted(self, country: str) -> str:
        """SPEC 1: a country is stored as given and counted as its alias."""
        return self.aliases.get(country, country)

    def tier(self, country: str, on: date) -> int:
        """SPEC 1: 1, 2 or 3, as of the date of the record being decided."""
        code = self.counted(country)
        if code in self.tier_1:
            return 1
        if code in self.tier_3:
            last_day = self.tier_3[code]
            return 3 if last_day is None or on <= last_day else 2
        return 2


def last_day(quarter: str) -> date:
    """The last day of a quarter such as "2026Q3"."""
    year, number = int(quarter[:4]), int(quarter[5:])
    first_day_after = date(year + 1, 1, 1) if number == 4 else date(year, 3 * number + 1, 1)
    return first_day_after - timedelta(days=1)
