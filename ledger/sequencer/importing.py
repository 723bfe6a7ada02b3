"""An import: files in, every row decided in order, and all of it recorded in one transaction or nothing."""

import gc
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Final, cast

import numpy as np

from ledger.core.columns import Column
from ledger.core.errors import PreconditionFailed
from ledger.core.names import provider_name
from ledger.rulebook.columns import Decisions, Records
from ledger.rulebook.fold import Fold
from ledger.sequencer.decided import Decided
from ledger.sequencer.desk import Desk
from ledger.sequencer.entries import entry_columns
from ledger.sequencer.imported import ImportResult, Part
from ledger.sequencer.lots import Lot, lots
from ledger.sequencer.permitting import Guard
from ledger.sequencer.references import Ask, Seen, number_references
from ledger.store import append
from ledger.store.sheet import ALL_ROWS, Content, Sheet, Source
from ledger.store.sheets import SheetFile, read_sheet
from schemas.record import ALWAYS, COLUMNS

_AT_ONCE: Final = 2 * 122_880
"""So many rows are decided while those before them are appended.

They are two row groups of DuckDB, which writes whole ones once and others again.
"""
_FEW: Final = 1_000
"""So many rows that are not recorded are uncounted again, which is quicker than to read all accounts anew; and of so
many that are, the decisions are kept at hand."""

REJECTED_MAX: Final = 1_000_000
"""An import of which more rows are rejected is given up: their faults are in memory."""

Advanced = Callable[[int, int], None]
"""Told how many of how many rows are done."""


@dataclass(frozen=True)
class Asked:
    """A request that an import answers, kept with it: whoever repeats the request is given the same answer."""

    request: str
    """Its id, under which the answer is found."""
    sha256: str
    """Of what was asked for and sent, hex: what a repetition must have in common with it."""
    idempotency_key: str | None = None
    expected: str | None = None
    """What a dry run gave as `decided`: nothing is recorded unless the decisions are those."""


def record_sheet(file: str, content: bytes) -> Sheet:
    """Read a file of records. A file that cannot be read has that fault; importing it raises InputRejected."""
    return read_sheet(file, content, COLUMNS, ALWAYS)


def record_file(file: str, content: Content, rows_max: int | None = None) -> SheetFile:
    """Open a file of records, which is read while it is imported.

    One that cannot be read, or has more rows than it may, raises InputRejected then. `rows_max` is of a stranger's.
    """
    return SheetFile(file, content, COLUMNS, ALWAYS, rows_max)


def import_sheets(
    desk: Desk,
    provider: str,
    sheets: Sequence[Source],
    *,
    skip_invalid: bool = False,
    dry_run: bool = False,
    asked: Asked | None = None,
    guard: Guard | None = None,
    advanced: Advanced | None = None,
    rejected_max: int = REJECTED_MAX,
) -> ImportResult:
    """Decide the rows of several files as one batch, and record it.

    Raises InputRejected, with nothing recorded, for a file that cannot be read at all and for a provider's name that
    cannot be. Rejected rows are no exception: they are in the result, and unless `skip_invalid` nothing is recorded;
    nor is it when they are more than `rejected_max`, after which no more are read.
    Raises PreconditionFailed, likewise, if decisions are not those that whoever `asked` expected.
    A dry run, and an import within a transaction, has all rows in memory; any other one those of a few lots.
    """
    provider = provider_name(provider)
    at_once = ALL_ROWS if dry_run or desk.ledger.in_transaction else _AT_ONCE
    with _uncollected() if sum(sheet.rows_expected for sheet in sheets) > _FEW else nullcontext():
        coming = lots(sheets, at_once)
        first = next(coming)  # of a file that cannot be read, before anything is taken from the desk
        importing = _Import(desk, provider, sheets, advanced, asked, guard, rejected_max)
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


class _Rejected(Exception):
    """A row was rejected after others were appended, which takes all of them back."""


