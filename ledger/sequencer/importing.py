"""An import: files in, every row decided in order, and all of it recorded in one transaction or nothing."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ledger.core.columns import Column, Numbers, concatenate
from ledger.core.errors import InputRejected, RejectedRow
from ledger.core.form import Form, RowFault, parse_records
from ledger.core.text import Fault, normal
from ledger.rulebook.balances import Balances
from ledger.rulebook.columns import Decisions, Records, Rejection
from ledger.rulebook.fold import Fold
from ledger.rulebook.sentences import contradiction_sentence
from ledger.sequencer.desk import Desk
from ledger.sequencer.entries import entry_columns
from ledger.sequencer.references import number_references
from ledger.store import append
from ledger.store.sheets import WHOLE_FILE, Sheet, read_sheet
from schemas.record import ALWAYS, COLUMNS
from schemas.words import Outcome, word

PROVIDER_LENGTH_MAX = 128
_AT_ONCE: Final = 500_000
"""So many rows are decided while those before them are appended.

Fewer are inserted by one core alone: with 50,000 at a time an import of 1,000,000 took a third longer.
"""
_UNCOUNTED_MAX: Final = 1_000
"""So many rows that are not recorded are uncounted again, which is quicker than to read all accounts anew."""

Advanced = Callable[[int, int], None]
"""Told how many of how many rows are done."""


@dataclass(frozen=True)
class Part:
    """Some rows of an import, decided; `columns` are those of `entry` for the recorded rows, in order."""

    decisions: Decisions
    columns: dict[str, Column | Numbers]


@dataclass
class ImportResult:
    """What became of an import, some rows after the other.

    In a dry run, or if the import failed, nothing is recorded and `batch` is None; sequences are then those that the
    records would have had.
    """

    sheets: Sequence[Sheet]
    references: Column
    parts: list[Part] = field(default_factory=list)
    faults: list[tuple[int, RejectedRow]] = field(default_factory=list)
    """Every fault with its row in the import, from 0: two of its files may have the same name."""
    batch: int | None = None
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def duplicates(self) -> list[tuple[int, int]]:
        """Each row that repeats a record, with that one's sequence."""
        return [duplicate for part in self.parts for duplicate in part.decisions.duplicates]

    @property
    def recorded(self) -> list[int]:
        """The rows that are recorded, or would have been."""
        return [row for part in self.parts for row in part.decisions.row.tolist()]

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


def record_sheet(file: str, content: bytes) -> Sheet:
    """Read a file of records. A file that cannot be read has that fault; importing it raises InputRejected."""
    return read_sheet(file, content, COLUMNS, ALWAYS)


def import_sheets(
    desk: Desk,
    provider: str,
    sheets: Sequence[Sheet],
    *,
    skip_invalid: bool = False,
    dry_run: bool = False,
    advanced: Advanced | None = None,
) -> ImportResult:
    """Decide the rows of several files as one batch, and record it.

    Raises InputRejected, with nothing recorded, for a file that cannot be read at all and for a provider's name that
    cannot be. Rejected rows are no exception: they are in the result, and unless `skip_invalid` nothing is recorded.
    """
    provider = _provider(provider)
    unreadable = [fault for sheet in sheets for fault in _whole_file_faults(sheet)]
    if unreadable:
        raise InputRejected("nothing was recorded: a file cannot be read", unreadable)
    rows = sum(sheet.rows for sheet in sheets)
    with _uncollected():
        return _import(desk, provider, sheets, rows, skip_invalid, dry_run, advanced)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector away: a million rows make no cycles, and it would look at them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _import(
    desk: Desk,
    provider: str,
    sheets: Sequence[Sheet],
    rows: int,
    skip_invalid: bool,
    dry_run: bool,
    advanced: Advanced | None,
) -> ImportResult:
    """Decide and record rows that can be read."""
    form = _parse(desk, sheets, rows)
    result, balances = ImportResult(sheets, form.given["reference"]), desk.balances()
    parts = _decided(desk, provider, form, balances, result, advanced)
    if not rows or dry_run or desk.ledger.in_transaction or (form.faults and not skip_invalid):
        # All is decided first where nothing will be recorded, or could not be taken back alone.
        parts = iter(list(parts))
        _conclude(result, form)
        if not rows or dry_run or (result.rejected and not skip_invalid):
            if rows <= _UNCOUNTED_MAX:
                for part in result.parts:
                    part.decisions.uncount(balances)
                desk.keep(desk.head(), balances)
            return result
    with suppress(_Rejected), desk.ledger.transaction():
        with append.Appending(desk.ledger, desk.head(), desk.batch("import", rows, provider)) as appending:
            for part in parts:
                appending.add(part.columns)
            _conclude(result, form)
            if result.rejected and not skip_invalid:
                raise _Rejected
            files = [(sheet.file, sheet.sha256, sheet.rows) for sheet in sheets]
            head = appending.close(result.counts, files)
        result.batch = head.batch
        desk.keep(head, balances)
    return result


