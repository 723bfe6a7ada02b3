"""What goes into the fold and what comes out: columns of small integers, a list a column."""

from dataclasses import dataclass, field, fields
from typing import Final

from ledger.rulebook.balances import Counts
from ledger.rulebook.claim import Claim
from ledger.rulebook.limit import Account
from schemas.words import Basis, Kind, Outcome


@dataclass(slots=True)
class Records:
    """Records in the order in which they arrive, as numbers: the codebook's, `core.dates`', `schemas.words`'.

    `reference` and `under` number the provider's references (the same text, the same number); `content` numbers what
    is compared of a record (the same content, the same number). Where `malformed`, nothing else of a row is read.
    """

    malformed: list[bool] = field(default_factory=list)
    reference: list[int] = field(default_factory=list)
    content: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    day: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    consignee: list[int] = field(default_factory=list)
    chip: list[int] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    basis: list[int] = field(default_factory=list)
    under: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.malformed)


@dataclass(slots=True)
class Standing:
    """A recorded record that a later one may name: what it was, what it added, and what is left of it.

    Kept only for references that are named again; `draws_on` is the record that it names itself, if any.
    """

    sequence: int
    content: int
    kind: Kind
    day: int
    year: int
    place: int
    destination: int
    """The country as which it counted when it was decided, whatever `place` counts as now."""
    consignee: int
    chip: int
    quantity: int
    tpp: int
    stated: Basis
    basis: Basis
    refused: bool
    counts: Counts
    draws_on: "Standing | None" = None
    fulfilled: int = 0
    outstanding: int = 0
    """Chips of an allocation, less fulfilled, less lapsed."""
    left: int = 0
    """Chips of an opening or delivery, less attrition."""
    draws: int = 0
    """Deliveries, lapses and attrition that name this record and are not reversed."""
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that contradicts the record: the column at fault, a stable word, and numbers for its sentence."""

    row: int
    field: str
    code: str
    found: int = 0
    allowed: int = 0


@dataclass(slots=True)
class Decisions:
    """The recorded rows, a list a column, and what became of the others.

    `row` counts from 0 within the fold; account parts are numbers, `ABSENT` where the account has none.
    """

    row: list[int] = field(default_factory=list)
    sequence: list[int] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)
    basis: list[int] = field(default_factory=list)
    limit: list[int] = field(default_factory=list)
    account_destination: list[int] = field(default_factory=list)
    account_period: list[int] = field(default_factory=list)
    tpp: list[int] = field(default_factory=list)
    remaining_tpp: list[int] = field(default_factory=list)
    limit_tpp: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    destination: list[int] = field(default_factory=list)
    consignee: list[int] = field(default_factory=list)
    family: list[int] = field(default_factory=list)
    chip: list[int] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    under_sequence: list[int] = field(default_factory=list)
    fulfilled: list[int] = field(default_factory=list)
    cap: list[int] = field(default_factory=list)
    lpp: list[int] = field(default_factory=list)
    lpp_year: list[int] = field(default_factory=list)
    lpp_from: list[int] = field(default_factory=list)
    lpp_from_year: list[int] = field(default_factory=list)
    nveu: list[int] = field(default_factory=list)
    nveu_quarter: list[int] = field(default_factory=list)
    committed: list[int] = field(default_factory=list)
    installed: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    duplicates: list[tuple[int, int]] = field(default_factory=list)
    """Row, and the sequence of the record that it repeats."""
    rejections: list[Rejection] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.row)

    def append(
        self,
        row: int,
        sequence: int,
        claim: Claim,
        outcome: Outcome,
        verdict: tuple[int, Account, int, int],
        under_sequence: int,
    ) -> None:
        """Record a decided row; `verdict` is limit, account, remaining and most, `ABSENT` where blank."""
        limit, account, remaining, most = verdict
        counts = NOTHING if outcome is Outcome.REFUSED else claim.counts
        self.row.append(row)
        self.sequence.append(sequence)
        self.outcome.append(outcome)
        self.basis.append(claim.basis)
        self.limit.append(limit)
        self.account_destination.append(account.destination)
        self.account_period.append(account.period)
        self.tpp.append(claim.tpp)
        self.remaining_tpp.append(remaining)
        self.limit_tpp.append(most)
        self.under_sequence.append(under_sequence)
        self.fulfilled.append(claim.fulfilled)
        for name in _OF_CLAIM:
            getattr(self, name).append(getattr(claim, name))
        for name in _OF_COUNTS:
            getattr(self, name).append(getattr(counts, name))


NOTHING: Final = Counts()
_OF_CLAIM = ("place", "destination", "consignee", "family", "chip", "quantity")
_OF_COUNTS = tuple(column.name for column in fields(Counts))
