"""Restoring beside the outside checkpoints of a ledger that was lost: they stay, and say what is not in the export."""

import shutil
from pathlib import Path

import pytest

from ledger.core.errors import QuotaledgerError, VerificationFailed
from ledger.sequencer.exporting import export_ledger
from ledger.sequencer.restoring import restore_ledger
from ledger.sequencer.rotating import rotate
from ledger.sequencer.verifying import verify
from ledger.store.file import LedgerFile
from tests.harness import NOW, Bench, bench

_ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
_RECORD = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "ALPHA", "chip": "H100"}


def _record(made: Bench, *references: str) -> None:
    for reference in references:
        made.submit("p", _RECORD | {"reference": reference, "quantity": 1})


@pytest.fixture(name="lost")
def _lost(tmp_path: Path) -> Path:
    """Where a ledger was that had two records when it was exported to `out`, and has three checkpoints more since."""
    with bench(tmp_path) as made:
        made.register("parties", _ALPHA)
        _record(made, "a", "b")
        export_ledger(made.ledger, tmp_path / "out", NOW)
        _record(made, "c", "d", "e")
        path = made.ledger.path
    path.unlink()
    return path


def test_outside_checkpoints_stay_beside_what_is_restored(lost: Path, tmp_path: Path) -> None:
    """Nothing is recorded on top of a ledger of which acknowledged batches are missing, until somebody says so."""
    outside = lost.with_name(f"{lost.name}.checkpoints")
    before = outside.read_bytes()
    made = restore_ledger(tmp_path / "out", lost)

    assert (made.records, made.missing) == (2, 3)
    assert outside.read_bytes() == before
    with pytest.raises(QuotaledgerError, match="older copy"):
        LedgerFile.open(lost, NOW)

    outside.rename(tmp_path / "kept.checkpoints")
    verify(lost, renew=True)
    rotate(lost, "went back: leaves after the export are lost", "tests", NOW, lost=False)
    with LedgerFile.open(lost, NOW) as ledger:
        _record(Bench(ledger), "c")
    verified = verify(lost)

    assert verified.records["admitted"] == 3
    assert before.startswith(outside.read_bytes()[: before.index(b"\n\n")])


def test_an_export_with_nothing_lost_restores_beside_its_checkpoints(lost: Path, tmp_path: Path) -> None:
    """Where the outside checkpoints are those of the export, recording goes on at once."""
    shutil.copy(tmp_path / "out" / "checkpoints.txt", lost.with_name(f"{lost.name}.checkpoints"))
    made = restore_ledger(tmp_path / "out", lost)
    with LedgerFile.open(lost, NOW) as ledger:
        _record(Bench(ledger), "c")

    assert made.missing == 0
    assert verify(lost).records["admitted"] == 3


@pytest.mark.parametrize("what", ["other history", "cut"])
def test_outside_checkpoints_of_another_history_are_told(what: str, lost: Path, tmp_path: Path) -> None:
    """What the outside checkpoints contradict is not restored beside them, and neither is touched."""
    outside = lost.with_name(f"{lost.name}.checkpoints")
    if what == "cut":
        outside.write_bytes(outside.read_bytes()[:300].rpartition(b"\n\n")[0] + b"\n\n")
    else:
        (tmp_path / "fork").mkdir()
        with bench(tmp_path / "fork") as made:
            made.register("parties", _ALPHA)
            _record(made, "a", "b", "c")
        shutil.copy(tmp_path / "fork" / outside.name, outside)
    before = outside.read_bytes()

    with pytest.raises(VerificationFailed, match="different histories, or that file was cut"):
        restore_ledger(tmp_path / "out", lost)
    assert not lost.exists()
    assert outside.read_bytes() == before
