"""A file that is appended some rows at a time is recorded as a whole, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from ledger.sequencer import importing
from ledger.sequencer.imported import ImportResult
from ledger.sequencer.importing import import_sheets, record_sheet
from ledger.sequencer.verifying import verify
from ledger.store import append
from tests.harness import Bench, bench

_ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
_ROWS, _AT_ONCE = 20, 6


def _file(*more: str) -> bytes:
    rows = [f"r{number},allocation,2026-03-01,AE,ALPHA,H100,{number + 1}," for number in range(_ROWS)]
    return "\n".join(["reference,kind,date,destination,consignee,chip,quantity,under", *rows, *more, ""]).encode()


def _import(made: Bench, content: bytes, **how: Any) -> ImportResult:
    return import_sheets(made.desk(), "p", [record_sheet("f.csv", content)], **how)


@pytest.fixture(autouse=True)
def _in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_AT_ONCE", _AT_ONCE)


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Any:
    with bench(tmp_path) as made:
        made.register("parties", _ALPHA)
        yield made


def test_the_parts_of_a_file_are_one_batch(made: Bench, tmp_path: Path) -> None:
    """One batch and one checkpoint; a row may repeat or name one of an earlier part; what is told is of all."""
    result = _import(
        made,
        _file(
            "r1,allocation,2026-03-01,AE,ALPHA,H100,2,",
            "d3,delivery,2026-03-02,,,,4,r3",
            "x,reversal,2026-03-02,,,,,none",
        ),
        skip_invalid=True,
    )

    batches = made.ledger.rows("SELECT max(batch) FROM batch")[0][0]

    assert (result.batch, len(result.parts)) == (batches, 4)
    assert result.duplicates == [(20, 2)]
    assert {row for row, _ in result.faults} == {22}
    assert result.counts["admitted"] == 21
    assert made.ledger.rows("SELECT count(*), count(DISTINCT batch), max(sequence) FROM entry") == [(21, 1, 21)]
    assert made.ledger.rows("SELECT under_sequence, fulfilled FROM entry WHERE reference = 'd3'") == [(4, 4)]
    assert made.ledger.rows("SELECT count(*) FROM checkpoint") == [(batches,)]
    made.ledger.close()
    assert verify(tmp_path / "ledger.duckdb", deep=True).derived_again == 21


def test_a_row_rejected_late_takes_all_parts_back(made: Bench, tmp_path: Path) -> None:
    """Only deciding finds that a reference is used again: the parts before it are not recorded, nor counted."""
    before = made.ledger.rows("FROM head")
    failed = _import(made, _file("r1,allocation,2026-03-01,AE,ALPHA,H100,9,"))

    assert (failed.batch, [fault.code for fault in failed.rejected]) == (None, ["reference-reused"])
    assert failed.counts == {"admitted": 20, "refused": 0, "breached": 0, "rejected": 1, "duplicates": 0}
    assert made.ledger.rows("FROM head") == before
    assert made.ledger.rows("SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM balance)") == [(0, 0)]

    assert _import(made, _file()).counts["admitted"] == _ROWS
    made.ledger.close()
    assert verify(tmp_path / "ledger.duckdb", deep=True).derived_again == _ROWS


@pytest.mark.parametrize("what", ["_insert_entries", "decision_hashes", "append_leaves"])
def test_a_fault_while_a_part_is_appended_takes_all_back(
    what: str, made: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong beside the deciding ends the import; nothing of it stays, and the next one works."""
    works, calls = getattr(append, what), []

    def fails(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise MemoryError
        return works(*given)

    with monkeypatch.context() as patched:
        patched.setattr(append, what, fails)
        with pytest.raises(MemoryError):
            _import(made, _file())
    assert made.ledger.rows("SELECT count(*) FROM entry") == [(0,)]

    assert _import(made, _file()).counts["admitted"] == _ROWS


def test_a_dry_run_in_parts_records_nothing(made: Bench) -> None:
    """It decides as the import after it does."""
    dry, done = _import(made, _file(), dry_run=True), _import(made, _file())

    assert dry.batch is None
    assert dry.counts == done.counts
    assert dry.recorded == done.recorded == list(range(_ROWS))
