"""What the import API asks of the ledger: has this request been answered, and what became of each of its rows."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from ledger.core.errors import RejectedRow
from ledger.sequencer.answers import DECISION
from ledger.sequencer.desk import Desk
from ledger.sequencer.imported import ImportResult
from ledger.store import answers, requests
from ledger.store.requests import Answered

ROW_COLUMNS = ("reference", "outcome", "basis", "limit_id", "tpp", "remaining_tpp", "account", "sequence", "message")


def answered(desk: Desk, request: str) -> Answered | None:
    """Give the request of an id, None if no batch answers it."""
    return requests.answered(desk.ledger.connection, request)


def answered_key(desk: Desk, provider: str, idempotency_key: str) -> Answered | None:
    """Give a provider's request of an idempotency key, None if no batch answers it."""
    return requests.answered_key(desk.ledger.connection, provider, idempotency_key)


def answered_keys(desk: Desk) -> Iterator[tuple[str, str]]:
    """Give provider and idempotency key of every request that has one."""
    return requests.answered_keys(desk.ledger.connection)


def decision(desk: Desk, sequence: int) -> dict[str, Any] | None:
    """Give a recorded decision by column, None if there is none."""
    return answers.recorded_answers(desk.ledger.connection, [sequence], DECISION).get(sequence)


def only_decision(desk: Desk, found: Answered) -> dict[str, Any] | None:
    """Give the decision that answers a single request, with `duplicate`; None if it was rejected."""
    recorded = requests.decisions(desk.ledger.connection, found.batch, DECISION, 0, 1)
    if recorded:
        return {name: recorded[0][name] for name in DECISION} | {"duplicate": False}
    for row in found.unrecorded:
        if "sequence" in row and (earlier := decision(desk, row["sequence"])):
            return earlier | {"duplicate": True}
    return None


def row_decisions(desk: Desk, found: Answered, after: int, limit: int) -> list[dict[str, Any]]:
    """Give what became of the rows behind a row of an answered import, in order of rows."""
    connection = desk.ledger.connection
    rows = {
        row["row"]: row | {"duplicate": False, "field": None, "code": None}
        for row in requests.decisions(connection, found.batch, ROW_COLUMNS, after, limit)
    }
    rest = sorted(found.unrecorded, key=lambda row: row["row"])
    begin = bisect_right(rest, after, key=lambda row: row["row"])
    coming = list({row["row"]: row for row in rest[begin : begin + 8 * limit]})[:limit]
    some = [row for row in rest[begin:] if row["row"] in coming] if coming else []
    earlier = answers.recorded_answers(connection, {row["sequence"] for row in some if "sequence" in row}, ROW_COLUMNS)
    for row in some:
        if "sequence" in row:
            rows[row["row"]] = earlier[row["sequence"]] | {
                "row": row["row"],
                "duplicate": True,
                "field": None,
                "code": None,
            }
        else:
            rows[row["row"]] = _with_fault(rows.get(row["row"]), row)
    return [rows[number] for number in sorted(rows)][:limit]


def rejected_rows(result: ImportResult) -> list[dict[str, Any]]:
    """Give the rejected rows of an import that failed, one for each row, in order."""
    rows: dict[int, dict[str, Any]] = {}
    for fault in result.rejected:
        number = fault.row or 0
        rows[number] = _with_fault(rows.get(number), _fault(fault))
    return list(rows.values())


def _fault(fault: RejectedRow) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in ("row", "reference", "field", "code", "message")}


def _with_fault(row: dict[str, Any] | None, fault: Mapping[str, Any]) -> dict[str, Any]:
    """Give a rejected row, with one more fault of it: the first gives field and code, the message has them all."""
    said = f"{fault['field']}: {fault['message']}" if fault["field"] else fault["message"]
    if row:
        return row | {"message": f"{row['message']}; {said}"}
    blank = dict.fromkeys(("basis", "limit_id", "tpp", "remaining_tpp", "account", "sequence"))
    return blank | {
        "row": fault["row"],
        "reference": fault["reference"],
        "outcome": "rejected",
        "duplicate": False,
        "field": fault["field"],
        "code": fault["code"],
        "message": said,
    }
