"""A process that holds a ledger until it is let go: `holder LEDGER HELD GO`, where HELD and GO are named pipes.

It says on HELD that it has the ledger, waits until somebody opens and closes GO, and then records a batch.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from ledger.store.file import LedgerFile
from tests.faults.recorder import record_batch

BATCH = 1


def main() -> None:
    """Hold, wait, record."""
    path, held, go = map(Path, sys.argv[1:])
    with LedgerFile.open(path, datetime.now(UTC)) as ledger:
        held.write_text("held\n")
        go.read_text()
        record_batch(ledger, BATCH)
