"""A second implementation of SPEC.md, slow and clear, to compare the ledger with.

It keeps a history and nothing else: every decision sums over all of it, so no balance gets out of step.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tests.oracle.facts import (
    Entry,
    Record,
    Registers,
    anywhere,
    apart_from,
    at,
    cap_used,
    in_places,
    lpp_used,
    nveu_base,
    same,
    touches,
)
from tests.oracle.rules import Rules

__all__ = ["Oracle", "Rules"]

COLUMNS = (  # SPEC 2
    *("reference", "kind", "date", "destination", "consignee", "chip", "quantity", "basis", "under"),
    *("license_number", "expires", "exporter", "site", "evidence", "note"),
)
COMPARED = tuple(column for column in COLUMNS if column not in ("evidence", "note"))  # SPEC 3, item 2

MAY_NAME = {  # SPEC 2, the last column of the table of kinds
    "delivery": ("allocation",),
    "lapse": ("allocation",),
    "attrition": ("opening", "delivery"),
    "reversal": ("opening", "allocation", "delivery", "lapse", "attrition"),
}

LIMITS = (  # SPEC 6, in order
    *("allocation-exceeded", "prohibited", "authorization-unavailable", "beyond-horizon", "country-cap"),
    *("lpp-annual", "nveu-installed-base", "uveu-single-country", "uveu-outside-tier-1", "uveu-outside-us"),
)


@dataclass(frozen=True)
class Trial:
    """A record held against one account of one limit."""

    limit: int
    account: str | None = None
    excess: int = 1  # exceeded if above 0; only ever compared within one limit
    left_before: int | None = None
    left_after: int | None = None


class Oracle:
    """The ledger, as SPEC.md has it."""

    def __init__(self, rules: Rules, chips: Mapping[str, tuple[int, str]]) -> None:
        """Start empty; `chips` gives TPP and class by chip id."""
        self.rules = rules
        self.chips = dict(chips)
        self.registers = Registers(rules)
        self.history: list[Record] = []  # recorded records, in order: refused ones too, without entries

    def adopt(self, rules: Rules) -> None:
        """Put other rules in force: what counts already stays as it was settled (SPEC 5)."""
        self.rules = self.registers.rules = rules

    def register(self, register: str, row: Mapping[str, str]) -> None:
        """Append a row to a register (SPEC 8)."""
        self.registers.register(register, row)

    # --- SPEC 3 and 6: an import --------------------------------------------------------------------------

    def submit(
        self, provider: str, rows: Sequence[Mapping[str, str]], skip_invalid: bool = True
    ) -> list[dict[str, object]]:
        """Decide as if with --skip-invalid; keep that if it was asked for or nothing is wrong (SPEC 3)."""
        already = len(self.history)
        answers = [self._answer(provider, row, number) for number, row in enumerate(rows, start=1)]
        rejected = [answer for answer in answers if answer["outcome"] == "rejected"]
        if rejected and not skip_invalid:
            del self.history[already:]
            return rejected
        return answers

    def _answer(self, provider: str, row: Mapping[str, str], number: int) -> dict[str, object]:
        """The ladder of SPEC 3, then the decision of SPEC 7."""
        given = {column: (row.get(column) or "").strip() for column in COLUMNS}

        def rejected(code: str, at_fault: str) -> dict[str, object]:
            answer: dict[str, object] = {"row": number, "reference": given["reference"]}
            return answer | {"outcome": "rejected", "duplicate": False, "code": code, "field": at_fault}

        # SPEC 3, item 2
        if first := self._find(provider, given["reference"]):
            if any(first.given[column] != given[column] for column in COMPARED):
                return rejected("reference-reused", "reference")
            return {**(first.answer or {}), "row": number, "duplicate": True}

        # SPEC 3, item 3
        target = self._find(provider, given["under"]) if given["under"] else None
        if given["under"] and (fault := self._under_fault(given, target)):
            return rejected(*fault)

        record = self._draft(provider, given, target)
        if record.basis != "UNCOUNTED":  # SPEC 4: it contributes nothing and is tested against nothing
            record = replace(record, entries=self._contributions(record))

        # SPEC 6: too-large, after all else
        if self._too_large(record):
            return rejected("too-large", "under" if record.kind == "reversal" else "quantity")

        tests = [] if record.basis == "UNCOUNTED" else list(self._tests(record))
        if all(test.excess <= 0 for test in tests):
            outcome = "admitted"
        else:
            outcome = "refused" if record.kind == "allocation" else "breached"
        spoken = _speaker(tests)
        left = None if spoken is None else spoken.left_before if outcome == "refused" else spoken.left_after
        answer: dict[str, object] = {
            "row": number,
            "reference": given["reference"],
            "outcome": outcome,
            "duplicate": False,
            "basis": record.basis,
            "limit_id": LIMITS[spoken.limit] if spoken else None,
            "tpp": record.tpp,
            "remaining_tpp": left,
            "account": spoken.account if spoken else None,
            "sequence": len(self.history) + 1,
        }
        kept = () if outcome == "refused" else record.entries  # SPEC 5: refused records count nowhere
        self.history.append(replace(record, entries=kept, outcome=outcome, answer=answer))
        return dict(answer)

    def _find(self, provider: str, reference: str) -> Record | None:
        """The provider's record of that reference."""
        found = [r for r in self.history if r.provider == provider and r.given["reference"] == reference]
        return found[0] if found else None

    # --- SPEC 3, item 3: under ----------------------------------------------------------------------------

    def _under_fault(self, given: Mapping[str, str], target: Record | None) -> tuple[str, str] | None:
        """The first thing wrong with `under`: code and column."""
        if target is None:
            return "under-not-found", "under"
        kind, day = given["kind"], date.fromisoformat(given["date"])
        if column := self._disagreeing(given, target):
            return "under-disagrees", column
        if target.kind not in MAY_NAME[kind]:
            return "under-kind", "under"
        if self._reversed(target):
            return "under-reversed", "under"
        if target.outcome == "refused" and kind != "delivery":
            return "under-refused", "under"
        if target.day > day:
            return "under-later", "under"
        if kind == "lapse" and int(given["quantity"]) > self._outstanding(target):
            return "lapse-exceeds-outstanding", "quantity"
        if kind == "attrition" and int(given["quantity"]) > self._left(target):
            return "attrition-exceeds-left", "quantity"
        if kind == "reversal" and self._drawing_on(target):
            return "reversal-drawn-on", "under"
        return None

    def _disagreeing(self, given: Mapping[str, str], target: Record) -> str | None:
        """SPEC 2: what a record with `under` repeats must agree; the first column that does not."""
        if given["destination"] and self.rules.counted(given["destination"]) != self.rules.counted(_place(target)):
            return "destination"
        if given["consignee"] and given["consignee"] != target.consignee:
            return "consignee"
        if given["chip"] and given["chip"] != target.chip:
            return "chip"
        if given["kind"] == "delivery" and target.outcome == "refused":
            return None  # SPEC 2: a delivery under a refused allocation has a basis of its own
        if given["basis"] and given["basis"] not in (target.given["basis"], target.basis):
            return "basis"
        return None

    def _reversed(self, record: Record) -> bool:
        """Whether a reversal names the record."""
        return any(r.kind == "reversal" and r.target and same(r.target, record) for r in self.history)

    def _drawing_on(self, record: Record) -> list[Record]:
        """The deliveries, lapses and attrition under a record that are not reversed."""
        drawing = [r for r in self.history if r.target and same(r.target, record) and r.kind != "reversal"]
        return [r for r in drawing if not self._reversed(r)]

    def _outstanding(self, allocation: Record) -> int:
        """SPEC 5: allocated, less fulfilled, less lapsed; of a refused allocation nothing ever is."""
        if allocation.outcome == "refused":
            return 0
        drawing = self._drawing_on(allocation)
        lapsed = sum(r.quantity for r in drawing if r.kind == "lapse")
        return allocation.quantity - sum(r.fulfils for r in drawing) - lapsed

    def _left(self, record: Record) -> int:
        """Chips of an opening or delivery that have not gone through attrition."""
        return record.quantity - sum(r.quantity for r in self._drawing_on(record))

    # --- SPEC 4: determination ----------------------------------------------------------------------------

    def _draft(self, provider: str, given: Mapping[str, str], target: Record | None) -> Record:
        """The record with what it takes from its target, its basis, and how many chips fulfil."""
        kind, day = given["kind"], date.fromisoformat(given["date"])
        settled = target if target and target.outcome != "refused" else None
        place = _place(target) if target else given["destination"]
        destination = settled.destination if settled else self.rules.counted(place)
        consignee = target.consignee if target else given["consignee"]
        chip = target.chip if target else given["chip"]
        chip_tpp, chip_class = self.chips[chip]
        # SPEC 7: the TPP of a reversal is that of the record taken back
        quantity = target.quantity if target and kind == "reversal" else int(given["quantity"])
        record = Record(provider, given, target, kind, day, destination, consignee, chip, quantity, chip_tpp)
        if target and kind == "delivery":
            record = replace(record, fulfils=min(quantity, self._outstanding(target)))
        if settled.basis == "UNCOUNTED" if settled else chip_class != self.rules.counted_class:
            return replace(record, basis="UNCOUNTED")
        if kind == "opening":
            return replace(record, basis=given["basis"] or None)
        if kind in ("allocation", "delivery"):
            record = replace(record, prohibited=self._line_1(record))
        if target and not (kind == "delivery" and target.outcome == "refused"):
            ended = kind == "delivery" and not self._open(target.basis or "", record)  # limit 2
            return replace(record, basis=target.basis, unavailable=ended)
        return self._determined(record)

    def _tiers(self, record: Record) -> tuple[int, int, int]:
        """`t`, `h` and `p`."""
        family = self.registers.family(record.consignee)
        countries = (
            record.destination,
            self.registers.headquarters(record.consignee),
            self.registers.headquarters(family),
        )
        t, h, p = (self.rules.tier(country, record.day) for country in countries)
        return t, h, p

    def _line_1(self, record: Record) -> bool:
        """Line 1, on the record's own date."""
        return 3 in self._tiers(record)

    def _open(self, basis: str, record: Record) -> bool:
        """The paragraph "Open" of SPEC 4, on the record's own date."""
        family = self.registers.family(record.consignee)
        if basis == "AIA":
            return self._tiers(record) == (1, 1, 1)
        if basis in ("UVEU", "NVEU"):
            return self.registers.holds(basis, family, record.destination, record.day)
        if basis == "LPP":
            closed = record.destination in self.rules.lpp_closed_to
            return record.day >= self.rules.lpp_open_from and not closed
        return True  # LICENSE

    def _determined(self, record: Record) -> Record:
        """SPEC 4 for an allocation, a delivery without `under`, and one under a refused allocation."""
        stated = record.given["basis"]
        if record.prohibited:
            return replace(record, basis="PROHIBITED")  # line 1
        unavailable = bool(stated) and not self._open(stated, record)
        if stated and (not unavailable or record.kind == "allocation"):
            return replace(record, basis=stated, unavailable=unavailable)  # line 2
        for basis in ("AIA", "UVEU", "NVEU"):  # lines 3, 4 and 5 are what being open means for these
            if self._open(basis, record):
                return replace(record, basis=basis, unavailable=unavailable)
        if self._open("LPP", record) and self._fits_lpp(record):
            return replace(record, basis="LPP", unavailable=unavailable)  # line 6
        return replace(record, basis="LICENSE", unavailable=unavailable)  # line 7

    def _fits_lpp(self, record: Record) -> bool:
        """Line 6: whether the record fits in what is left of its family's annual limit."""
        used = self.lpp_used(self.registers.family(record.consignee), record.day.year)
        return used + record.tpp <= self.rules.lpp_annual_tpp

    # --- SPEC 5: what counts where ------------------------------------------------------------------------

    def _contributions(self, record: Record) -> tuple[Entry, ...]:
        """All that a record adds to any account, were it to count."""
        target, quantity = record.target, record.quantity
        entries: list[Entry] = []
        if record.kind == "opening":
            entries = self._of_opening(record)
        elif record.kind == "allocation":
            entries = [record.entry("pending", quantity), *self._committing(record, quantity)]
        elif record.kind == "delivery":
            entries = self._of_delivery(record)
        elif record.kind == "lapse" and target:
            entries = self._of_lapse(record, target)
        elif record.kind == "attrition" and target:
            entries = self._of_attrition(record, target)
        elif record.kind == "reversal" and target:
            # exactly what its record added, account by account, in the same year and quarter
            entries = [replace(entry, tpp=-entry.tpp) for entry in target.entries]
        return tuple(entry for entry in entries if entry.tpp)

    def _of_opening(self, record: Record) -> list[Entry]:
        """An opening fills the NVEU base whatever its basis (limit 6); in tier 3 it is not installed."""
        entries = [record.entry("committed", record.quantity), record.entry("nveu", record.quantity)]
        if self.rules.tier(record.destination, record.day) != 3:
            entries += [record.entry("installed", record.quantity)]
        return entries

    def _of_delivery(self, record: Record) -> list[Entry]:
        """A delivery is no longer pending so far as it fulfils; the rest is beyond, or nobody asked first."""
        fulfils, target = record.fulfils, record.target
        entries = [record.entry("pending", -fulfils), *self._committing(record, record.quantity - fulfils)]
        if not record.prohibited:  # those that limit 1 marks are left out; it marks every tier-3 destination
            entries += [record.entry("installed", record.quantity)]
        if record.basis == "LPP" and target and target.day.year != record.day.year:
            # limit 5: chips that fulfil an allocation of another year move to the delivery's
            entries += [record.entry("lpp", -fulfils, target.day), record.entry("lpp", fulfils)]
        return entries

    def _of_lapse(self, record: Record, target: Record) -> list[Entry]:
        """A lapse gives back: a country's cap only by the switch (limit 4), LPP in its allocation's year."""
        quantity = record.quantity
        entries = [record.entry("committed", -quantity), record.entry("pending", -quantity)]
        if self.rules.lapse_restores_cap and touches(target, "cap"):
            entries += [record.entry("cap", -quantity)]
        if record.basis == "LPP":
            entries += [record.entry("lpp", -quantity, target.day)]
        if record.basis == "NVEU":
            entries += [record.entry("nveu", -quantity)]
        return entries

    def _of_attrition(self, record: Record, target: Record) -> list[Entry]:
        """Attrition follows the record that it draws on, in installed and in the NVEU base."""
        entries = [record.entry("committed", -record.quantity)]
        if touches(target, "installed"):
            entries += [record.entry("installed", -record.quantity)]
        if record.basis == "NVEU" or target.kind == "opening":
            entries += [record.entry("nveu", -record.quantity)]
        return entries

    def _committing(self, record: Record, chips: int) -> list[Entry]:
        """What allocations, deliveries without `under` and chips beyond add: committed, and limits 4 to 6."""
        entries = [record.entry("committed", chips)]
        in_period = self.rules.counting_start <= record.day <= self.rules.horizon_end
        tier = self.rules.tier(record.destination, record.day)
        if record.basis == "LICENSE" and tier == 2 and in_period:
            entries += [record.entry("cap", chips)]
        if record.basis == "LPP":
            entries += [record.entry("lpp", chips)]
        if record.basis == "NVEU":
            entries += [record.entry("nveu", chips)]
        return entries

    def _entries(self) -> list[Entry]:
        """Everything that counts so far."""
        return [entry for record in self.history for entry in record.entries]

    def _too_large(self, record: Record) -> bool:
        """SPEC 6: whether an account would be raised beyond the bound, were the record to count."""
        before = self._entries()
        after = [*before, *record.entries]
        members = self.registers.members(self.registers.family(record.consignee))
        years = {entry.day.year for entry in record.entries if entry.account == "lpp"}

        def amounts(entries: list[Entry]) -> list[int]:
            accounts = ("committed", "installed", "pending")
            committed, installed, pending = (in_places(entries, a, members, anywhere) for a in accounts)
            in_years = [lpp_used(entries, members, year) for year in sorted(years)]
            return [cap_used(entries, record.destination), committed, installed + pending, *in_years]

        pairs = zip(amounts(before), amounts(after), strict=True)
        return any(old < new and new > self.rules.most_tpp for old, new in pairs)

    # --- SPEC 6: limits, in order -------------------------------------------------------------------------

    def _tests(self, record: Record) -> Iterator[Trial]:
        """Every test that the record is put to; of limits 0 to 3 those that it fails."""
        if record.kind == "opening":
            return  # openings are tested against nothing
        if record.beyond:
            yield Trial(0)
        if record.prohibited:
            yield Trial(1)
        if record.unavailable:
            yield Trial(2)
        if self._beyond_horizon(record):
            yield Trial(3)
        before = self._entries()
        after = [*before, *record.entries]
        yield from self._cap_tests(record, before, after)
        yield from self._lpp_tests(record, before, after)
        yield from self._nveu_tests(record, before, after)
        yield from self._share_tests(record, before, after)

    def _beyond_horizon(self, record: Record) -> bool:
        """Limit 3."""
        new = record.kind == "allocation" or (record.kind == "delivery" and record.fulfils < record.quantity)
        tier = self.rules.tier(record.destination, record.day)
        unpublished = record.basis == "NVEU" or (record.basis == "LICENSE" and tier == 2)
        return new and record.day > self.rules.horizon_end and unpublished

    def _cap_tests(self, record: Record, before: list[Entry], after: list[Entry]) -> Iterator[Trial]:
        """Limit 4: most is the cap and the uplift in force on the record's date, rounded down."""
        uplift = self.registers.uplift_percent(record.destination, record.day)
        most = self.rules.cap_tpp + self.rules.cap_tpp * uplift // 100
        used, using = (cap_used(entries, record.destination) for entries in (before, after))
        if using > used:
            yield _absolute(4, record.destination, most, used, using)

    def _lpp_tests(self, record: Record, before: list[Entry], after: list[Entry]) -> Iterator[Trial]:
        """Limit 5: in each year to which the record adds."""
        family = self.registers.family(record.consignee)
        members = self.registers.members(family)
        for year in sorted({entry.day.year for entry in record.entries if entry.account == "lpp"}):
            used, using = (lpp_used(entries, members, year) for entries in (before, after))
            if using > used:
                yield _absolute(5, f"{family}/{year}", self.rules.lpp_annual_tpp, used, using)

    def _nveu_tests(self, record: Record, before: list[Entry], after: list[Entry]) -> Iterator[Trial]:
        """Limit 6: NVEU alone, in its quarter and every later one, which is each whose base it raises."""
        family, destination = self.registers.family(record.consignee), record.destination
        members = self.registers.members(family)
        if record.basis != "NVEU":
            return
        for quarter, most in sorted(self.rules.nveu_schedule.items()):
            used, using = (nveu_base(entries, members, destination, quarter) for entries in (before, after))
            if using > used:
                yield _absolute(6, f"{family}/{destination}/{quarter}", most, used, using)

    def _share_tests(self, record: Record, before: list[Entry], after: list[Entry]) -> Iterator[Trial]:
        """Limits 7 to 9: they bind a family that holds UVEU on the record's date."""
        rules, family = self.rules, self.registers.family(record.consignee)
        members = self.registers.members(family)
        if not self.registers.holds("UVEU", family, record.destination, record.day):
            return

        def outside_tier_1(place: str) -> bool:
            return rules.tier(place, record.day) != 1

        def share(limit: int, account: str, percent: int, inside: Callable[[str], bool]) -> Iterator[Trial]:
            """One share limit: its whole includes what is pending in the places that it restricts."""

            def measure(entries: list[Entry]) -> tuple[int, int]:
                pending = in_places(entries, "pending", members, inside)
                whole = in_places(entries, "installed", members, anywhere) + pending
                return in_places(entries, "committed", members, inside), max(whole, 0)

            (numerator, whole), (new_numerator, new_whole) = measure(before), measure(after)
            adds = new_numerator > numerator
            lowers = new_whole < whole and not inside(record.destination)
            if adds or lowers:
                yield Trial(
                    limit,
                    account,
                    100 * new_numerator - percent * new_whole,
                    max((percent * whole - 100 * numerator) // (100 - percent), 0),
                    max((percent * new_whole - 100 * new_numerator) // (100 - percent), 0),
                )

        for place in sorted({entry.destination for entry in after if outside_tier_1(entry.destination)}):
            has_chips = in_places(after, "committed", members, at(place)) > 0
            if has_chips or place == record.destination:
                yield from share(7, f"{family}/{place}", rules.single_country_percent, at(place))
        yield from share(8, family, rules.outside_tier_1_percent, outside_tier_1)
        if self.registers.headquarters(family) == rules.united_states and rules.outside_us_each_record:
            yield from share(9, family, rules.outside_us_percent, apart_from(rules.united_states))

    # --- balances, to compare -----------------------------------------------------------------------------

    def cap_used(self, destination: str) -> int:
        """What counts against a country's cap."""
        return cap_used(self._entries(), self.rules.counted(destination))

    def lpp_used(self, family: str, year: int) -> int:
        """What counts in a family's calendar year."""
        return lpp_used(self._entries(), self.registers.members(family), year)

    def nveu_base(self, family: str, destination: str, quarter: str) -> int:
        """A family's base in a destination in a quarter such as "2026Q3"."""
        return nveu_base(self._entries(), self.registers.members(family), self.rules.counted(destination), quarter)

    def committed(self, family: str, destination: str) -> int:
        """A family's committed in a destination."""
        return in_places(
            self._entries(), "committed", self.registers.members(family), at(self.rules.counted(destination))
        )

    def installed(self, family: str) -> int:
        """A family's installed everywhere."""
        return in_places(self._entries(), "installed", self.registers.members(family), anywhere)

    def pending(self, family: str, destination: str) -> int:
        """A family's pending in a destination."""
        return in_places(
            self._entries(), "pending", self.registers.members(family), at(self.rules.counted(destination))
        )


def _place(record: Record) -> str:
    """The destination as given, of a record with `under` that of the record named."""
    return _place(record.target) if record.target else record.given["destination"]


def _absolute(limit: int, account: str, most: int, used: int, using: int) -> Trial:
    """A cap: what it leaves is most less used, at least 0 (SPEC 7)."""
    return Trial(limit, account, using - most, max(most - used, 0), max(most - using, 0))


def _speaker(tests: Sequence[Trial]) -> Trial | None:
    """SPEC 7, `limit_id`: the exceeded limit first in the table, else that of 4 to 9 with the least left."""

    def left(test: Trial) -> int:
        return test.left_after if test.left_after is not None else 0

    exceeded = [test for test in tests if test.excess > 0]
    if exceeded:
        first = min(test.limit for test in exceeded)
        # max keeps the first of equals: accounts were tested in order of code, quarters from the earliest
        return max((test for test in exceeded if test.limit == first), key=lambda test: test.excess)
    return min(tests, key=left, default=None)  # min too: ties in table order, then order of code or quarter
