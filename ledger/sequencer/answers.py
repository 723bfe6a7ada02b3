"""What an import answers: a row for every row of its files, or for the rejected ones alone if it failed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, cast

import numpy as np

from ledger.core.columns import Column, Numbers, listed
from ledger.core.errors import QuotaledgerError, RejectedRow
from ledger.core.text import visible
from ledger.rulebook.sentences import decision_sentence, h100e
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
_AT_HAND: Final = (
    *(name for name in DECISION if name not in ("batch", "recorded_at", "message", "h100e")),
    "limit_tpp",
)
"""Those of them that are columns of `entry`, and what the sentence is made of besides."""
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
    failed = result.fails(skip_invalid)
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
    """Give small imports that were just recorded their decisions, as the view `decisions` has them.

    What was decided is at hand, and asked again costs more than to decide it; the ledger is asked only for what was
    repeated and what is not kept, once for all of them.
    """
    recorded = [result for result in results if isinstance(result, ImportResult) and result.batch is not None]
    for result in recorded:
        result.read_back = {
            values["sequence"]: {name: values[name] for name in DECISION}
            for part in result.parts
            if not part.is_forgotten
            for values in _decided(desk, part, result.batch or 0)
        }
    missing = [(result, sequence) for result in recorded for sequence in _not_at_hand(result)]
    found = store.recorded_answers(desk.ledger.connection, {sequence for _, sequence in missing}, DECISION)
    for result, sequence in missing:
        if sequence in found:
            result.read_back[sequence] = found[sequence]


def _not_at_hand(result: ImportResult) -> Iterator[int]:
    """Give the records that an import answers for and only the ledger has."""
    yield from (sequence for _, sequence in result.duplicates)
    for part in result.parts:
        if part.is_forgotten:
            yield from cast("Numbers", part.columns["sequence"]).tolist()


def _recorded(desk: Desk, result: ImportResult, part: Part) -> list[dict[str, Any]]:
    """Give the decision of each row that is recorded, or would be: those in the ledger are read from there."""
    sequences = cast("Numbers", part.columns["sequence"]).tolist()
    if result.batch is not None:
        answers = store.recorded_answers(desk.ledger.connection, sequences, (*_OF_ENTRY, "message"))
        return [answers[sequence] | {"duplicate": False} for sequence in sequences]
    decided = _decided(desk, part, 0)
    return [{name: values[name] for name in (*_OF_ENTRY, "message")} | {"duplicate": False} for values in decided]


def _decided(desk: Desk, part: Part, batch: int) -> Iterator[dict[str, Any]]:
    """Give decisions that are at hand by column of the view `decisions`."""
    columns = {name: listed(part.columns[name]) for name in _AT_HAND}
    for row in zip(*columns.values(), strict=True):
        values = dict(zip(columns, row, strict=True))
        made = {"batch": batch, "recorded_at": desk.now, "message": decision_sentence(desk.rulebook, values)}
        yield values | made | {"h100e": h100e(values["tpp"], desk.rulebook)}


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
