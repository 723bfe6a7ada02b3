"""The ledgers that faults are injected into: made once in a process, then copied."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.store.file import LedgerFile
from tests.cli.command import Ran
from tests.faults import recorder
from tests.faults.forked import Quick
from tests.harness import bench, copy_ledger

NOW = datetime.now(UTC)
_FOLDER = TemporaryDirectory(prefix="quotaledger-faults-")
"""Goes when the tests end."""


@cache
def _template() -> Path:
    folder = Path(_FOLDER.name) / "fresh"
    folder.mkdir()
    with bench(folder) as made:
        made.register("parties", {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"})
        return made.ledger.path


@cache
def _filled(batches: int) -> Path:
    folder = Path(_FOLDER.name) / f"filled-{batches}"
    folder.mkdir()
    path = copy_ledger(_template(), folder / "ledger.duckdb")
    with LedgerFile.open(path, NOW) as ledger:
        for batch in range(1, batches + 1):
            recorder.record_batch(ledger, batch)
    return path


def fresh(folder: Path) -> Quick:
    """Give a ledger with a party and no record."""
    ledger = Quick(folder)
    copy_ledger(_template(), ledger.path)
    return ledger


def filled(folder: Path, batches: int = 12) -> Quick:
    """Give a ledger with a party and some batches of the recorder's."""
    ledger = Quick(folder)
    copy_ledger(_filled(batches), ledger.path)
    return ledger


def grow(ledger: Quick, *batches: int) -> None:
    """Record more batches of the recorder's."""
    with LedgerFile.open(ledger.path, NOW) as opened:
        for batch in batches:
            recorder.record_batch(opened, batch)


def said(ran: Ran) -> str:
    """Give the one sentence of a command that failed."""
    assert len(ran.err.splitlines()) == 1, ran.err
    assert ran.err.startswith("quotaledger: "), ran.err
    assert ran.out == ""
    return ran.sentence.removeprefix("quotaledger: ")
