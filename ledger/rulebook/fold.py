"""The one fold that decides: records in order and the balances that they meet give decisions and new balances.

A single request, an import, a dry run and the explanation of an old decision are all this fold. Every record could be
decided by the limits one by one; those of many that only a cap can bind are decided as `plain` ones, and alike.
"""

from collections.abc import Callable, Collection
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.core.columns import ABSENT
from ledger.core.dates import year_and_quarter
from ledger.core.tpp import ACCOUNT_TPP_MAX
from ledger.rulebook.balances import Balances, Counts
from ledger.rulebook.claim import Claim
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import COUNTS, DECIDED, NOTHING, Decisions, Record, Records, Rejection, Standing
from ledger.rulebook.counting import ask, attrit, fulfil, install, lapse, open_base
from ledger.rulebook.determination import Determination
from ledger.rulebook.limit import Account, Limit, Reading, Rules, Share
from ledger.rulebook.limits import LIMITS
from ledger.rulebook.plain import NOT_PLAIN, Plain
from ledger.rulebook.under import contradiction, draw
from schemas.words import BASES, KINDS, Basis, Kind, Outcome

_AMOUNTS: Final = attrgetter(*COUNTS)
_MANY: Final = 8
"""So many records are decided quicker as columns than one by one."""
_BANS: Final = tuple(limit for limit in LIMITS if not limit.has_account)
_BINDING: Final = {
    (basis, authorized): tuple(
        limit
        for limit in LIMITS
        if limit.has_account and basis in limit.bases and (authorized or not isinstance(limit, Share))
    )
    for basis in BASES
    for authorized in (False, True)
}
"""The limits with an account that can bind a record, by its authorization and by whether its family holds any."""
_NO_VERDICT: Final = (ABSENT, Account(), ABSENT, ABSENT)


