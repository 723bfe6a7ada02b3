"""A process that records many small batches and acknowledges each once it is durable: `recorder LEDGER MODE COUNT`.

It prints the number of each batch when recording it has returned. Batch n has the
records `n-1` to `n-k` of its provider, where k is `size_of(n)`. Modes: `open` holds the ledger, `anew` opens and closes
it (which brings the write-ahead log into the file) for each batch, `checkpoint` makes DuckDB do that after each batch,
`bytewise` writes outside checkpoints byte by byte, so that a kill is likely to tear one.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ledger.sequencer.desk import Desk
from ledger.sequencer.importing import import_sheets
from ledger.store import contributions, outside
from ledger.store.file import LedgerFile
from tests.harness import sheet

PROVIDER = "recorder"
MODES = ("open", "anew", "checkpoint", "bytewise")


def size_of(batch: int) -> int:
    """Give how many records a batch has: one, which is written by statements of its own, or several."""
    return 1 + batch * 7 % 5


def references(batch: int) -> set[str]:
    """Give the references of a batch's records."""
    return {f"{batch}-{number}" for number in range(1, size_of(batch) + 1)}


def record_batch(ledger: LedgerFile, batch: int) -> None:
    """Record a batch."""
    rows = [
        {
            "reference": reference,
            "kind": "allocation",
            "date": "2026-03-01",
            "destination": "AE",
            "consignee": "ALPHA",
            "chip": "H100",
            "quantity": str(batch),
        }
        for reference in sorted(references(batch))
    ]
    desk = Desk(ledger, "recorder", datetime.now(UTC))
    import_sheets(desk, PROVIDER, [sheet(rows)], skip_invalid=False, dry_run=False)


def _ledgers(path: Path, *, anew: bool) -> Iterator[LedgerFile]:
    while True:
        with LedgerFile.open(path, datetime.now(UTC)) as ledger:
            yield ledger
            while not anew:
                yield ledger


class _Bytewise:
    """The operating system to a file of outside checkpoints, but that writes take one byte at a time."""

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    @staticmethod
    def write(number: int, content: bytes) -> int:
        return os.write(number, content[:1])


def write_bytewise() -> None:
    """Let outside checkpoints be written byte by byte."""
    vars(outside)["os"] = _Bytewise()


def record(path: Path, mode: str, count: int) -> None:
    """Record batches and acknowledge each."""
    if mode == "bytewise":
        write_bytewise()
    if mode == "anew":
        vars(contributions)["_LINES_ALWAYS"] = 20  # balances are gathered at many an opening
    ledgers = _ledgers(path, anew=mode == "anew")
    ledger = next(ledgers)
    for batch in range(1, count + 1):
        record_batch(ledger, batch)
        os.write(1, f"{batch}\n".encode())
        if mode == "checkpoint":
            ledger.connection.execute("CHECKPOINT")
        ledger = next(ledgers)


def main() -> None:
    """Record as the command's words say."""
    record(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))


def main_without_closing() -> None:
    """Record a few more batches and end without closing the ledger, so that a write-ahead log stays."""
    ledger = LedgerFile.open(Path(sys.argv[1]), datetime.now(UTC))
    for batch in range(101, 106):
        record_batch(ledger, batch)
    os._exit(0)
