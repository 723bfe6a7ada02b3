"""What a crash leaves in the write-ahead log, whole or torn, and a COMMIT after it that is too large for the log."""

import os
import shutil
from pathlib import Path

import pytest

from ledger.store.file import LedgerFile
from tests.harness import NOW, Bench, bench, copy_ledger

_ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
_MANY = tuple({"party": f"P{number}", "name": "-", "headquarters": "AE"} for number in range(3000))
_SMALLEST = "1KB"
"""So small that a COMMIT goes past the log, as one of many thousand records does."""


def _record(number: int) -> dict[str, str]:
    asked = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "ALPHA", "chip": "H100"}
    return asked | {"reference": f"r{number}", "quantity": "1"}


def _killed(made: Bench, folder: Path, fraction: float = 1.0) -> Path:
    """Give a ledger as a kill leaves it, with a fraction of its log on the disk."""
    folder.mkdir()
    path = copy_ledger(made.ledger.path, folder / "ledger.duckdb")
    log = Path(shutil.copy(made.ledger.path.with_name("ledger.duckdb.wal"), folder))
    os.truncate(log, int(log.stat().st_size * fraction))
    return path


def _large(path: Path) -> None:
    """Open a ledger and record something that goes past the log."""
    with LedgerFile.open(path, NOW) as ledger:
        ledger.connection.execute(f"SET checkpoint_threshold = '{_SMALLEST}'")
        Bench(ledger).register("parties", *_MANY)


@pytest.mark.parametrize("fraction", [0.0, 0.02, 0.3, 0.95])
def test_a_ledger_opens_again_after_a_torn_commit_and_a_large_one(fraction: float, tmp_path: Path) -> None:
    """Nothing of a torn COMMIT is there, the large one after it is, and the ledger can be opened."""
    with bench(tmp_path) as made:
        before = (tmp_path / "ledger.duckdb.checkpoints").read_bytes()
        made.register("parties", _ALPHA)
        path = _killed(made, tmp_path / "killed", fraction)
    path.with_name(f"{path.name}.checkpoints").write_bytes(before)
    _large(path)

    with LedgerFile.open(path, NOW) as ledger:
        assert ledger.rows("SELECT count(*), min(party) FROM party_row") == [(len(_MANY), "P0")]


def test_records_of_before_a_crash_are_found_after_a_large_commit(tmp_path: Path) -> None:
    """What was acknowledged before a kill is a duplicate when it is sent again, whatever was recorded between."""
    with bench(tmp_path) as made:
        made.register("parties", _ALPHA)
        first = made.submit("p", *map(_record, range(7)))
        path = _killed(made, tmp_path / "killed")
    _large(path)

    with LedgerFile.open(path, NOW) as ledger:
        again = Bench(ledger).submit("p", *map(_record, range(7)))

    assert again == [answer | {"duplicate": True} for answer in first]
