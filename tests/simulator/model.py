"""What a ledger must come to: the second implementation's history, and how many batches and leaves there must be."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from tests.harness import Answer
from tests.oracle.facts import Record, same
from tests.oracle.oracle import Oracle, Rules

Row = dict[str, str]


@dataclass(frozen=True)
class Asked:
    """A row of a provider's file; `fault` is the column and the code of what is wrong with its form, if anything is."""

    given: Row
    fault: tuple[str, str] | None = None


@dataclass(frozen=True)
class Mark:
    """Where a model stood."""

    records: int
    register_rows: int
    rules: Rules
    values: Mapping[str, Any]


@dataclass
class Model:
    """The oracle, with what it has no notion of."""

    oracle: Oracle
    digest: str
    batches: int = 0
    leaves: int = 0
    corrections: dict[tuple[str, str], tuple[str, str, int]] = field(default_factory=dict)
    """Of a corrected record, the references of the two that corrected it, and the quantity."""
    lost: list[int] = field(default_factory=list)
    """Leaves that put a key in use when the one before was lost."""
    messages: dict[int, str] = field(default_factory=dict)
    """The sentence of every decision that a provider was told, by sequence."""

    def mark(self) -> Mark:
        """Remember where the model stands, to go back there."""
        values = {name: copy(getattr(self, name)) for name in ("digest", "batches", "leaves", "corrections", "lost")}
        values["chips"] = dict(self.oracle.chips)
        return Mark(len(self.oracle.history), len(self.oracle.registers.rows), self.oracle.rules, values)

    def go_back(self, mark: Mark) -> None:
        """Forget everything since a mark."""
        del self.oracle.history[mark.records :]
        del self.oracle.registers.rows[mark.register_rows :]
        self.oracle.adopt(mark.rules)
        for name, value in mark.values.items():
            setattr(self.oracle if name == "chips" else self, name, copy(value))

    def record(self, leaves: int) -> None:
        """Count a batch of so many leaves besides its own."""
        self.batches += 1
        self.leaves += leaves + 1

    def answers(self, provider: str, rows: Sequence[Asked]) -> list[Answer]:
        """Decide rows one at a time; the history has them from now on."""
        return [self._answer(provider, row, number) for number, row in enumerate(rows, 1)]

    def _answer(self, provider: str, row: Asked, number: int) -> Answer:
        if row.fault:
            name, code = row.fault
            said = {"outcome": "rejected", "duplicate": False, "field": name, "code": code}
            return {"row": number, "reference": row.given["reference"], **said}
        return self.oracle.submit(provider, [row.given])[0] | {"row": number}

    def find(self, provider: str, reference: str) -> Record | None:
        """Give a provider's record."""
        wanted = (r for r in self.oracle.history if (r.provider, r.given["reference"]) == (provider, reference))
        return next(wanted, None)

    def is_reversed(self, record: Record) -> bool:
        """Say if a record was taken back."""
        return any(r.kind == "reversal" and r.target and same(r.target, record) for r in self.oracle.history)
