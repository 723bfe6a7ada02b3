"""The one fold that decides: records in order and the balances that they meet give decisions and new balances.

A single request, an import, a dry run and the explanation of an old decision are all this fold.
"""

from collections.abc import Callable
from typing import Final

from ledger.core.columns import ABSENT
from ledger.core.dates import year_and_quarter
from ledger.core.tpp import ACCOUNT_TPP_MAX
from ledger.rulebook.balances import Balances, Counts
from ledger.rulebook.claim import Claim
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import NOTHING, Decisions, Records, Rejection, Standing
from ledger.rulebook.counting import ask, attrit, fulfil, install, lapse, open_base
from ledger.rulebook.determination import Determination
from ledger.rulebook.limit import Account, Reading, Rules
from ledger.rulebook.limits import LIMITS
from ledger.rulebook.under import contradiction, draw
from schemas.words import Basis, Kind, Outcome

KINDS: Final = tuple(Kind)
BASES: Final = tuple(Basis)
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
        named: frozenset[int] | set[int],
        next_sequence: int,
    ) -> None:
        self._codebook = codebook
        self._balances = balances
        self._standings = standings
        self._named = named
        self._next_sequence = next_sequence
        self._determination = Determination(codebook, balances)
        self._rules = Rules(codebook, balances)
        self.claim: Claim
        """The record decided last, and below every limit read for it: observed as if it counted, left as decided."""
        self.readings: list[Reading] = []

    def run(self, records: Records, advanced: Callable[[int], None] | None = None) -> Decisions:
        """Decide all rows in order; `advanced` is told now and then how many are done."""
        decisions = Decisions()
        for row in range(len(records)):
            if not records.malformed[row]:
                self._decide(row, records, decisions)
            if advanced and row % 10_000 == 0:
                advanced(row)
        return decisions

    def _decide(self, row: int, records: Records, decisions: Decisions) -> None:
        """Take one row through the three ways to say no, in their order."""
        reference = records.reference[row]
        earlier = self._standings.get(reference)
        if earlier is not None:
            if earlier.content == records.content[row]:
                decisions.duplicates.append((row, earlier.sequence))
            else:
                decisions.rejections.append(Rejection(row, "reference", "reference-reused", earlier.sequence))
            return
        named: Standing | None = None
        if records.under[row] != ABSENT:
            named = self._standings.get(records.under[row])
            rejection = contradiction(row, records, named, self._codebook)
            if rejection:
                decisions.rejections.append(rejection)
                return
        claim = self._claim(row, records, named)
        rejection = self._count(row, claim)
        if rejection:
            decisions.rejections.append(rejection)
            return
        self.claim = claim
        outcome, verdict = self._judge(claim)
        sequence = self._next_sequence
        self._next_sequence += 1
        decisions.append(row, sequence, claim, outcome, verdict, named.sequence if named else ABSENT)
        if named:
            draw(claim, named)
        if reference in self._named:
            stated = BASES[records.basis[row]]
            self._standings[reference] = self._standing(sequence, records.content[row], claim, stated, outcome, named)

    def _claim(self, row: int, records: Records, named: Standing | None) -> Claim:
        """Resolve a row, determine its authorization and say what it would count."""
        codebook, day = self._codebook, records.day[row]
        year, quarter = year_and_quarter(day)
        place = named.place if named else records.place[row]
        consignee = named.consignee if named else records.consignee[row]
        chip = named.chip if named else records.chip[row]
        kind = KINDS[records.kind[row]]
        quantity = named.quantity if named and kind is Kind.REVERSAL else records.quantity[row]
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
        stated = BASES[records.basis[row]]
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
        self.readings = [r for limit in LIMITS if (r := limit.read(claim, self._rules)) is not None]
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
    def _standing(
        sequence: int, content: int, claim: Claim, stated: Basis, outcome: Outcome, named: Standing | None
    ) -> Standing:
        refused = outcome is Outcome.REFUSED
        return Standing(
            sequence=sequence,
            content=content,
            kind=claim.kind,
            day=claim.day,
            year=claim.year,
            place=claim.place,
            destination=claim.destination,
            consignee=claim.consignee,
            chip=claim.chip,
            quantity=claim.quantity,
            tpp=claim.tpp,
            stated=stated,
            basis=claim.basis,
            refused=refused,
            counts=Counts() if refused else claim.counts,
            draws_on=named,
            fulfilled=claim.fulfilled,
            outstanding=claim.quantity if claim.kind is Kind.ALLOCATION and not refused else 0,
            left=claim.quantity if claim.kind in (Kind.OPENING, Kind.DELIVERY) else 0,
        )