class Fold:
    """Decides records one after another, each seeing what those before it left in `balances` and `standings`.

    `standings` holds, by reference number, the recorded records of the provider that these rows name or repeat;
    `named` the reference numbers that more than one row of these has, so that the fold keeps them too.
    """

    def __init__(
        self,
        codebook: Codebook,
        balances: Balances,
        standings: dict[int, Standing],
        named: Collection[int],
        next_sequence: int,
    ) -> None:
        self._codebook = codebook
        self._balances = balances
        self._standings = standings
        self._named = named
        self._next_sequence = next_sequence
        self._horizon_end = codebook.figures.horizon_end
        self._determination = Determination(codebook, balances)
        self._rules = Rules(codebook, balances)
        self._first_sequence = next_sequence
        self._decided: list[tuple[int, ...]] = []
        """A row of each record that is not plain: its place, then the columns of `DECIDED`."""
        self._duplicates: list[tuple[int, int]] = []
        self._rejections: list[Rejection] = []
        self._explaining = False
        self._roomy = False
        self.claim: Claim
        """The record decided last, and below every limit read for it: observed as if it counted, left as decided."""
        self.readings: list[Reading] = []

    def one(self, record: Record) -> Decisions:
        """Decide one record, with all that was read for it."""
        self._explaining = True
        self._decide(0, record)
        return self._decisions(None)

    def run(self, records: Records, advanced: Callable[[int], None] | None = None) -> Decisions:
        """Decide all rows in order; `advanced` is told how many are done."""
        self._roomy = self._has_room(records)
        plain = Plain(records, self._codebook, self._balances) if self._roomy and len(records) >= _MANY else None
        binding = plain.binding if plain else [NOT_PLAIN] * len(records)
        # What nobody names, nor has been recorded before, needs no look at what it was.
        alone = (np.array(binding) != NOT_PLAIN) & ~self._watched(records)
        others = records.some(np.flatnonzero(~alone & ~records.malformed))
        malformed = records.malformed.tolist()
        decide = plain.decide if plain else None
        for row, is_alone in enumerate(alone.tolist()):
            if is_alone and decide:
                decide(row)
                self._next_sequence += 1
            elif not malformed[row]:
                self._decide(row, next(others), plain if binding[row] else None)
            if advanced and not row % 10_000:
                advanced(row)
        return self._decisions(plain)

    def _has_room(self, records: Records) -> bool:
        """Say if no account could pass what the ledger can hold, were every record to count on it in full."""
        chip_tpp_max = max(self._codebook.chip_tpp, default=0)
        asked = int(np.maximum(records.quantity, 0).sum()) * chip_tpp_max
        named = sum(standing.tpp for standing in self._standings.values())
        return self._balances.largest() + asked + named <= ACCOUNT_TPP_MAX

    def _watched(self, records: Records) -> NDArray[np.bool_]:
        """Say of each row if another one, or a recorded record, has or names its reference."""
        references = [*self._named, *self._standings]
        sought = np.zeros(max(0, *references, int(records.reference.max(initial=0))) + 1, np.bool_)
        sought[references] = True
        return sought[records.reference]

    def _decisions(self, plain: Plain | None) -> Decisions:
        """Put the decisions of plain and other records together, in order."""
        table = np.array(self._decided, np.int64).reshape(-1, 1 + len(DECIDED)).T
        row, columns = table[0], dict(zip(DECIDED, table[1:], strict=True))
        if plain:
            plain_row, plain_columns = plain.settle()
            order = np.argsort(np.concatenate((plain_row, row)), kind="stable")
            place = np.empty_like(order)
            place[order] = np.arange(len(order))
            row = np.sort(np.concatenate((plain_row, row)))
            for name in DECIDED:  # one after another, so that the memory of each is free for the next
                merged = np.empty_like(row)
                merged[place[: len(plain_row)]] = plain_columns.pop(name)
                merged[place[len(plain_row) :]] = columns.pop(name)
                columns[name] = merged
        return Decisions(
            row=row,
            sequence=np.arange(self._first_sequence, self._first_sequence + len(row), dtype=np.int64),
            columns=columns,
            duplicates=self._duplicates,
            rejections=self._rejections,
        )

    def _decide(self, row: int, record: Record, plain: Plain | None = None) -> None:
        """Take one row through the three ways to say no, in their order."""
        earlier = self._standings.get(record.reference)
        if earlier is not None:
            if earlier.content == record.content:
                self._duplicates.append((row, earlier.sequence))
            else:
                self._rejections.append(Rejection(row, "reference", "reference-reused", earlier.sequence))
            return
        if plain:
            plain.decide(row)
            self._standings[record.reference] = plain.standing(row, record, self._next_sequence)
            self._next_sequence += 1
            return
        named: Standing | None = None
        if record.under != ABSENT:
            named = self._standings.get(record.under)
            rejection = contradiction(row, record, named, self._codebook)
            if rejection:
                self._rejections.append(rejection)
                return
        claim = self._claim(record, named)
        rejection = self._count(row, claim)
        if rejection:
            self._rejections.append(rejection)
            return
        self.claim = claim
        outcome, verdict = self._judge(claim)
        sequence = self._next_sequence
        self._next_sequence += 1
        self._record(row, claim, outcome, verdict, named.sequence if named else ABSENT)
        if named:
            draw(claim, named)
        if record.reference in self._named:
            self._standings[record.reference] = self._standing(sequence, record, claim, outcome, named)

    def _record(
        self, row: int, claim: Claim, outcome: Outcome, verdict: tuple[int, Account, int, int], under_sequence: int
    ) -> None:
        """Keep a decision; `verdict` is limit, account, remaining and most, `ABSENT` where blank."""
        limit, account, remaining, most = verdict
        counts = NOTHING if outcome is Outcome.REFUSED else claim.counts
        place = (claim.place, claim.destination, claim.consignee, claim.family, claim.chip)
        said = (row, outcome, claim.basis, limit, account.destination, account.period, remaining, most)
        amounts = (claim.quantity, claim.tpp, under_sequence, claim.fulfilled)
        self._decided.append(said + place + amounts + _AMOUNTS(counts))

    def _claim(self, record: Record, named: Standing | None) -> Claim:
        """Resolve a record, determine its authorization and say what it would count."""
        codebook, day = self._codebook, record.day
        year, quarter = year_and_quarter(day)
        place, consignee, chip = (named or record).place, (named or record).consignee, (named or record).chip
        kind = KINDS[record.kind]
        quantity = named.quantity if named and kind is Kind.REVERSAL else record.quantity
        # What the record that it names counted, and where, was settled then: another rulebook may be in force by now.
        settled = named if named and not named.refused else None
        destination = settled.destination if settled else codebook.counted[place]
        claim = Claim(
            kind=kind,
            day=day,
            year=year,
            quarter=quarter,
            place=place,
            destination=destination,
            tier=codebook.tiers(day)[destination],
            consignee=consignee,
            family=codebook.families[consignee],
            chip=chip,
            quantity=quantity,
            tpp=quantity * codebook.chip_tpp[chip],
        )
        stated = BASES[record.basis]
        if kind is Kind.REVERSAL and named:
            claim.basis, claim.counts = named.basis, named.counts.taken_back()
        elif settled.basis is Basis.UNCOUNTED if settled else not codebook.chip_counts[chip]:
            claim.basis = Basis.UNCOUNTED
            if kind is Kind.DELIVERY and named and not named.refused:
                claim.fulfilled = min(quantity, named.outstanding)
        else:
            self._weigh(claim, stated, named)
        return claim

    def _weigh(self, claim: Claim, stated: Basis, named: Standing | None) -> None:
        """Determine the basis of a counted record that is no reversal, and what it would count."""
        figures = self._codebook.figures
        if claim.kind is Kind.OPENING:
            claim.basis = stated
            open_base(claim)
        elif named and claim.kind is Kind.LAPSE:
            claim.basis = named.basis
            lapse(claim, named, figures)
        elif named and claim.kind is Kind.ATTRITION:
            claim.basis = named.basis
            attrit(claim, named)
        elif named and not named.refused:
            self._weigh_delivery(claim, named)
        else:
            # A delivery under a refused allocation is decided afresh, and none of its chips was allocated.
            claim.basis = self._determination.determine(claim, stated)
            claim.prohibited = claim.basis is Basis.PROHIBITED
            if named:
                claim.under_allocation, claim.beyond = True, claim.quantity
            ask(claim, claim.quantity, figures)
            if claim.kind is Kind.ALLOCATION:
                claim.counts.pending = claim.tpp
            else:
                install(claim)

    def _weigh_delivery(self, claim: Claim, allocation: Standing) -> None:
        """Split a delivery under an allocation into what fulfils it and what is beyond."""
        claim.basis = allocation.basis
        claim.under_allocation = True
        claim.prohibited = self._determination.is_prohibited(claim)
        claim.unavailable = not self._determination.is_open(claim.basis, claim)
        claim.fulfilled = min(claim.quantity, allocation.outstanding)
        claim.beyond = claim.quantity - claim.fulfilled
        if claim.beyond:
            ask(claim, claim.beyond, self._codebook.figures)
        fulfil(claim, allocation)
        install(claim)

    def _count(self, row: int, claim: Claim) -> Rejection | None:
        """Count the record, unless that would raise an account past what the ledger can hold."""
        balances, counts, family = self._balances, claim.counts, claim.family
        balances.add(family, claim.destination, counts)
        if self._roomy:
            return None
        installed_or_pending = balances.installed[family] + balances.pending_total[family]
        raised = (
            balances.cap[claim.destination] if counts.cap > 0 else 0,
            balances.lpp[family, counts.lpp_year] if counts.lpp > 0 else 0,
            balances.lpp[family, counts.lpp_from_year] if counts.lpp_from < 0 else 0,
            balances.committed_total[family] if counts.committed > 0 else 0,
            installed_or_pending if counts.installed + counts.pending > 0 else 0,
        )
        if max(raised) <= ACCOUNT_TPP_MAX:
            return None
        balances.add(family, claim.destination, counts, -1)
        field = "under" if claim.is_reversal else "quantity"
        return Rejection(row, field, "too-large", max(raised), ACCOUNT_TPP_MAX)

    def _judge(self, claim: Claim) -> tuple[Outcome, tuple[int, Account, int, int]]:
        """Read every limit with the record counted; uncount it again if it is refused."""
        self.readings = []
        if claim.kind is Kind.OPENING or (claim.counts == NOTHING and claim.basis is Basis.UNCOUNTED):
            return Outcome.ADMITTED, _NO_VERDICT
        if claim.is_harmless and not self._explaining:
            return Outcome.ADMITTED, _NO_VERDICT
        for limit in LIMITS if self._explaining else self._binding(claim):
            reading = limit.read(claim, self._rules)
            if reading is not None:
                self.readings.append(reading)
                if reading.excess > 0 and not self._explaining:
                    break  # the first that is exceeded speaks; only who asks why wants the others
        exceeded = next((reading for reading in self.readings if reading.excess > 0), None)
        if exceeded is None:
            tested = [reading for reading in self.readings if LIMITS[reading.limit].has_account]
            tightest = min(tested, key=lambda reading: reading.left, default=None)
            return Outcome.ADMITTED, self._verdict(tightest)
        if claim.kind is not Kind.ALLOCATION:
            return Outcome.BREACHED, self._verdict(exceeded)
        self._balances.add(claim.family, claim.destination, claim.counts, -1)
        self.readings = [self._left_before(reading, claim) for reading in self.readings]
        refusing = next(reading for reading in self.readings if reading.excess > 0)
        return Outcome.REFUSED, self._verdict(refusing)

    def _binding(self, claim: Claim) -> tuple[Limit, ...]:
        """Give the limits that a record can exceed or come near to, in their order."""
        banned = claim.beyond or claim.prohibited or claim.unavailable or claim.day > self._horizon_end
        binding = _BINDING[claim.basis, self._codebook.authorized[claim.family]]
        return (*_BANS, *binding) if banned else binding

    def _left_before(self, reading: Reading, claim: Claim) -> Reading:
        """Give a reading with what its account leaves and may have now that the record is uncounted again."""
        before = LIMITS[reading.limit].measure(claim, reading.account, self._rules)
        return reading._replace(most=before.most, left=before.left)

    @staticmethod
    def _verdict(reading: Reading | None) -> tuple[int, Account, int, int]:
        if reading is None:
            return _NO_VERDICT
        if not LIMITS[reading.limit].has_account:
            return reading.limit, Account(), ABSENT, ABSENT
        return reading.limit, reading.account, reading.left, reading.most

    @staticmethod
    def _standing(sequence: int, record: Record, claim: Claim, outcome: Outcome, named: Standing | None) -> Standing:
        refused = outcome is Outcome.REFUSED
        return Standing(
            sequence=sequence,
            content=record.content,
            kind=claim.kind,
            day=claim.day,
            year=claim.year,
            place=claim.place,
            destination=claim.destination,
            consignee=claim.consignee,
            chip=claim.chip,
            quantity=claim.quantity,
            tpp=claim.tpp,
            stated=BASES[record.basis],
            basis=claim.basis,
            refused=refused,
            counts=Counts() if refused else claim.counts,
            draws_on=named,
            fulfilled=claim.fulfilled,
            outstanding=claim.quantity if claim.kind is Kind.ALLOCATION and not refused else 0,
            left=claim.quantity if claim.kind in (Kind.OPENING, Kind.DELIVERY) else 0,
        )
