"""What is done to a ledger: each operation foresees on the model what must come of it, and performs it for real."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Final, Protocol

from ledger.core.errors import InputRejected
from ledger.sequencer.adopting import adopt
from ledger.sequencer.answers import answer_rows
from ledger.sequencer.correcting import correct
from ledger.sequencer.desk import Desk
from ledger.sequencer.importing import import_sheets, record_sheet
from ledger.sequencer.registering import register_sheet
from ledger.sequencer.rotating import rotate
from ledger.store.file import KEY_SUFFIX, beside
from tests.harness import Answer, sheet
from tests.oracle.facts import Record
from tests.sequencer.test_against_oracle import Variant
from tests.simulator.model import Asked, Model, Row

REPEATED: Final = ("destination", "consignee", "chip", "basis", "under", "license_number")
"""What a corrected record has of the one before, of all that providers give here."""

_KEYS: Final = {
    "parties": ("party",),
    "authorizations": ("party", "basis", "destination", "valid_from"),
    "assurances": ("destination", "valid_from"),
    "chips": ("chip",),
}


@dataclass(frozen=True)
class Outcome:
    """What comes, or must come, of an operation; no `answers` say that the whole was turned away."""

    answers: list[Answer] | None
    recorded: bool = False


TURNED_AWAY: Final = Outcome(None)


class Operation(Protocol):
    """Something that a provider or the keeper of a ledger does."""

    def foresee(self, model: Model) -> Outcome:
        """Say what must come of it, and let the model have it."""

    def perform(self, desk: Desk) -> Outcome:
        """Do it, and say what came of it."""


@dataclass(frozen=True)
class Import:
    """A provider's file."""

    provider: str
    rows: Sequence[Asked]
    skip_invalid: bool = True
    dry_run: bool = False

    def foresee(self, model: Model) -> Outcome:
        """Decide the rows in their order, as if with --skip-invalid; keep that unless a row is rejected."""
        mark = model.mark()
        answers = model.answers(self.provider, self.rows)
        rejected = [answer for answer in answers if answer["outcome"] == "rejected"]
        failed = bool(rejected) and not self.skip_invalid
        new = len(model.oracle.history) - mark.records
        if failed or self.dry_run:
            model.go_back(mark)
            return Outcome(rejected if failed else answers)
        model.record(new)
        return Outcome(answers, recorded=True)

    def perform(self, desk: Desk) -> Outcome:
        """Import the file, as CSV like any other."""
        sheets = [record_sheet("rows.csv", _csv([row.given for row in self.rows]))]
        done = import_sheets(desk, self.provider, sheets, skip_invalid=self.skip_invalid, dry_run=self.dry_run)
        answers = list(answer_rows(desk, done, skip_invalid=self.skip_invalid))
        return Outcome(answers, done.batch is not None)

    def __str__(self) -> str:
        flags = f"{' --skip-invalid' * self.skip_invalid}{' --dry-run' * self.dry_run}"
        shown = [f"{row.given} {row.fault or ''}" for row in self.rows]
        return f"import by {self.provider}{flags}, {len(shown)} rows: {'; '.join(shown[:8])}{' ...' * (len(shown) > 8)}"


@dataclass(frozen=True)
class Correct:
    """A correction of a quantity."""

    provider: str
    reference: str
    quantity: int
    accept_refusal: bool = False
    dry_run: bool = False

    def foresee(self, model: Model) -> Outcome:
        """Take the record back and file it anew, if both can be."""
        old = model.find(self.provider, self.reference)
        if old is None or old.kind == "reversal" or old.outcome == "refused":
            return TURNED_AWAY
        if model.is_reversed(old):
            return self._again(model, old)
        if self.quantity == old.quantity:
            return Outcome([])
        undo, new = self._names(model)
        mark = model.mark()
        answers = model.answers(self.provider, self._rows(old, undo, new))
        outcomes = {answer["outcome"] for answer in answers}
        if "rejected" in outcomes or ("refused" in outcomes and not self.accept_refusal):
            model.go_back(mark)
            return TURNED_AWAY
        if self.dry_run:
            model.go_back(mark)
            return Outcome(answers)
        model.corrections[self.provider, self.reference] = (undo, new, self.quantity)
        model.record(len(answers))
        return Outcome(answers, recorded=True)

    def _again(self, model: Model, old: Record) -> Outcome:
        """The same correction once more is a duplicate, another one is told so."""
        *names, quantity = model.corrections.get((self.provider, self.reference), ("", "", 0))
        if quantity != self.quantity:
            return TURNED_AWAY
        return Outcome(model.answers(self.provider, self._rows(old, *map(str, names))))

    def _names(self, model: Model) -> tuple[str, str]:
        stem, _, version = self.reference.partition("/v")
        names = (f"{stem}/v{number}" for number in count(int(version or 1) + 1))
        return f"{self.reference}/undo", next(name for name in names if not model.find(self.provider, name))

    def _rows(self, old: Record, undo: str, new: str) -> list[Asked]:
        both = {"date": old.given["date"], "note": "typing error"}
        reversal = {"reference": undo, "kind": "reversal", "under": self.reference}
        repeated = {name: old.given[name] for name in REPEATED}
        again = {"reference": new, "kind": old.kind, "quantity": str(self.quantity)}
        return [Asked(reversal | both), Asked(again | repeated | both)]

    def perform(self, desk: Desk) -> Outcome:
        """Correct the record."""
        try:
            done = correct(
                desk,
                self.provider,
                self.reference,
                str(self.quantity),
                "typing error",
                accept_refusal=self.accept_refusal,
                dry_run=self.dry_run,
            )
        except InputRejected:
            return TURNED_AWAY
        return Outcome(list(done.answers), done.batch is not None)


