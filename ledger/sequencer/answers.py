"""What an import answers: a row for every row of its files, or for the rejected ones alone if it failed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, cast

import numpy as np

from ledger.core.columns import Column, Numbers, listed
from ledger.core.errors import QuotaledgerError, RejectedRow
from ledger.core.text import visible
from ledger.sequencer.desk import Desk
from ledger.sequencer.imported import ImportResult, Part
from ledger.store import answers as store
from ledger.store.sheet import Source
from schemas.words import Outcome

COLUMNS: Final = (
    *("row", "reference", "outcome", "duplicate", "basis", "limit_id", "tpp", "remaining_tpp", "account"),
    *("sequence", "message", "field", "code"),
)
"""The columns of a decision, in order; where an import has several files, `file` comes first."""

DECISION: Final = (
    *("sequence", "batch", "provider", "reference", "kind", "date", "recorded_at", "destination", "consignee"),
    *("family", "chip", "quantity", "tpp", "h100e", "basis", "outcome", "limit_id", "account", "remaining_tpp"),
    *("message", "under", "license_number", "expires", "evidence"),
)
"""The columns of the view `decisions` that say what a record is and what became of it."""
_YEAR: Final = 365
_OF_ENTRY: Final = (*("reference", "outcome", "basis", "limit_id", "tpp", "remaining_tpp", "account", "sequence"),)


def answer_columns(result: ImportResult) -> tuple[str, ...]:
    """Give the columns of an import's answers."""
    return ("file", *COLUMNS) if len(result.sheets) > 1 else COLUMNS


def whole_file_answers(
    sheets: Sequence[Source], rejected: Sequence[RejectedRow]
) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Give columns and answers of an import that failed because whole files cannot be read: a row for each."""
    names = ("file", *COLUMNS) if len(sheets) > 1 else COLUMNS
    said = ({"outcome": "rejected", "duplicate": False, **asdict(row)} for row in rejected)
    return names, [{name: answer.get(name) for name in names} for answer in said]


def answer_rows(desk: Desk, result: ImportResult, *, skip_invalid: bool) -> Iterator[dict[str, Any]]:
    """Give the answers in order of rows."""
    failed = bool(result.faults) and not skip_invalid
    names = answer_columns(result)
    rejected = dict(_rejected(result))
    for part in result.parts:
        found = {row: rejected[row] for row in range(part.start, part.end) if row in rejected} if rejected else {}
        if not failed:
            recorded = _recorded(desk, result, part)
            found |= dict(zip(part.rows.tolist(), recorded, strict=True))
            found |= _duplicates(desk, part, recorded)
        rows = sorted(found)
        files, rows_there = result.places(np.array(rows, np.int64))
        for row, file, row_there in zip(rows, files.tolist(), rows_there.tolist(), strict=True):
            answer = found[row] | {"file": result.sheets[file].file, "row": row_there}
            yield {name: answer.get(name) for name in names}


def read_back(desk: Desk, results: Sequence[ImportResult | QuotaledgerError]) -> None:
    """Read the decisions of small imports from the ledger, all by one question, and give each its own."""
    recorded = {
        id(result): {int(sequence) for part in result.parts for sequence in cast("Numbers", part.columns["sequence"])}
        | {sequence for _, sequence in result.duplicates}
        for result in results
        if isinstance(result, ImportResult) and result.batch is not None
    }
    if not recorded:
        return
    found = store.recorded_answers(desk.ledger.connection, set().union(*recorded.values()), DECISION)
    for result in results:
        if isinstance(result, ImportResult):
            result.read_back = {sequence: found[sequence] for sequence in recorded.get(id(result), ())}


def _recorded(desk: Desk, result: ImportResult, part: Part) -> list[dict[str, Any]]:
    """Give the decision of each row that is recorded, or would be: those in the ledger are read from there."""
    sequences = cast("Numbers", part.columns["sequence"]).tolist()
    if result.batch is not None:
        answers = store.recorded_answers(desk.ledger.connection, sequences, (*_OF_ENTRY, "message"))
        return [answers[sequence] | {"duplicate": False} for sequence in sequences]
    columns = {name: listed(part.columns[name]) for name in _OF_ENTRY}
    columns["message"] = store.messages(desk.ledger.connection, part.columns, desk.rulebook.digest)
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) | {"duplicate": False} for row in rows]


def _duplicates(desk: Desk, part: Part, recorded: Sequence[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Repeat the first decision of every duplicate, made by this import or an earlier one."""
    by_sequence = {answer["sequence"]: answer for answer in recorded} if part.duplicates else {}
    earlier = {sequence for _, sequence in part.duplicates} - by_sequence.keys()
    by_sequence |= store.recorded_answers(desk.ledger.connection, earlier, (*_OF_ENTRY, "message"))
    for row, sequence in part.duplicates:
        yield row, by_sequence[sequence] | {"duplicate": True}


def _rejected(result: ImportResult) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give a row's faults as one answer: the first gives column and code, the message has them all."""
    answers: dict[int, dict[str, Any]] = {}
    for row, rejected in result.faults:
        said = f"{rejected.field}: {rejected.message}" if rejected.field else rejected.message
        if row in answers:
            answers[row]["message"] += f"; {said}"
        else:
            answers[row] = {
                "reference": rejected.reference,
                "outcome": "rejected",
                "duplicate": False,
                "field": rejected.field,
                "code": rejected.code,
                "message": said,
            }
    yield from answers.items()


def far_ahead(desk: Desk, result: ImportResult) -> list[tuple[str, int, str]]:
    """Give file, row and day of the records dated after the rulebook's horizon and over a year after today."""
    after = max(desk.codebook.figures.horizon_end, desk.now.date().toordinal() + _YEAR)
    found = []
    for part in result.parts:
        dates = cast("Column", part.columns["date"])
        late = [code for code, day in enumerate(dates.values) if day and day.toordinal() > after]
        places = np.flatnonzero(np.isin(dates.codes, late))
        files, rows = result.places(part.rows[places])
        days = (dates.values[code].isoformat() for code in dates.codes[places])
        found += [(result.sheets[file].file, int(row), day) for file, row, day in zip(files, rows, days, strict=True)]
    return found


def notable(desk: Desk, result: ImportResult, most: int) -> tuple[list[str], int]:
    """Give the first refusals and breaches of an import, reference and sentence, and how many more there are.

    Only of one that did not fail: what it refused has no sentence, since nothing of it stands.
    """
    told: list[str] = []
    for part in result.parts:
        outcome = cast("Column", part.columns["outcome"])
        rows = np.flatnonzero(outcome.codes != Outcome.ADMITTED)[: most - len(told)]
        few = replace(part, rows=part.rows[rows], columns={name: column[rows] for name, column in part.columns.items()})
        answers = _recorded(desk, result, few) if len(rows) else ()
        told += [f"{visible(answer['reference'])}: {answer['message']}" for answer in answers]
    return told, result.counts["refused"] + result.counts["breached"] - len(told)
