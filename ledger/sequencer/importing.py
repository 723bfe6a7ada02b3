"""An import: files in, every row decided in order, and all of it recorded in one transaction or nothing."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Final

from ledger.core.errors import InputRejected
from ledger.core.text import Fault, normal
from ledger.rulebook.columns import Decisions, Records
from ledger.rulebook.fold import Fold
from ledger.sequencer.desk import Desk
from ledger.sequencer.entries import entry_columns
from ledger.sequencer.imported import ImportResult, Part
from ledger.sequencer.lots import Lot, lots
from ledger.sequencer.references import Ask, Seen, number_references
from ledger.store import append
from ledger.store.sheet import ALL_ROWS, Content, Sheet, Source
from ledger.store.sheets import SheetFile, read_sheet
from schemas.record import ALWAYS, COLUMNS

PROVIDER_LENGTH_MAX = 128
_AT_ONCE: Final = 2 * 122_880
"""So many rows are decided while those before them are appended.

They are two row groups of DuckDB, which writes whole ones once and others again.
"""
_UNCOUNTED_MAX: Final = 1_000
"""So many rows that are not recorded are uncounted again, which is quicker than to read all accounts anew."""

Advanced = Callable[[int, int], None]
"""Told how many of how many rows are done."""


def record_sheet(file: str, content: bytes) -> Sheet:
    """Read a file of records. A file that cannot be read has that fault; importing it raises InputRejected."""
    return read_sheet(file, content, COLUMNS, ALWAYS)


def record_file(file: str, content: Content) -> SheetFile:
    """Open a file of records, which is read while it is imported. One that cannot be read raises InputRejected then."""
    return SheetFile(file, content, COLUMNS, ALWAYS)


def import_sheets(
    desk: Desk,
    provider: str,
    sheets: Sequence[Source],
    *,
    skip_invalid: bool = False,
    dry_run: bool = False,
    advanced: Advanced | None = None,
) -> ImportResult:
    """Decide the rows of several files as one batch, and record it.

    Raises InputRejected, with nothing recorded, for a file that cannot be read at all and for a provider's name that
    cannot be. Rejected rows are no exception: they are in the result, and unless `skip_invalid` nothing is recorded.
    A dry run, and an import within a transaction, has all rows in memory; any other one those of a few lots.
    """
    provider = _provider(provider)
    at_once = ALL_ROWS if dry_run or desk.ledger.in_transaction else _AT_ONCE
    with _uncollected():
        coming = lots(sheets, at_once)
        importing = _Import(desk, provider, sheets, advanced)
        first = next(coming)
        if first.last:
            return importing.of_one_lot(first, skip_invalid=skip_invalid, dry_run=dry_run)
        return importing.of_lots(chain([first], coming), skip_invalid=skip_invalid)


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


def _provider(name: str) -> str:
    text = normal(name)
    if isinstance(text, Fault):
        raise InputRejected(f"the provider's name cannot be used: {text.message}")
    if not text or len(text) > PROVIDER_LENGTH_MAX:
        raise InputRejected(f"the provider's name needs 1 to {PROVIDER_LENGTH_MAX} characters; give --provider NAME")
    return text


class _Rejected(Exception):
    """A row was rejected after others were appended, which takes all of them back."""


class _Import:
    """One import on its way: the balances as the rows decided so far leave them, and what became of those."""

    def __init__(self, desk: Desk, provider: str, sheets: Sequence[Source], advanced: Advanced | None) -> None:
        self._desk, self._provider, self._sheets, self._advanced = desk, provider, sheets, advanced
        self._result, self._balances = ImportResult(sheets), desk.balances()
        self._next_sequence = desk.head().sequence + 1
        self._seen = Seen()

    def of_one_lot(self, lot: Lot, *, skip_invalid: bool, dry_run: bool) -> ImportResult:
        """Decide all rows, and append them if they are to be recorded: nothing need be taken back."""
        result, desk = self._result, self._desk
        part, decisions = self._decide(lot, lambda question: question())
        if not result.rows or dry_run or (result.faults and not skip_invalid):
            if result.rows <= _UNCOUNTED_MAX:
                decisions.uncount(self._balances)
                desk.keep(desk.head(), self._balances)
            return result
        with desk.ledger.transaction(), self._appending() as appending:
            self._append(appending, part)
            self._close(appending)
        return result

    def of_lots(self, coming: Iterator[Lot], *, skip_invalid: bool) -> ImportResult:
        """Append some rows while the next are decided; one that is rejected takes all of them back."""
        result = self._result
        with suppress(_Rejected), self._desk.ledger.transaction(), self._appending() as appending:
            for lot in coming:
                part, _ = self._decide(lot, appending.ask)
                self._append(appending, part, sealed=skip_invalid or not result.faults)
            if result.faults and not skip_invalid:
                raise _Rejected
            self._close(appending)
        return result

    def _decide(self, lot: Lot, ask: Ask) -> tuple[Part, Decisions]:
        """Decide some rows, in order, and keep what became of them in the result."""
        desk, start = self._desk, self._result.rows
        form = lot.form(desk.vocabulary)
        references = number_references(desk, self._provider, form, self._seen, ask)
        records = Records.of_form(form, references.reference, references.content, references.under)
        fold = Fold(desk.codebook, self._balances, references.standings, references.named, self._next_sequence)
        decisions = fold.run(records, lambda done: self._told(start + done))
        self._next_sequence += len(decisions)
        places = self._result.places(decisions.row + start)
        columns = entry_columns(desk.codebook, self._provider, form, decisions, *places)
        return self._result.add(form, decisions, columns), decisions

    def _told(self, done: int) -> None:
        if self._advanced:
            self._advanced(done, max(done, sum(sheet.rows_expected for sheet in self._sheets)))

    def _appending(self) -> append.Appending:
        batch = self._desk.batch("import", 0, self._provider)
        return append.Appending(self._desk.ledger, self._desk.head(), batch)

    def _append(self, appending: append.Appending, part: Part, *, sealed: bool = True) -> None:
        appending.add(part.columns, sealed=sealed)
        part.forget()

    def _close(self, appending: append.Appending) -> None:
        files = [(sheet.file, sheet.sha256, sheet.rows) for sheet in self._sheets]
        head = appending.close(self._result.counts | {"records": self._result.rows}, files)
        self._result.batch = head.batch
        self._desk.keep(head, self._balances)