@dataclass(frozen=True)
class Register:
    """Rows of a register, some of them perhaps impossible."""

    register: str
    rows: tuple[Row, ...]

    def foresee(self, model: Model) -> Outcome:
        """Append what is not so already, unless a row is impossible."""
        mark, new = model.mark(), 0
        for row in self.rows:
            if not _possible(model, self.register, row):
                model.go_back(mark)
                return TURNED_AWAY
            if _standing(model, self.register, row) == _said(row):
                continue
            new += 1
            model.oracle.register(self.register, row)
            if self.register == "chips":
                model.oracle.chips[row["chip"]] = int(row["tpp"]), row["class"]
        if new:
            model.record(new)
        return Outcome([], recorded=bool(new))

    def perform(self, desk: Desk) -> Outcome:
        """Register the rows."""
        try:
            done = register_sheet(desk, self.register, sheet(self.rows))
        except InputRejected:
            return TURNED_AWAY
        return Outcome([], done.batch is not None)


@dataclass(frozen=True)
class Adopt:
    """The adoption of another rulebook."""

    variant: Variant
    digest: str = field(repr=False)

    def foresee(self, model: Model) -> Outcome:
        """Put the rules in force, unless they are."""
        if self.digest == model.digest:
            return Outcome([])
        model.digest = self.digest
        model.oracle.adopt(self.variant.rules)
        model.record(1)
        return Outcome([], recorded=True)

    def perform(self, desk: Desk) -> Outcome:
        """Adopt the rulebook."""
        return Outcome([], adopt(desk, self.variant.rulebook(), "the rule has changed").batch is not None)


@dataclass(frozen=True)
class Rotate:
    """A change of the signing key; if it is lost, its file is gone before."""

    lost: bool = False

    def foresee(self, model: Model) -> Outcome:
        """Record one leaf besides the batch's; no answer changes."""
        if self.lost:
            model.lost.append(model.leaves)
        model.record(1)
        return Outcome([], recorded=True)

    def perform(self, desk: Desk) -> Outcome:
        """Change the key: this opens the ledger by itself, so it is closed here, and stays so."""
        path = desk.ledger.path
        desk.ledger.close()
        if self.lost:
            beside(path, KEY_SUFFIX).unlink()
        rotate(path, "the key is another one", "simulator", desk.now, lost=self.lost)
        return Outcome([], recorded=True)


def _csv(rows: Sequence[Row]) -> bytes:
    names = list(dict.fromkeys(("reference", "kind", "date", *(name for row in rows for name in row))))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _said(row: Row) -> Row:
    return {name: value for name, value in row.items() if value}


def _rows_of(model: Model, register: str) -> Iterator[Row]:
    return (row for of, row in reversed(model.oracle.registers.rows) if of == register)


def _standing(model: Model, register: str, row: Row) -> Row | None:
    """Give the row that stands under the same key."""
    key = [row.get(name, "") for name in _KEYS[register]]
    found = (other for other in _rows_of(model, register) if [other.get(name, "") for name in _KEYS[register]] == key)
    return next(map(_said, found), None)


def _possible(model: Model, register: str, row: Row) -> bool:
    """Say if a row can be registered: no cycle of parents, no UVEU outside tier 1, no other figures of a chip."""
    registers = model.oracle.registers
    parents = {of["party"]: of.get("parent", "") for of in reversed(list(_rows_of(model, "parties")))}
    if register == "parties":
        ancestor = row.get("parent", "")
        while ancestor and ancestor != row["party"] and ancestor in parents:
            ancestor = parents[ancestor]
        return not ancestor
    if register == "authorizations" and row["basis"] == "UVEU":
        headquarters = registers.headquarters(registers.family(row["party"]))
        return model.oracle.rules.tier(headquarters, date.fromisoformat(row["valid_from"])) == 1
    known = model.oracle.chips.get(row.get("chip", ""))
    return register != "chips" or known in (None, (int(row["tpp"]), row["class"]))