class _Rejected(Exception):
    """A row was rejected after others were appended, which takes all of them back."""


def _decided(
    desk: Desk, provider: str, form: Form, balances: Balances, result: ImportResult, advanced: Advanced | None
) -> Iterator[Part]:
    """Decide some rows at a time, in order, and keep what became of them in the result."""
    references = number_references(desk, provider, form)
    records = Records.of_form(form, references.reference, references.content, references.under)
    fold = Fold(desk.codebook, balances, references.standings, references.named, desk.head().sequence + 1)
    rows = len(form)

    def told(done: int) -> None:
        if advanced:
            advanced(done, rows)

    for start in range(0, rows, _AT_ONCE):
        decisions = fold.run(records.part(start, start + _AT_ONCE), start, told)
        part = Part(decisions, entry_columns(desk.codebook, provider, form, decisions, *result.places(decisions.row)))
        result.parts.append(part)
        yield part


def _provider(name: str) -> str:
    text = normal(name)
    if isinstance(text, Fault):
        raise InputRejected(f"the provider's name cannot be used: {text.message}")
    if not text or len(text) > PROVIDER_LENGTH_MAX:
        raise InputRejected(f"the provider's name needs 1 to {PROVIDER_LENGTH_MAX} characters; give --provider NAME")
    return text


def _whole_file_faults(sheet: Sheet) -> list[RejectedRow]:
    return [
        RejectedRow(sheet.file, None, None, fault.field, fault.code, fault.message)
        for fault in sheet.faults
        if fault.row == WHOLE_FILE
    ]


def _parse(desk: Desk, sheets: Sequence[Sheet], rows: int) -> Form:
    """Understand all files as one run of rows; rows that are no rows have that fault alone."""
    columns = {
        name: concatenate([sheet.columns.get(name) or Column.blank(sheet.rows) for sheet in sheets])
        for name in COLUMNS
        if any(name in sheet.columns for sheet in sheets)
    }
    form = parse_records(columns, rows, desk.vocabulary)
    start = 0
    broken: dict[int, RowFault] = {}
    for sheet in sheets:
        broken |= {fault.row + start: fault for fault in sheet.faults}
        start += sheet.rows
    if broken:
        form.malformed[list(broken)] = True
        form.faults = [fault for fault in form.faults if fault.row not in broken]
        form.faults += [RowFault(row, fault.field, fault.code, fault.message) for row, fault in broken.items()]
    return form


def _conclude(result: ImportResult, form: Form) -> None:
    """Say of all rows, once they are decided, what is wrong and how many became what."""
    result.faults = _faults(result, form)
    result.counts = _counts(result, len(form))


def _faults(result: ImportResult, form: Form) -> list[tuple[int, RejectedRow]]:
    """Gather every fault of every rejected row, in order of rows."""

    def rejected(row: int, field: str, code: str, message: str) -> tuple[int, RejectedRow]:
        file, row_there = result.place(row)
        reference = result.references.item(row)
        return row, RejectedRow(result.sheets[file].file, row_there, reference, field, code, message)

    found = [rejected(fault.row, fault.field, fault.code, fault.message) for fault in form.faults]
    found += [
        rejected(rejection.row, rejection.field, rejection.code, _sentence(rejection, form))
        for part in result.parts
        for rejection in part.decisions.rejections
    ]
    return sorted(found, key=lambda item: item[0])


def _sentence(rejection: Rejection, form: Form) -> str:
    def given(name: str) -> str:
        return form.given[name].item(rejection.row) or ""

    return contradiction_sentence(rejection, given("reference"), given("under"), given(rejection.field))


def _counts(result: ImportResult, rows: int) -> dict[str, int]:
    outcomes = (part.decisions.columns["outcome"] for part in result.parts)
    times = sum((np.bincount(found, minlength=len(Outcome)) for found in outcomes), np.zeros(len(Outcome), np.int64))
    counts = {word(outcome): int(times[outcome]) for outcome in (Outcome.ADMITTED, Outcome.REFUSED, Outcome.BREACHED)}
    duplicates = len(result.duplicates)
    return counts | {"rejected": rows - sum(counts.values()) - duplicates, "duplicates": duplicates}
