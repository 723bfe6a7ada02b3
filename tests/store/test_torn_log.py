"""What a crash in the middle of a COMMIT leaves: a write-ahead log of which the end, or everything, is not whole."""

import os
import shutil
from pathlib import Path

import pytest

from ledger.store.file import LedgerFile
from tests.harness import NOW, Bench, bench, copy_ledger

_ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
_SMALLEST = "1KB"
"""So small that a COMMIT goes past the log, as one of many thousand records does."""


def _torn(folder: Path, fraction: float) -> Path:
    """Give a copy of a ledger as a crash left it, of whose first COMMIT only a fraction came to the disk."""
    path = folder / "torn" / "ledger.duckdb"
    path.parent.mkdir()
    with bench(folder) as made:
        copy_ledger(made.ledger.path, path)
        made.register("parties", _ALPHA)
        log = made.ledger.path.with_name("ledger.duckdb.wal")
        torn = Path(shutil.copy(log, path.parent))
    os.truncate(torn, int(torn.stat().st_size * fraction))
    return path


@pytest.mark.parametrize("fraction", [0.0, 0.02, 0.3, 0.95])
def test_a_ledger_opens_again_after_a_torn_commit_and_a_large_one(fraction: float, tmp_path: Path) -> None:
    """Nothing of a torn COMMIT is there; one after it that goes past the write-ahead log is, at the next opening."""
    path = _torn(tmp_path, fraction)
    with LedgerFile.open(path, NOW) as ledger:
        ledger.connection.execute(f"SET checkpoint_threshold = '{_SMALLEST}'")
        made = Bench(ledger)
        before = ledger.last_batch()
        made.register("parties", *({"party": f"P{n}", "name": "-", "headquarters": "AE"} for n in range(3000)))

    with LedgerFile.open(path, NOW) as ledger:
        assert ledger.last_batch() == (before or 0) + 1
        assert ledger.rows("SELECT count(*), min(party) FROM party_row") == [(3000, "P0")]
