"""A rulebook and the registers as small integers, so that the fold looks up instead of comparing texts.

Countries are numbered in the order of their codes, so that "ties in order of code" is the order of numbers.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ledger.core.dates import parse_quarter
from ledger.core.tpp import percent_of
from ledger.rulebook.eras import Eras
from ledger.rulebook.figures import EXCEPT_LISTED, REPORTING_DATES
from ledger.rulebook.registers import Registers
from ledger.rulebook.rulebook import Rulebook
from schemas.words import Basis

TIER_1, TIER_2, TIER_3 = 1, 2, 3

Span = tuple[int, int]
"""First and last day, both included."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures that the fold reads, once for a whole run; TPP, percent, and days as ordinals."""

    counting_start: int
    horizon_end: int
    country_cap_tpp: int
    uplift_percent_max: int
    lapse_restores_cap: bool
    lpp_annual_tpp: int
    lpp_open_from: int
    lpp_closed: frozenset[int]
    nveu_schedule: dict[int, int]
    single_country_percent: int
    outside_tier_1_percent: int
    outside_us_percent: int
    home: int
    outside_us_each_record: bool


class Codebook:
    """Countries, parties and chips by number; tiers, families, authorizations and uplifts by those numbers."""

    def __init__(self, rulebook: Rulebook, registers: Registers, countries: Sequence[str]) -> None:
        """Number everything. `countries` are all codes that may be given as a destination."""
        self.rulebook = rulebook
        self.registers = registers
        self.places = tuple(sorted(countries))
        self.place_of = {code: number for number, code in enumerate(self.places)}
        self.counted = [self.place_of[rulebook.counted(code)] for code in self.places]
        self.parties = tuple(registers.parties)
        self.party_of = {party: number for number, party in enumerate(self.parties)}
        self.families = [self.party_of[registers.family(party)] for party in self.parties]
        self.headquarters = [self.counted[self.place_of[row.headquarters]] for row in registers.parties.values()]
        self.chips = tuple(registers.chips)
        self.chip_of = {chip: number for number, chip in enumerate(self.chips)}
        self.chip_tpp = [row.tpp for row in registers.chips.values()]
        counted_class = rulebook.figure("counted_class")
        self.chip_counts = [row.chip_class == counted_class for row in registers.chips.values()]
        self.figures = self._figures()
        self._epochs = rulebook.tier_changes
        self._tiers = [self._tiers_on(day) for day in (1, *self._epochs)]
        self._uveu, self._nveu = self._authorizations()
        self._uplifts = self._assurances()
        held = {*self._uveu, *(family for family, _ in self._nveu)}
        self.authorized = [number in held for number in range(len(self.parties))]
        """By number of family: whether any of its parties was ever given UVEU or NVEU."""
        self.lpp_closed = [number in self.figures.lpp_closed for number in range(len(self.places))]

    def _figures(self) -> Figures:
        figure, place = self.rulebook.figure, self.place_of
        closed = figure("lpp_excluded_destinations") if figure("lpp_destinations") == EXCEPT_LISTED else ()
        return Figures(
            counting_start=figure("counting_start").toordinal(),
            horizon_end=figure("horizon_end").toordinal(),
            country_cap_tpp=figure("country_cap_tpp"),
            uplift_percent_max=figure("uplift_percent_max"),
            lapse_restores_cap=figure("lapse_restores_cap"),
            lpp_annual_tpp=figure("lpp_annual_tpp"),
            lpp_open_from=figure("lpp_open_from").toordinal(),
            lpp_closed=frozenset(self.counted[place[code]] for code in closed),
            nveu_schedule={parse_quarter(q): tpp for q, tpp in figure("nveu_installed_base_tpp").items()},
            single_country_percent=figure("uveu_single_country_percent"),
            outside_tier_1_percent=figure("uveu_outside_tier_1_percent"),
            outside_us_percent=figure("uveu_outside_us_percent"),
            home=self.counted[place[figure("uveu_home_country")]],
            outside_us_each_record=figure("uveu_outside_us_measured") != REPORTING_DATES,
        )

    def _tiers_on(self, day: int) -> list[int]:
        return [self.rulebook.tier(code, day) for code in self.places]

    def _counted(self, code: str) -> int:
        return self.counted[self.place_of[code]]

    def _authorizations(self) -> tuple[dict[int, list[Span]], dict[tuple[int, int], list[Span]]]:
        """Gather the spans by family; of two rows whose destinations count as one country, the later stands."""
        rows = {
            (row.party, row.basis, row.destination and self._counted(row.destination), row.valid_from): row
            for row in self.registers.authorizations.values()
        }
        uveu: dict[int, list[Span]] = defaultdict(list)
        nveu: dict[tuple[int, int], list[Span]] = defaultdict(list)
        for row in rows.values():
            family, span = self.families[self.party_of[row.party]], (row.valid_from, row.valid_to)
            if row.basis == Basis.UVEU.name:
                uveu[family].append(span)
            else:
                nveu[family, self._counted(row.destination)].append(span)
        return dict(uveu), dict(nveu)

    def _assurances(self) -> dict[int, list[tuple[int, int]]]:
        """Gather valid_from and uplift by country, in order of days."""
        uplifts: dict[int, dict[int, int]] = defaultdict(dict)
        for row in self.registers.assurances.values():
            uplifts[self._counted(row.destination)][row.valid_from] = row.uplift_percent
        return {destination: sorted(rows.items()) for destination, rows in uplifts.items()}

    @cached_property
    def eras(self) -> Eras:
        """Tiers, caps and what is open, by era."""
        figures = self.figures
        days = {1, *self._epochs, figures.counting_start, figures.horizon_end + 1, figures.lpp_open_from}
        days |= {day for rows in self._uplifts.values() for day, _ in rows}
        first_days = sorted(days)
        caps = np.full((len(first_days), len(self.places)), figures.country_cap_tpp, np.int64)
        for destination in self._uplifts:
            caps[:, destination] = [self.cap(destination, day) for day in first_days]
        return Eras(
            first_days=np.array(first_days, np.int64),
            tiers=np.array([self.tiers(day) for day in first_days], np.int64),
            caps=caps,
            counting=np.array([figures.counting_start <= day <= figures.horizon_end for day in first_days]),
            lpp_open=np.array([day >= figures.lpp_open_from for day in first_days]),
        )

    def tiers(self, day: int) -> list[int]:
        """Give the tier of every place on a day."""
        return self._tiers[bisect_right(self._epochs, day)]

    def holds_uveu(self, family: int, day: int) -> bool:
        """Say if the family holds UVEU: only while its ultimate parent is headquartered in tier 1 (748.15(b)(2)(i))."""
        spans = self._uveu.get(family)
        if not spans or self.tiers(day)[self.headquarters[family]] != TIER_1:
            return False
        return any(first <= day <= last for first, last in spans)

    def holds_nveu(self, family: int, destination: int, day: int) -> bool:
        """Say if the family holds NVEU for the destination on a day (748.15(a)(2)(iii)(B))."""
        spans = self._nveu.get((family, destination), ())
        return any(first <= day <= last for first, last in spans)

    def lpp_is_open(self, destination: int, day: int) -> bool:
        """Say if License Exception LPP may be used for a destination on a day (740.29; the rulebook's switch)."""
        return day >= self.figures.lpp_open_from and destination not in self.figures.lpp_closed

    def cap(self, destination: int, day: int) -> int:
        """Give the country cap with the uplift in force on a day, rounded down (742.6(b)(10)(iii)(B)(1) and (C))."""
        percent = 0
        for valid_from, uplift in self._uplifts.get(destination, ()):
            if valid_from <= day:
                percent = uplift
        figures = self.figures
        return figures.country_cap_tpp + percent_of(min(percent, figures.uplift_percent_max), figures.country_cap_tpp)
