"""A held ledger: who holds it and since when, and that what a killed process leaves holds nobody up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.core.errors import LedgerUnavailable
from ledger.store.file import LedgerFile
from ledger.store.holder import write_holder
from tests.harness import NOW, bench

HOLD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ledger.store.file import LedgerFile
now = None if sys.argv[2] == "reading" else datetime(2026, 11, 22, 12, tzinfo=UTC)
ledger = LedgerFile.open(Path(sys.argv[1]), now)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed ledger."""
    with bench(tmp_path):
        pass
    return tmp_path / "ledger.duckdb"


def holding(path: Path, how: str) -> subprocess.Popen[str]:
    """Start a process that holds the ledger until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def refusal(path: Path) -> str:
    with pytest.raises(LedgerUnavailable) as refused:
        LedgerFile.open(path, NOW)
    return str(refused.value)


@pytest.mark.parametrize(
    ("how", "program", "since"),
    [("writing", "quotaledger ", " since 2026-11-22 12:00:00 UTC"), ("reading", "python", ", running since 20")],
)
def test_who_holds_a_ledger_since_when_is_told(path: Path, how: str, program: str, since: str) -> None:
    """A writer is told as it says of itself; a reader says nothing, and is told as the system knows it."""
    with holding(path, how) as process:
        said = refusal(path)
        process.kill()

    assert f"held by process {process.pid} ({program}" in said
    assert since in said


def test_what_a_killed_process_leaves_holds_nobody_up(path: Path) -> None:
    """A killed writer's word stays behind: the next one opens all the same, and takes it away."""
    with holding(path, "writing") as process:
        process.kill()
    holder = path.with_name(f"{path.name}.holder")
    assert f'"pid": {process.pid}' in holder.read_text()

    with LedgerFile.open(path, NOW):
        assert f'"pid": {os.getpid()}' in holder.read_text()
    assert not holder.exists()


@pytest.mark.parametrize("content", ["", "garbage", "[]", '{"pid": 1}', '{"pid": "x", "since": 5}'])
def test_a_word_that_makes_no_sense_is_not_believed(path: Path, content: str) -> None:
    """Whatever the file says, the process that the system names is told."""
    holder = path.with_name(f"{path.name}.holder")
    with holding(path, "writing") as process:
        holder.write_text(content)
        said = refusal(path)
        process.kill()

    assert f"held by process {process.pid} (python" in said


def test_another_process_word_is_not_believed(path: Path) -> None:
    """A word that another process left, killed before, is not that of the one that holds the ledger now."""
    with holding(path, "reading") as process:
        write_holder(path.with_name(f"{path.name}.holder"), NOW)
        said = refusal(path)
        process.kill()

    assert f"held by process {process.pid} (python" in said
