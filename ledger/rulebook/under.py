"""Records that name an earlier one: when that contradicts the record, and what it leaves of the earlier one."""

from ledger.core.columns import ABSENT
from ledger.rulebook.claim import Claim
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import Record, Rejection, Standing
from schemas.words import KINDS, Basis, Kind

MAY_NAME: dict[Kind, tuple[Kind, ...]] = {
    Kind.DELIVERY: (Kind.ALLOCATION,),
    Kind.LAPSE: (Kind.ALLOCATION,),
    Kind.ATTRITION: (Kind.OPENING, Kind.DELIVERY),
    Kind.REVERSAL: (Kind.OPENING, Kind.ALLOCATION, Kind.DELIVERY, Kind.LAPSE, Kind.ATTRITION),
}


def contradiction(row: int, record: Record, named: Standing | None, codebook: Codebook) -> Rejection | None:
    """Say how a row contradicts the record that it names, or None. The checks are in their documented order."""
    if named is None:
        return Rejection(row, "under", "under-not-found")
    kind = KINDS[record.kind]
    disagreeing = _disagreeing(record, named, codebook)
    if disagreeing:
        return Rejection(row, disagreeing, "under-disagrees", named.sequence)
    if named.kind not in MAY_NAME[kind]:
        return Rejection(row, "under", "under-kind", named.kind)
    if named.reversed:
        return Rejection(row, "under", "under-reversed", named.sequence)
    if named.refused and kind is not Kind.DELIVERY:
        return Rejection(row, "under", "under-refused", named.sequence)
    if named.day > record.day:
        return Rejection(row, "under", "under-later", record.day, named.day)
    quantity = record.quantity
    if kind is Kind.LAPSE and quantity > named.outstanding:
        return Rejection(row, "quantity", "lapse-exceeds-outstanding", quantity, named.outstanding)
    if kind is Kind.ATTRITION and quantity > named.left:
        return Rejection(row, "quantity", "attrition-exceeds-left", quantity, named.left)
    if kind is Kind.REVERSAL and named.draws:
        return Rejection(row, "under", "reversal-drawn-on", named.draws)
    return None


def _disagreeing(record: Record, named: Standing, codebook: Codebook) -> str | None:
    """Give the first repeated column that differs; a destination agrees if it counts as the same country."""
    place, basis = record.place, record.basis
    if place != ABSENT and codebook.counted[place] != codebook.counted[named.place]:
        return "destination"
    if record.consignee not in (ABSENT, named.consignee):
        return "consignee"
    if record.chip not in (ABSENT, named.chip):
        return "chip"
    own_basis = named.refused and record.kind == Kind.DELIVERY
    if not own_basis and basis not in (Basis.NONE, named.stated, named.basis):
        return "basis"
    return None


def draw(claim: Claim, named: Standing) -> None:
    """Take what a recorded record draws from the one that it names, or give it back if it is a reversal."""
    if claim.kind is Kind.REVERSAL:
        named.reversed = True
        if named.draws_on:
            _draw(named.draws_on, named.kind, named.quantity, named.fulfilled, -1)
    else:
        _draw(named, claim.kind, claim.quantity, claim.fulfilled, 1)


def _draw(named: Standing, kind: Kind, quantity: int, fulfilled: int, sign: int) -> None:
    named.draws += sign
    if kind is Kind.ATTRITION:
        named.left -= sign * quantity
    else:
        named.outstanding -= sign * (fulfilled if kind is Kind.DELIVERY else quantity)
