"""An import's files as lots of rows: a file is decided some rows at a time, and so may be larger than memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.core.columns import Column, concatenate
from ledger.core.errors import InputRejected, RejectedRow
from ledger.core.form import Form, RowFault, Vocabulary, parse_records
from ledger.store.sheet import FileFault, Sheet, Source
from schemas.record import COLUMNS


@dataclass(frozen=True, slots=True)
class Lot:
    """Rows that follow one another in an import's files."""

    sheets: Sequence[Sheet]
    last: bool

    def form(self, vocabulary: Vocabulary, listed: int) -> Form:
        """Understand the rows; rows that are no rows have that fault alone. So many that have faults are `listed`."""
        rows = sum(sheet.rows for sheet in self.sheets)
        columns = {
            name: concatenate([sheet.columns.get(name) or Column.blank(sheet.rows) for sheet in self.sheets])
            for name in COLUMNS
            if any(name in sheet.columns for sheet in self.sheets)
        }
        form = parse_records(columns, rows, vocabulary, listed)
        start = 0
        broken: dict[int, RowFault] = {}
        for sheet in self.sheets:
            broken |= {fault.row + start: fault for fault in sheet.faults}
            start += sheet.rows
        if broken:
            form.malformed[list(broken)] = True
            form.faults = [fault for fault in form.faults if fault.row not in broken]
            form.faults += [RowFault(row, fault.field, fault.code, fault.message) for row, fault in broken.items()]
        return form


def lots(sources: Sequence[Source], rows: int) -> Iterator[Lot]:
    """Read files as lots of so many rows, or fewer; at least one.

    Raises InputRejected at the end, with all of them, if files cannot be read; after the first of them no lot comes.
    """
    waiting: list[Sheet] = []
    unreadable: list[RejectedRow] = []
    for source in sources:
        try:
            for part in source.parts(rows):
                if unreadable:
                    continue
                if waiting and sum(sheet.rows for sheet in waiting) + part.rows > rows:
                    yield Lot(waiting, last=False)
                    waiting = []
                waiting.append(part)
        except FileFault as error:
            unreadable.append(RejectedRow(source.file, None, None, error.column, error.code, str(error)))
    if unreadable:
        raise InputRejected("nothing was recorded: a file cannot be read", unreadable)
    yield Lot(waiting, last=True)
