"""What finds a fault: the opening of the ledger for writing, its verification, or nothing, because none is there.

Many damaged ledgers are tried by one process that is not the tests' own: a file that made DuckDB end the process, or
wait for ever, would be told from one that is found.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from ledger.core.errors import QuotaledgerError
from ledger.sequencer.verifying import verify
from ledger.store.file import LedgerFile
from tests.faults.audit import audit, contents
from tests.faults.forked import Forked
from tests.harness import copy_ledger

_ENDED = "lost"
"""What is said of a ledger until something is found."""


def finding(path: Path, original: Path) -> tuple[str, str]:
    """Give what finds that a ledger was damaged, and its sentence.

    It is harmless if it holds, to the last row, what the original holds; reading and writing it then is as well.
    """
    try:
        with LedgerFile.open(path, datetime.now(UTC)):
            pass
    except QuotaledgerError as error:
        return "opening", str(error)
    try:
        verify(path)
    except QuotaledgerError as error:
        return "verify", str(error)
    # The tests' own look at it must not find what the product does not.
    problems = audit(path)
    same = contents(path) == contents(original)
    return ("harmless", "") if same and not problems else (_ENDED, "; ".join(problems))


def main() -> None:
    """Print what finds each damaged ledger: of the paths given, the first is the original."""
    original, *damaged = map(Path, sys.argv[1:])
    for path in damaged:
        try:
            found = finding(path, original)
        except Exception as error:  # noqa: BLE001 -- the tests must see it, and the others
            found = _ENDED, f"{type(error).__name__}: {error}"
        print(json.dumps(found), flush=True)


def findings(original: Path, damaged: list[Path]) -> list[tuple[str, str]]:
    """Give what finds each of some damaged ledgers, whose files are changed by that."""
    ran = Forked.start(original.parent, original, *damaged, work=main).end(300)
    found = [tuple(json.loads(line)) for line in ran.out.splitlines()]
    assert ran.code == 0, f"the process ended with {ran.code} at {damaged[len(found)]}: {ran.err}"
    assert len(found) == len(damaged)
    return found


def copies(original: Path, folder: Path, count: int) -> list[Path]:
    """Make copies of a closed ledger with its key and its outside checkpoints."""
    made = [folder / f"{number}" / original.name for number in range(count)]
    for path in made:
        path.parent.mkdir()
        copy_ledger(original, path)
    return made
