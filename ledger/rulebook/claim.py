"""A record as the limits see it: resolved to numbers, with its authorization determined and its counts known."""

from dataclasses import dataclass, field

from ledger.rulebook.balances import Counts
from schemas.words import Basis, Kind


@dataclass(slots=True)
class Claim:
    """One record on its way to a decision. Amounts in TPP, never signed; `counts` has the signs."""

    kind: Kind
    day: int
    year: int
    quarter: int
    place: int
    """The destination as stored; `destination` is the country as which it counts."""
    destination: int
    tier: int
    consignee: int
    family: int
    chip: int
    quantity: int
    tpp: int
    basis: Basis = Basis.NONE
    fulfilled: int = 0
    """Chips of a delivery that were outstanding on its allocation."""
    beyond: int = 0
    """Chips of a delivery `under` an allocation that were not."""
    asked_tpp: int = 0
    """What allocations, deliveries without `under` and chips beyond newly ask for; 0 for every other record."""
    under_allocation: bool = False
    prohibited: bool = False
    unavailable: bool = False
    counts: Counts = field(default_factory=Counts)

    @property
    def is_request(self) -> bool:
        """Only an allocation can be refused; everything else is a fact."""
        return self.kind is Kind.ALLOCATION

    @property
    def is_reversal(self) -> bool:
        """A reversal is never tested against limits 0 to 3."""
        return self.kind is Kind.REVERSAL

    @property
    def is_harmless(self) -> bool:
        """Say if the record makes nothing worse: it adds to no account, lowers no whole, and breaks no ban."""
        counts = self.counts
        return not (
            self.asked_tpp
            or self.beyond
            or self.prohibited
            or self.unavailable
            or counts.cap > 0
            or counts.lpp > 0
            or counts.lpp_from < 0
            or counts.nveu > 0
            or counts.committed > 0
            or counts.installed < 0
        )
