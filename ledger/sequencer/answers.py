"""What an import answers: a row for every row of its files, or for the rejected ones alone if it failed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final, cast

import numpy as np

from ledger.core.columns import Column, listed
from ledger.core.errors import RejectedRow
from ledger.core.text import visible
from ledger.sequencer.desk import Desk
from ledger.sequencer.importing import ImportResult
from ledger.store import answers as store
from ledger.store.sheets import Sheet
from schemas.words import Outcome

COLUMNS: Final = (
    *("row", "reference", "outcome", "duplicate", "basis", "limit_id", "tpp", "remaining_tpp", "account"),
    *("sequence", "message", "field", "code"),
)
"""The columns of a decision, in order; where an import has several files, `file` comes first."""

_YEAR: Final = 365
_OF_ENTRY: Final = (*("reference", "outcome", "basis", "limit_id", "tpp", "remaining_tpp", "account", "sequence"),)


def answer_columns(result: ImportResult) -> tuple[str, ...]:
    """Give the columns of an import's answers."""
    return ("file", *COLUMNS) if len(result.sheets) > 1 else COLUMNS


def whole_file_answers(
    sheets: Sequence[Sheet], rejected: Sequence[RejectedRow]
) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Give columns and answers of an import that failed because whole files cannot be read: a row for each."""
    names = ("file", *COLUMNS) if len(sheets) > 1 else COLUMNS
    said = ({"outcome": "rejected", "duplicate": False, **asdict(row)} for row in rejected)
    return names, [{name: answer.get(name) for name in names} for answer in said]


def answer_rows(desk: Desk, result: ImportResult, *, skip_invalid: bool) -> Iterator[dict[str, Any]]:
    """Give the answers in order of rows."""
    failed = bool(result.rejected) and not skip_invalid
    names = answer_columns(result)
    found: dict[int, dict[str, Any]] = dict(_rejected(result))
    if not failed:
        recorded = _recorded(desk, result)
        found |= recorded
        found |= _duplicates(desk, result, recorded)
    for row in sorted(found):
        file, row_there = result.place(row)
        answer = found[row] | {"file": result.sheets[file].file, "row": row_there}
        yield {name: answer.get(name) for name in names}


def _recorded(desk: Desk, result: ImportResult) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for part in result.parts:
        columns = {name: listed(part.columns[name]) for name in _OF_ENTRY}
        columns["message"] = store.messages(desk.ledger.connection, part.columns, desk.rulebook.digest)
        answers = zip(*columns.values(), strict=True)
        found |= {
            row: dict(zip(columns, answer, strict=True)) | {"duplicate": False}
            for row, answer in zip(part.decisions.row.tolist(), answers, strict=True)
        }
    return found


def _duplicates(
    desk: Desk, result: ImportResult, recorded: dict[int, dict[str, Any]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Repeat the first decision of every duplicate, made by this import or an earlier one."""
    duplicates = result.duplicates
    by_sequence = {answer["sequence"]: answer for answer in recorded.values()}
    earlier = {sequence for _, sequence in duplicates} - by_sequence.keys()
    by_sequence |= store.recorded_answers(desk.ledger.connection, earlier, (*_OF_ENTRY, "message"))
    for row, sequence in duplicates:
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
        files, rows = result.places(part.decisions.row[places])
        days = (dates.values[code].isoformat() for code in dates.codes[places])
        found += [(result.sheets[file].file, int(row), day) for file, row, day in zip(files, rows, days, strict=True)]
    return found


def notable(desk: Desk, result: ImportResult, most: int) -> tuple[list[str], int]:
    """Give the first refusals and breaches of an import, reference and sentence, and how many more there are."""
    told: list[str] = []
    for part in result.parts:
        rows = np.flatnonzero(part.decisions.columns["outcome"] != Outcome.ADMITTED)[: most - len(told)]
        shown = {name: column[rows] for name, column in part.columns.items()}
        messages = store.messages(desk.ledger.connection, shown, desk.rulebook.digest)
        named = zip(listed(shown["reference"]), messages, strict=True) if messages else ()
        told += [f"{visible(reference)}: {message}" for reference, message in named]
    return told, result.counts["refused"] + result.counts["breached"] - len(told)
