"""Plain records: those that a country's cap and a family's LPP year can bind, and nothing else.

Nearly every record of a large file is one: chips newly asked for by a family without an authorization of its own.
Which records are plain, and what they may rely on, follows from their columns alone, so it is found for all rows at
once; only the two caps are gone through row by row. The tests hold these decisions against the limits themselves.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ledger.core.columns import ABSENT, Numbers, distinct
from ledger.core.dates import year_and_quarter
from ledger.rulebook.balances import Balances, Counts
from ledger.rulebook.codebook import TIER_1, TIER_3, Codebook
from ledger.rulebook.columns import Record, Records, Standing
from schemas.words import BASES, KINDS, LIMIT_IDS, Basis, Kind, Outcome

NOT_PLAIN, FREE, CAP, LPP, LPP_ELSE_CAP, LPP_ELSE_FREE = range(6)
"""What can bind a record: nothing, its destination's cap, its family's LPP year, or the year and, where the record
does not fit in there, the cap or nothing."""

UNDECIDED, UNBOUND, CAP_ADMITTED, CAP_REFUSED, CAP_BREACHED, LPP_ADMITTED, LPP_REFUSED, LPP_BREACHED = range(8)
"""What became of a record, and which cap spoke."""

_SPEAKING: Final = (Outcome.ADMITTED, Outcome.REFUSED, Outcome.BREACHED)
_OUTCOMES: Final = np.array([ABSENT, Outcome.ADMITTED, *_SPEAKING, *_SPEAKING], np.int64)
_REFUSED, _BREACHED = int(Outcome.REFUSED), int(Outcome.BREACHED)
_COUNTRY_CAP, _LPP_ANNUAL = LIMIT_IDS.index("country-cap"), LIMIT_IDS.index("lpp-annual")
_LIMITS: Final = np.array([ABSENT, ABSENT, *[_COUNTRY_CAP] * 3, *[_LPP_ANNUAL] * 3], np.int64)


class Plain:
    """The plain ones among some records, with what the caps are held against; decided one by one, in their order."""

    def __init__(self, records: Records, codebook: Codebook, balances: Balances) -> None:
        self._records, self._codebook, self._balances = records, codebook, balances
        self._lpp_most = codebook.figures.lpp_annual_tpp
        rows = len(records)
        self._binding, self._basis, self._most = (np.zeros(rows, np.int64) for _ in range(3))
        self._tpp, self._destination, self._family = (np.zeros(rows, np.int64) for _ in range(3))
        self._year, self._quarter = (np.zeros(rows, np.int64) for _ in range(2))
        self._committed, self._pending, self._installed, self._nveu = (np.zeros(rows, np.int64) for _ in range(4))
        """What each would count on the accounts that do not bind it."""
        self._find()
        # Lists are quicker to read one by one.
        self.binding: list[int] = self._binding.tolist()
        self._tpps, self._years = self._tpp.tolist(), self._year.tolist()
        self._found, self._left = [UNDECIDED] * rows, [ABSENT] * rows
        self.decide = self._decider()

    def _find(self) -> None:
        """Find the plain records, and everything of them that needs no balance."""
        records, book, eras = self._records, self._codebook, self._codebook.eras
        new = (records.kind == Kind.OPENING) | (records.kind == Kind.ALLOCATION) | (records.kind == Kind.DELIVERY)
        rows = np.flatnonzero(new & ~records.malformed & (records.under == ABSENT))
        if not len(rows):
            return
        era, consignee, chip = eras.of(records.day[rows]), records.consignee[rows], records.chip[rows]
        stated, opening = records.basis[rows], records.kind[rows] == Kind.OPENING
        destination, family = np.array(book.counted)[records.place[rows]], np.array(book.families)[consignee]
        headquarters = np.array(book.headquarters)
        tier = eras.tiers[era, destination]
        tiers = np.stack((tier, eras.tiers[era, headquarters[consignee]], eras.tiers[era, headquarters[family]]))
        inside = (tiers == TIER_1).all(axis=0)
        plain = ~np.array(book.authorized)[family] & (opening | (tiers != TIER_3).all(axis=0))
        lpp = eras.lpp_open[era] & ~np.array(book.lpp_closed)[destination]
        binding = _what_binds(stated, inside, tier != TIER_1, lpp)
        # What no figure is published for is left to the limit that says so.
        binding[(tier != TIER_1) & ~eras.counting[era] & (binding != LPP)] = NOT_PLAIN
        binding[opening] = FREE
        counted = np.array(book.chip_counts)[chip]
        self._binding[rows] = np.where(counted, np.where(plain, binding, NOT_PLAIN), FREE)
        basis = np.where(opening, stated, np.where(inside & (stated != Basis.LICENSE), Basis.AIA, Basis.LICENSE))
        self._basis[rows] = np.where(counted, basis, Basis.UNCOUNTED)
        self._destination[rows], self._family[rows] = destination, family
        self._most[rows] = eras.caps[era, destination]
        self._tpp[rows] = tpp = records.quantity[rows] * np.array(book.chip_tpp)[chip]
        request = records.kind[rows] == Kind.ALLOCATION
        self._committed[rows], self._pending[rows] = tpp * counted, tpp * (counted & request)
        self._installed[rows] = tpp * (counted & ~request & (tier != TIER_3))
        self._nveu[rows] = tpp * (counted & opening)
        days, place = distinct(records.day[rows])
        periods = np.array([year_and_quarter(day) for day in days.tolist()], np.int64)
        self._year[rows], self._quarter[rows] = periods[place].T

    def _decider(self) -> Callable[[int], None]:
        """Give what decides a plain record and counts it where later ones look; `settle` counts the rest.

        A closure, because a million rows then look nothing up on the way.
        """
        bindings, tpps, mosts = self.binding, self._tpps, self._most.tolist()
        requests: list[bool] = (self._records.kind == Kind.ALLOCATION).tolist()
        places, families, years = self._destination.tolist(), self._family.tolist(), self._years
        cap, lpp, nveu, lpp_most = self._balances.cap, self._balances.lpp, self._balances.nveu, self._lpp_most
        bases, quarters = self._nveu.tolist(), self._quarter.tolist()
        founds, lefts = self._found, self._left

        def decide(row: int) -> None:
            binding, tpp = bindings[row], tpps[row]
            sums: dict[Any, int] = cap
            key: Any = places[row]
            most, admitted = mosts[row], CAP_ADMITTED
            if binding >= LPP:
                year = families[row], years[row]
                if binding == LPP or lpp[year] + tpp <= lpp_most:
                    sums, key, most, admitted = lpp, year, lpp_most, LPP_ADMITTED
                elif binding == LPP_ELSE_FREE:
                    binding = FREE
            if binding == FREE:
                founds[row] = UNBOUND
                if bases[row]:  # an opening fills a base that may bind what is no plain record
                    base = nveu[families[row], places[row]]
                    base[quarters[row]] = base.get(quarters[row], 0) + bases[row]
                return
            left = most - sums[key] - tpp
            if left >= 0:
                founds[row], lefts[row] = admitted, left
                sums[key] += tpp
            elif requests[row]:
                founds[row], lefts[row] = admitted + _REFUSED, max(0, left + tpp)
            else:
                founds[row], lefts[row] = admitted + _BREACHED, 0
                sums[key] += tpp

        return decide

    def standing(self, row: int, record: Record, sequence: int) -> Standing:
        """Give how a decided record stands, for those that name it."""
        found = self._found[row]
        basis = BASES[self._basis[row]]
        if found != UNBOUND:
            basis = Basis.LPP if found >= LPP_ADMITTED else Basis.LICENSE
        kind, refused, tpp = KINDS[record.kind], found in (CAP_REFUSED, LPP_REFUSED), self._tpps[row]
        return Standing(
            sequence=sequence,
            content=record.content,
            kind=kind,
            day=record.day,
            year=self._years[row],
            place=record.place,
            destination=int(self._destination[row]),
            consignee=record.consignee,
            chip=record.chip,
            quantity=record.quantity,
            tpp=tpp,
            stated=BASES[record.basis],
            basis=basis,
            refused=refused,
            counts=Counts() if refused else self._counts(row, found),
            outstanding=record.quantity if kind is Kind.ALLOCATION and not refused else 0,
            left=record.quantity if kind is not Kind.ALLOCATION else 0,
        )

    def _counts(self, row: int, found: int) -> Counts:
        tpp, lpp = self._tpps[row], found >= LPP_ADMITTED
        nveu = int(self._nveu[row])
        return Counts(
            cap=tpp if found in (CAP_ADMITTED, CAP_BREACHED) else 0,
            lpp=tpp if lpp else 0,
            lpp_year=self._years[row] if lpp else 0,
            nveu=nveu,
            nveu_quarter=int(self._quarter[row]) if nveu else 0,
            committed=int(self._committed[row]),
            installed=int(self._installed[row]),
            pending=int(self._pending[row]),
        )

    def settle(self) -> tuple[Numbers, dict[str, Numbers]]:
        """Give the rows that were decided and their columns of `DECIDED`, and count them on the other accounts."""
        found = np.array(self._found, np.int64)
        rows = np.flatnonzero(found)
        found, records, tpp = found[rows], self._records, self._tpp[rows]
        by_cap, by_lpp = (found >= CAP_ADMITTED) & (found < LPP_ADMITTED), found >= LPP_ADMITTED
        outcome, year = _OUTCOMES[found], self._year[rows]
        kept = outcome != Outcome.REFUSED
        columns = {
            "outcome": outcome,
            "basis": np.select([by_lpp, by_cap], [Basis.LPP, Basis.LICENSE], self._basis[rows]),
            "limit": _LIMITS[found],
            "account_destination": np.where(by_cap, self._destination[rows], ABSENT),
            "account_period": np.where(by_lpp, year, ABSENT),
            "remaining_tpp": np.array(self._left, np.int64)[rows],
            "limit_tpp": np.select([by_lpp, by_cap], [self._lpp_most, self._most[rows]], ABSENT),
            "place": records.place[rows],
            "destination": self._destination[rows],
            "consignee": records.consignee[rows],
            "family": self._family[rows],
            "chip": records.chip[rows],
            "quantity": records.quantity[rows],
            "tpp": tpp,
            "under_sequence": np.full(len(rows), ABSENT, np.int64),
            "fulfilled": np.zeros(len(rows), np.int64),
            "cap": tpp * (by_cap & kept),
            "lpp": tpp * (by_lpp & kept),
            "lpp_year": year * (by_lpp & kept),
            "lpp_from": np.zeros(len(rows), np.int64),
            "lpp_from_year": np.zeros(len(rows), np.int64),
            "nveu": self._nveu[rows],
            "nveu_quarter": self._quarter[rows] * (self._nveu[rows] > 0),
            "committed": self._committed[rows] * kept,
            "installed": self._installed[rows] * kept,
            "pending": self._pending[rows] * kept,
        }
        self._balances.add_many(columns, len(self._codebook.places))
        return rows, columns


def _what_binds(stated: Numbers, inside: Any, capped: Any, lpp: Any) -> Numbers:
    """Say what can bind what is asked for: `inside` tier 1 throughout, `capped` destinations, LPP open."""
    licensed = np.where(capped, CAP, FREE)
    unstated = np.where(inside, FREE, np.where(lpp, np.where(capped, LPP_ELSE_CAP, LPP_ELSE_FREE), licensed))
    conditions = [
        stated == Basis.NONE,
        stated == Basis.LICENSE,
        (stated == Basis.LPP) & lpp,
        (stated == Basis.AIA) & inside,
    ]
    return np.select(conditions, [unstated, licensed, LPP, FREE], NOT_PLAIN)