class _Import:
    """One import on its way: the balances as the rows decided so far leave them, and what became of those."""

    def __init__(
        self,
        desk: Desk,
        provider: str,
        sheets: Sequence[Source],
        advanced: Advanced | None,
        asked: Asked | None,
        guard: Guard | None,
        rejected_max: int,
    ) -> None:
        self._desk, self._provider, self._sheets, self._advanced = desk, provider, sheets, advanced
        self._rejected_max = rejected_max
        self._guard, self._filed_for = guard, set[str]()
        self._asked, self._decided = asked, Decided(asked.sha256) if asked else None
        self._result, self._balances = ImportResult(sheets), desk.balances()
        self._next_sequence = desk.head().sequence + 1
        self._seen = Seen()

    def of_one_lot(self, lot: Lot, *, skip_invalid: bool, dry_run: bool) -> ImportResult:
        """Decide all rows, and append them if they are to be recorded: nothing need be taken back."""
        result, desk = self._result, self._desk
        part, decisions = self._decide(lot, lambda question: question())
        unexpected = self._unexpected()
        if not result.rows or dry_run or result.fails(skip_invalid) or unexpected:
            if result.rows <= _FEW:
                decisions.uncount(self._balances)
                desk.keep(desk.head(), self._balances)
            if unexpected and not dry_run:
                raise unexpected
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
                if result.is_given_up:
                    raise _Rejected
                self._append(appending, part, sealed=not result.fails(skip_invalid))
            if result.fails(skip_invalid):
                raise _Rejected
            if unexpected := self._unexpected():
                raise unexpected
            self._close(appending)
        return result

    def _decide(self, lot: Lot, ask: Ask) -> tuple[Part, Decisions]:
        """Decide some rows, in order, and keep what became of them in the result."""
        desk, start = self._desk, self._result.rows
        form = lot.form(desk.vocabulary, self._rejected_max)
        if self._guard:
            self._guard.check(desk, self._provider, form)
        references = number_references(desk, self._provider, form, self._seen, ask)
        records = Records.of_form(form, references.reference, references.content, references.under)
        fold = Fold(desk.codebook, self._balances, references.standings, references.named, self._next_sequence)
        decisions = fold.run(records, lambda done: self._told(start + done))
        self._next_sequence += len(decisions)
        places = self._result.places(decisions.row + start)
        columns = entry_columns(desk.codebook, self._provider, form, decisions, *places)
        part = self._result.add(form, decisions, columns)
        if self._decided:
            self._decided.add(part)
        self._result.is_given_up = self._result.counts["rejected"] > self._rejected_max
        return part, decisions

    def _unexpected(self) -> PreconditionFailed | None:
        """Say what was decided; give what is to be raised if that is other than whoever asked expects."""
        if not self._asked or not self._decided:
            return None
        self._result.decided = self._decided.digest(self._result)
        if self._asked.expected in (None, self._result.decided):
            return None
        return PreconditionFailed(
            "the decisions would not be those of the dry run: accounts, registers or the rulebook have changed since,"
            " or the token is another file's; nothing was recorded, look at a new dry run"
        )

    def _told(self, done: int) -> None:
        if self._advanced:
            self._advanced(done, max(done, sum(sheet.rows_expected for sheet in self._sheets)))

    def _appending(self) -> append.Appending:
        batch = self._desk.batch("import", 0, self._provider)
        return append.Appending(self._desk.ledger, self._desk.head(), batch)

    def _append(self, appending: append.Appending, part: Part, *, sealed: bool = True) -> None:
        appending.add(part.columns, sealed=sealed)
        if self._guard:
            consignees = cast("Column", part.columns["consignee"])
            self._filed_for.update(consignees.values[code] for code in np.unique(consignees.codes))
        if len(part.rows) > _FEW:
            part.forget()

    def _close(self, appending: append.Appending) -> None:
        files = [(sheet.file, sheet.sha256, sheet.rows) for sheet in self._sheets]
        requests = [_request_row(self._asked, self._provider, self._result)] if self._asked else []
        head = appending.close(self._result.counts | {"records": self._result.rows}, files, requests)
        self._result.batch = head.batch
        self._desk.keep(head, self._balances)
        for party in self._filed_for:
            self._desk.filers.setdefault(party, set()).add(self._provider)


def _request_row(asked: Asked, provider: str, result: ImportResult) -> append.LeafRow:
    """Give what is kept of a request: besides what was recorded, each row that was not."""
    unrecorded = [{"row": row + 1, "sequence": sequence} for row, sequence in result.duplicates]
    unrecorded += [
        {name: value for name, value in asdict(fault).items() if name != "file"} for fault in result.rejected
    ]
    values = {
        "request": asked.request,
        "provider": provider,
        "idempotency_key": asked.idempotency_key,
        "sha256": asked.sha256,
        "unrecorded": json.dumps(unrecorded, ensure_ascii=False) if unrecorded else None,
    }
    return append.LeafRow("request", values)
