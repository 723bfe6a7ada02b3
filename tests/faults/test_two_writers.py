"""Several processes that record at once: one has the ledger, the others are told who, and nothing is lost."""

import os
import select
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cli.command import HEADER
from tests.faults import holder, recorder
from tests.faults.audit import audit
from tests.faults.forked import Forked, Quick
from tests.faults.ground import fresh, said
from tests.faults.kills import recorded
from tests.faults.tally import Tally

_WRITERS, _ROUNDS, _ROWS = 3, 3, 300
_PATIENCE_SECONDS = 120
"""After which a process that says nothing is taken for one that never will: nothing is measured."""


@dataclass(frozen=True)
class _Writer:
    """A process that imports, and what it will have recorded if it is not held off."""

    mine: frozenset[str]
    forked: Forked


def _writers(ledger: Quick, folder: Path, turn: int) -> list[_Writer]:
    """Start some processes at once that import a file each."""
    made = []
    for writer in range(_WRITERS):
        mine = frozenset(f"{turn}-{writer}-{number}" for number in range(_ROWS))
        rows = "".join(f"{reference},allocation,2026-03-01,AE,ALPHA,H100,1\n" for reference in sorted(mine))
        file = ledger.write(f"{turn}-{writer}.csv", f"{HEADER}\n{rows}")
        words = ("--ledger", ledger.path, "import", file, "--provider", "prov")
        made.append(_Writer(mine, Forked.start(folder / f"writer-{writer}", *words)))
    return made


def _held_off(writers: list[_Writer], pids: set[str]) -> list[_Writer]:
    """Give those that were held off: each has said, with exit code 4, which of some processes has the ledger."""
    found = []
    for writer in writers:
        ran = writer.forked.end(300)
        if ran.code:
            sentence = said(ran)
            assert ran.code == 4
            assert "only one process at a time" in sentence
            assert [pid for pid in pids if f"held by process {pid} " in sentence]
            found.append(writer)
    return found


def test_writers_are_held_off_while_another_holds_the_ledger(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """As long as one process has the ledger, every other one is told so and records nothing; then they all can."""
    ledger = fresh(tmp_path)
    held, go = tmp_path / "held", tmp_path / "go"
    os.mkfifo(held)
    os.mkfifo(go)
    hears = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    holding = Forked.start(tmp_path / "holder", ledger.path, held, go, work=holder.main)
    assert select.select([hears], [], [], _PATIENCE_SECONDS)[0]
    assert os.read(hears, 10) == b"held\n"
    writers = _writers(ledger, tmp_path, 0)
    refused = _held_off(writers, {str(holding.process.pid)})
    lets_go = os.open(go, os.O_WRONLY)
    os.close(lets_go)
    os.close(hears)

    assert refused == writers
    assert holding.end(300).code == 0
    assert (recorded(ledger, "prov"), recorded(ledger, recorder.PROVIDER)) == (set(), recorder.references(holder.BATCH))
    assert ledger.go("import", "0-0.csv", "--provider", "prov").code == 0
    assert recorded(ledger, "prov") == writers[0].mine
    assert audit(ledger.path) == []
    Tally(record_property).add("several writers at once", "refused", len(refused))


def test_of_writers_that_start_at_once_each_records_all_or_is_told(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Whichever comes first has the ledger; of each other one all is recorded, or it is told who came before."""
    ledger = fresh(tmp_path)
    expected: set[str] = set()
    for turn in range(_ROUNDS):
        writers = _writers(ledger, tmp_path, turn)
        refused = _held_off(writers, {str(writer.forked.process.pid) for writer in writers})
        expected |= {reference for writer in writers if writer not in refused for reference in writer.mine}
        Tally(record_property).add("several writers at once", "refused", len(refused))

        assert len(refused) < _WRITERS
        assert recorded(ledger, "prov") == expected
        assert audit(ledger.path) == []

    assert len(expected) >= _ROUNDS * _ROWS
