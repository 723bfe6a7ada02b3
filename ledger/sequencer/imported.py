"""What became of an import: of each row that it was recorded, repeats a record, or was rejected and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ledger.core.columns import Column, Numbers
from ledger.core.errors import RejectedRow
from ledger.core.form import Form
from ledger.rulebook.columns import Decisions, Rejection
from ledger.rulebook.sentences import contradiction_sentence
from ledger.store.sheet import Source
from schemas.words import Outcome, word

_KEPT: Final = ("sequence", "outcome", "date")
_COUNTED: Final = (Outcome.ADMITTED, Outcome.REFUSED, Outcome.BREACHED)


@dataclass
class Part:
    """Some rows of an import, decided. Its rows are numbered from 0 in the whole import."""

    start: int
    end: int
    rows: Numbers
    """Those that are recorded."""
    columns: Mapping[str, Column | Numbers]
    """The columns of `entry` for them; `_KEPT` alone once the ledger has the others."""
    duplicates: Sequence[tuple[int, int]]
    """Each row that repeats a record, with that one's sequence."""

    @property
    def is_forgotten(self) -> bool:
        """Whether the ledger alone has what was decided."""
        return len(self.columns) == len(_KEPT)

    def forget(self) -> None:
        """Keep no more of the columns than what is asked of recorded rows: a large import has many parts."""
        kept = {name: self.columns[name] for name in _KEPT}
        self.columns = {
            name: Column(column.values, column.codes.astype(np.int32)) if isinstance(column, Column) else column
            for name, column in kept.items()
        }


@dataclass
class ImportResult:
    """What became of an import, some rows after the other.

    In a dry run, or if the import failed, nothing is recorded and `batch` is None; sequences are then those that the
    records would have had.
    """

    sheets: Sequence[Source]
    parts: list[Part] = field(default_factory=list)
    faults: list[tuple[int, RejectedRow]] = field(default_factory=list)
    """Every fault with its row in the import, from 0, in order of rows: two of its files may have the same name."""
    is_given_up: bool = False
    """Whether so many rows were rejected that the rest was not looked at, nor all of their faults kept."""
    batch: int | None = None
    decided: str | None = None
    """The digest of the decisions, for whoever asked through the import API."""
    read_back: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The decisions of the recorded rows and of those repeated, by sequence, as the view `decisions` has them."""
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys((*map(word, _COUNTED), "rejected", "duplicates"), 0)
    )
    """How many rows became what."""

    @property
    def rows(self) -> int:
        """How many rows were decided."""
        return self.parts[-1].end if self.parts else 0

    def fails(self, skip_invalid: bool) -> bool:
        """Say if nothing of it is recorded because rows were rejected."""
        return self.is_given_up or (bool(self.faults) and not skip_invalid)

    @property
    def duplicates(self) -> list[tuple[int, int]]:
        """Each row that repeats a record, with that one's sequence."""
        return [duplicate for part in self.parts for duplicate in part.duplicates]

    @property
    def recorded(self) -> list[int]:
        """The rows that are recorded, or would have been."""
        return [row for part in self.parts for row in part.rows.tolist()]

    @property
    def rejected(self) -> list[RejectedRow]:
        """Every fault of every rejected row, in order of rows."""
        return [fault for _, fault in self.faults]

    def places(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Give, of some rows of the import, the files, from 0, and the rows there, from 1."""
        starts = np.cumsum([0, *(sheet.rows for sheet in self.sheets)])
        files = np.searchsorted(starts, rows, side="right") - 1
        there = rows - starts[files] + 1
        for number, sheet in enumerate(self.sheets):
            if sheet.lines is not None:
                of_file = files == number
                there[of_file] = np.array(sheet.lines, np.int64)[there[of_file] - 1]
        return files, there

    def place(self, row: int) -> tuple[int, int]:
        """Give, of a row of the import, the file, from 0, and the row there, from 1."""
        files, rows = self.places(np.array([row]))
        return int(files[0]), int(rows[0])

    def add(self, form: Form, decisions: Decisions, columns: Mapping[str, Column | Numbers]) -> Part:
        """Add the next rows, and what became of them; `columns` are those of `entry` for the recorded ones."""
        start, rows = self.rows, len(form)
        duplicates = [(row + start, sequence) for row, sequence in decisions.duplicates]
        part = Part(start, start + rows, decisions.row + start, columns, duplicates)
        self.parts.append(part)
        self.faults += self._faults(form, decisions, start)
        times = np.bincount(decisions.columns["outcome"], minlength=len(Outcome))
        for outcome in _COUNTED:
            self.counts[word(outcome)] += int(times[outcome])
        self.counts["duplicates"] += len(duplicates)
        self.counts["rejected"] += rows - len(decisions) - len(duplicates)
        return part

    def _faults(self, form: Form, decisions: Decisions, start: int) -> list[tuple[int, RejectedRow]]:
        """Gather every fault of every rejected row of some, in order of rows."""
        faults = [(fault.row, fault.field, fault.code, fault.message) for fault in form.faults]
        faults += [
            (rejection.row, rejection.field, rejection.code, _sentence(rejection, form))
            for rejection in decisions.rejections
        ]
        faults.sort(key=lambda fault: fault[0])
        files, rows = self.places(np.array([row for row, *_ in faults], np.int64) + start)
        return [
            (row + start, RejectedRow(self.sheets[file].file, there, form.given["reference"].item(row), *said))
            for (row, *said), file, there in zip(faults, files.tolist(), rows.tolist(), strict=True)
        ]


def _sentence(rejection: Rejection, form: Form) -> str:
    def given(name: str) -> str:
        return form.given[name].item(rejection.row) or ""

    return contradiction_sentence(rejection, given("reference"), given("under"), given(rejection.field))
