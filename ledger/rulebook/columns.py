"""What goes into the fold and what comes out: columns of whole numbers, an array a column."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.core.columns import ABSENT, Numbers
from ledger.core.form import Form
from ledger.rulebook.balances import Balances, Counts
from schemas.words import Basis, Kind


class Record(NamedTuple):
    """One row of `Records`."""

    reference: int
    content: int
    kind: int
    day: int
    place: int
    consignee: int
    chip: int
    quantity: int
    basis: int
    under: int = ABSENT


@dataclass(slots=True)
class Records:
    """Records in the order in which they arrive, as numbers: the codebook's, `core.dates`', `schemas.words`'.

    `reference` and `under` number the provider's references (the same text, the same number); `content` numbers what
    is compared of a record (the same content, the same number). Where `malformed`, nothing else of a row is read.
    """

    malformed: NDArray[np.bool_]
    reference: Numbers
    content: Numbers
    kind: Numbers
    day: Numbers
    place: Numbers
    consignee: Numbers
    chip: Numbers
    quantity: Numbers
    basis: Numbers
    under: Numbers

    def __len__(self) -> int:
        return len(self.malformed)

    @classmethod
    def of(cls, record: Record) -> "Records":
        """Put one record in columns."""
        numbers = {name: np.array([value], np.int64) for name, value in zip(record._fields, record, strict=True)}
        return cls(malformed=np.zeros(1, np.bool_), **numbers)

    @classmethod
    def of_form(cls, form: Form, reference: Numbers, content: Numbers, under: Numbers) -> "Records":
        """Put understood columns together with what their references were found to be."""
        names = {"day": "date", "place": "destination"}
        read = {
            name: form.numbers[names.get(name, name)]
            for name in ("kind", "day", "place", "consignee", "chip", "quantity")
        }
        basis = np.maximum(form.numbers["basis"], 0)
        return cls(form.malformed, reference, content, **read, basis=basis, under=under)

    def some(self, rows: Numbers) -> Iterator[Record]:
        """Give some of the rows, one after another."""
        return map(Record, *(getattr(self, name)[rows].tolist() for name in Record._fields))


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


NOTHING: Final = Counts()
COUNTS: Final = tuple(column.name for column in fields(Counts))
DECIDED: Final = (
    *("outcome", "basis", "limit", "account_destination", "account_period", "remaining_tpp", "limit_tpp"),
    *("place", "destination", "consignee", "family", "chip", "quantity", "tpp", "under_sequence", "fulfilled"),
    *COUNTS,
)
"""The columns of a decision, in the order of a row of them; `ABSENT` where blank."""


@dataclass(slots=True)
class Decisions:
    """The recorded rows, an array a column of `DECIDED`, and what became of the others.

    `row` counts from 0 within those that were decided, `sequence` within the ledger.
    """

    row: Numbers
    sequence: Numbers
    columns: dict[str, Numbers]
    duplicates: list[tuple[int, int]] = field(default_factory=list)
    """Row, and the sequence of the record that it repeats."""
    rejections: list[Rejection] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.row)

    def uncount(self, balances: Balances) -> None:
        """Take away from the balances what was counted: nothing of this is to be recorded."""
        places = zip(self.columns["family"].tolist(), self.columns["destination"].tolist(), strict=True)
        counted = map(Counts, *(self.columns[name].tolist() for name in COUNTS))
        for (family, destination), counts in zip(places, counted, strict=True):
            balances.add(family, destination, counts, -1)
