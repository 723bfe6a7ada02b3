"""Every decision derived again, from the records and from registers and rulebooks as they stood.

The one fold decides, as when the records were imported; a hash shows that nothing has changed since it was sealed, this
shows that what was sealed is what the rule gives.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ledger.core.columns import ABSENT, Column, Numbers
from ledger.core.errors import VerificationFailed
from ledger.core.form import Form, Vocabulary, parse_records
from ledger.rulebook.balances import Balances
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import Decisions, Records
from ledger.rulebook.fold import Fold
from ledger.rulebook.registers import Registers
from ledger.rulebook.rulebook import Rulebook
from ledger.rulebook.sentences import contradiction_sentence
from ledger.sequencer.desk import vocabulary
from ledger.sequencer.entries import entry_columns
from ledger.store import read, replay
from ledger.store.blame import named
from ledger.store.query import first
from ledger.store.seeds import country_names, parse_rulebook
from schemas.record import COLUMNS

_AT_ONCE: Final = 250_000
"""Records that are decided together; those that name earlier ones make it read the ledger once for so many."""
_SHOWN_MAX: Final = 4
_WHY: Final = (
    "whoever recorded it did not apply the rule, a later version of quotaledger decides otherwise, or the ledger was"
    " sealed again with its own key after a change; `quotaledger explain` tells more"
)
_STATED: Final = ("destination", "consignee", "chip", "quantity", "basis")
Columns = Mapping[str, Column | Numbers]


@dataclass
class _Knowledge:
    """What the decisions of some records knew."""

    registers: Registers
    rulebook: Rulebook
    codebook: Codebook
    vocabulary: Vocabulary
    balances: Balances


def rederived(connection: read.Connection) -> Iterator[int]:
    """Derive every decision again, telling after some at a time how many.

    Raises VerificationFailed for the first that differs. It relies on rows being numbered as they should.
    """
    replay.check_names(connection)
    known: _Knowledge | None = None
    applied = 0
    for start, end, before_leaf, stored in _read_ahead(connection):
        if known is None or before_leaf != applied:
            known = _learned(connection, known, applied, before_leaf, start)
            applied = before_leaf
        _decide_again(connection, known, start, end, stored)
        yield end - start


def _read_ahead(connection: read.Connection) -> Iterator[tuple[int, int, int, Columns]]:
    """Give the records in order, some at a time: while those are decided, the next ones are read.

    Of each lot, its first sequence, the one behind its last, the leaf before which everything is what its decisions
    knew, and the columns.
    """
    lots = [
        (at, min(at + _AT_ONCE, last + 1), before_leaf)
        for start, last, before_leaf in replay.segments(connection)
        for at in range(start, last + 1, _AT_ONCE)
    ]
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as reader:
        reading = [reader.submit(replay.recorded, cursor, start, end) for start, end, _ in lots[:1]]
        for place, lot in enumerate(lots):
            stored = reading.pop().result()
            reading += [reader.submit(replay.recorded, cursor, start, end) for start, end, _ in lots[place + 1 :][:1]]
            yield *lot, stored


def _learned(
    connection: read.Connection, known: _Knowledge | None, applied: int, before_leaf: int, next_sequence: int
) -> _Knowledge:
    """Give what the next decisions know: `applied` is the leaf up to which that was known before."""
    registers = (known.registers if known else Registers()).with_rows(
        read.register_rows(connection, applied, before_leaf)
    )
    changed = first(
        connection, "SELECT 1 FROM rulebook_row WHERE leaf >= ? AND leaf < ? LIMIT 1", [applied, before_leaf]
    )
    rulebook = known.rulebook if known and not changed else parse_rulebook(read.rulebook_texts(connection, before_leaf))
    codebook = Codebook(rulebook, registers, tuple(country_names()))
    # Accounts go by numbers, which stay; only where families are others now must they be counted anew.
    if known and codebook.families[: len(known.codebook.families)] == known.codebook.families:
        balances = known.balances
    else:
        balances = read.balances(connection, codebook, next_sequence)
    return _Knowledge(registers, rulebook, codebook, vocabulary(codebook), balances)


def _decide_again(connection: read.Connection, known: _Knowledge, start: int, end: int, stored: Columns) -> None:
    """Decide the records from a sequence to before another, and hold what was recorded against that."""
    given = {name: stored[f"stated_{name}" if name in _STATED else name] for name in COLUMNS}
    form = parse_records({name: _given(column) for name, column in given.items()}, end - start, known.vocabulary)
    records, standings = _records(connection, known.codebook, form, stored["under_sequence"], start)  # type: ignore[arg-type]
    named_here = frozenset(np.flatnonzero(np.bincount(records.under[records.under >= 0], minlength=1)).tolist())
    decisions = Fold(known.codebook, known.balances, standings, named_here, start).run(records)
    derived = entry_columns(known.codebook, "", form, decisions, decisions.row, decisions.row)
    row, why = _first_difference(form, decisions, stored, derived)
    if row is not None:
        where = f"record {start + row:,}"
        leaf = first(connection, "SELECT leaf FROM entry WHERE sequence = ?", [start + row])
        if leaf:
            where = named(connection, "decision", leaf[0])
        raise VerificationFailed(f"{where} {why}: {_WHY}")


def _given(column: Column | Numbers) -> Column:
    """Give a column as a file would: numbers, too, as their distinct values."""
    if isinstance(column, Column):
        return column
    values, codes = np.unique(column, return_inverse=True)
    return Column([None if value == ABSENT else value for value in values.tolist()], codes)


def _records(
    connection: read.Connection, codebook: Codebook, form: Form, under: Numbers, start: int
) -> tuple[Records, dict[int, Any]]:
    """Give the records as the fold wants them, and how those that they name before them stood.

    References are numbered by sequence; what is before these records comes behind them.
    """
    rows = len(form)
    earlier = np.unique(under[(under != ABSENT) & (under < start)])
    found = read.standings(connection, codebook, earlier.tolist(), start)
    standings = {rows + place: found[sequence] for place, sequence in enumerate(earlier.tolist())}
    local = np.where(under >= start, under - start, rows + np.searchsorted(earlier, under))
    itself = np.arange(rows, dtype=np.int64)
    records = Records.of_form(form, itself, itself, np.where(under == ABSENT, ABSENT, local))
    return records, standings


def _first_difference(form: Form, decisions: Decisions, stored: Columns, derived: Columns) -> tuple[int | None, str]:
    """Give the first row that is recorded with another decision than this, and how it differs; None if none is."""
    reasons = {fault.row: f"could not have been recorded ({fault.field}: {fault.message})" for fault in form.faults[:1]}
    if decisions.rejections:
        rejection = min(decisions.rejections, key=lambda rejection: rejection.row)
        said = {name: str(_item(form.given[name], rejection.row)) for name in ("reference", "under", rejection.field)}
        sentence = contradiction_sentence(rejection, said["reference"], said["under"], said[rejection.field])
        reasons.setdefault(rejection.row, f"could not have been recorded ({sentence})")
    compared = [name for name in replay.COLUMNS if name != "reference"]
    masks = {name: _differs(stored[name], derived[name], decisions.row) for name in compared}
    wrong = np.flatnonzero(np.logical_or.reduce(list(masks.values())))
    if len(wrong):
        place = int(wrong[0])
        row = int(decisions.row[place])
        said_so = [
            f"{name} {_item(stored[name], row)} (again: {_item(derived[name], place)})"
            for name in compared
            if masks[name][place]
        ]
        more = f" and {len(said_so) - _SHOWN_MAX} more columns" if len(said_so) > _SHOWN_MAX else ""
        reasons[row] = (
            f"is recorded with another decision than its own history gives: {', '.join(said_so[:_SHOWN_MAX])}{more}"
        )
    return (min(reasons), reasons[min(reasons)]) if reasons else (None, "")


def _differs(stored: Column | Numbers, derived: Column | Numbers, rows: Numbers) -> Any:
    """Say of each decided row whether a column is recorded otherwise."""
    if isinstance(stored, Column) and isinstance(derived, Column):
        numbers: dict[Any, int] = {}
        tables = [[numbers.setdefault(value, len(numbers)) for value in column.values] for column in (stored, derived)]
        return stored.numbers(tables[0])[rows] != derived.numbers(tables[1])
    return stored[rows] != derived


def _item(column: Column | Numbers, row: int) -> Any:
    value = column.item(row) if isinstance(column, Column) else int(column[row])
    return "blank" if value is None or (not isinstance(column, Column) and value == ABSENT) else value
