"""The verb correct as a user gives it: what it says and records, and that a crash or a full disk leaves no half."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli.command import Ledger, environment, fresh
from tests.harness import copy_ledger

FILED = """\
reference,kind,date,destination,consignee,chip,quantity,basis,under,site
PO-1,allocation,2026-03-02,aws:me-central-1,ALPHA,H100,1000,LICENSE,,
PO-2,allocation,2026-03-03,AE,ALPHA,H100,500,LICENSE,,
SHIP-1,delivery,2026-03-20,,,,600,,PO-1,"hall ""A"", [red]"
"""
_STOPPED = """
import os, sys
from ledger.store import contributions
contributions.add_to_balances = lambda *_: os.kill(os.getpid(), 9)
from ledger.cli import main
main()
"""
"""The command killed in the middle of its transaction, when entries are written and balances are not."""
_LIMITED = """
import resource, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from ledger.cli import main
main()
"""


_FOLDER = TemporaryDirectory(prefix="quotaledger-correct-")
"""Goes when the tests end."""


@cache
def _template() -> Path:
    ledger = fresh(Path(_FOLDER.name))
    ledger.write("filed.csv", FILED)
    assert ledger.run("import", "filed.csv", "--provider", "ACME").code == 0
    return ledger.path


def _filed(folder: Path) -> Ledger:
    """Give a ledger with two allocations and a delivery."""
    ledger = Ledger(folder)
    copy_ledger(_template(), ledger.path)
    return ledger


def _program(ledger: Ledger, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that is prepared by a program."""
    command = [sys.executable, "-c", program, *words, "--provider", "ACME", "--quantity", "550", "--note", "w"]
    return subprocess.run(command, cwd=ledger.folder, env=environment(), capture_output=True, check=False, text=True)


def test_a_correction_says_what_it_did(tmp_path: Path) -> None:
    """The sentence of the new record and both references; a dry run, the same again and no change are told as such."""
    ledger = _filed(tmp_path)
    said = ("correct", "--provider", "ACME", "SHIP-1", "--quantity", "650", "--note", "the packing list says 650")
    before = ledger.counted()
    dry = ledger.run(*said, "--dry-run")
    assert ledger.counted() == before
    done, again = ledger.run(*said), ledger.run(*said)
    same = ledger.run("correct", "--provider", "ACME", "PO-2", "--quantity", "0500", "--note", "w")

    sentence = "Admitted: delivery of 650 H100 (10,290,800 TPP) in AE for ALPHA under LICENSE; no limit applies.\n"
    what = "SHIP-1/undo takes delivery SHIP-1 back, and SHIP-1/v2 replaces it: admitted\n"
    assert (dry.code, dry.out) == (0, f"{sentence}dry run, nothing recorded: {what}")
    assert (done.code, done.out) == (0, f"{sentence}batch 5: {what}")
    assert (again.code, again.out) == (0, f"{sentence}recorded before, nothing recorded now: {what}")
    assert (same.code, same.out) == (0, "PO-2 has 500 chips already; nothing was recorded\n")
    assert ledger.rows("SELECT file, records, admitted FROM batches WHERE batch > 4") == [
        {"file": "correction.ndjson", "records": 2, "admitted": 2}
    ]
    assert ledger.rows("SELECT quantity, under, site, note FROM decisions WHERE reference = 'SHIP-1/v2'") == [
        {"quantity": 650, "under": "PO-1", "site": 'hall "A", [red]', "note": "the packing list says 650"}
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["PO-1", "--quantity", "5", "--note", "w"], 1, 'delivery "SHIP-1" draws on "PO-1"; reverse what draws'),
        (["PO-2", "--quantity", "60000", "--note", "w"], 1, "the new record would be refused"),
        (["PO-2", "--quantity", "5e3", "--note", "w"], 1, "digits only"),
        (["PO-2", "--quantity", "-5", "--note", "w"], 1, "digits only"),
        (["PO-2", "--quantity", "5", "--note", ""], 1, "a reversal must give it"),
        (["PO-2", "--quantity", "5", "--note", b"\xff\x1b[2J"], 1, "control-character"),
        (["PO-9", "--quantity", "5", "--note", "w"], 1, 'has filed no record "PO-9"; did you mean "PO-2"'),
        ([b"\xff", "--quantity", "5", "--note", "w"], 1, "has filed no record"),
        (["PO-2", "--quantity", "5", "--note", "w", "--reference", "PO-1"], 1, '"PO-1" has been filed already'),
        (["PO-2", "--quantity", "5", "--note", "w", "--reference", "r" * 129], 1, "at most 128"),
        (["PO-2", "--quantity", "5"], 2, "--note"),
        (["PO-2", "--note", "w"], 2, "--quantity"),
        (["--quantity", "5", "--note", "w"], 2, "REFERENCE"),
    ],
)
def test_a_correction_that_cannot_be_is_told_and_records_nothing(
    words: list[str | bytes], code: int, said: str, tmp_path: Path
) -> None:
    """Wrong usage, a record that is not there or drawn on, a refusal: a sentence, and the ledger as it was."""
    ledger = _filed(tmp_path)
    before = ledger.counted()
    ran = ledger.run("correct", "--provider", "ACME", *words)

    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert "\x1b" not in ran.err
    assert ledger.counted() == before


def test_a_refusal_is_recorded_if_that_is_wanted(tmp_path: Path) -> None:
    """With --accept-refusal the old record is taken back and the refusal is there to be seen."""
    ledger = _filed(tmp_path)
    words = ("correct", "--provider", "ACME", "PO-2", "--quantity", "60000", "--note", "w", "--accept-refusal")
    ran = ledger.run(*words)

    assert ran.code == 0
    assert ran.out.startswith("Refused: allocation of 60,000 H100")
    assert ledger.rows("SELECT reference FROM refusals") == [{"reference": "PO-2/v2"}]
    assert ledger.rows("SELECT used_tpp // 15832 AS chips FROM country_positions WHERE destination = 'AE'") == [
        {"chips": 1000}
    ]


def test_a_kill_in_the_middle_leaves_neither_record(tmp_path: Path) -> None:
    """Killed when the reversal is written and the batch is not whole, the ledger is as before, and can go on."""
    ledger = _filed(tmp_path)
    before = ledger.counted()
    killed = _program(ledger, _STOPPED, "correct", "PO-2")

    assert killed.returncode == -9
    assert ledger.counted() == before
    assert ledger.run("correct", "--provider", "ACME", "PO-2", "--quantity", "550", "--note", "w").code == 0
    assert ledger.rows("SELECT count(*) AS n FROM decisions") == [{"n": 5}]


def test_a_full_disk_leaves_neither_record(tmp_path: Path) -> None:
    """Where no file may grow, a correction is one sentence, exit code 5, and no record."""
    ledger = _filed(tmp_path)
    before = ledger.counted()
    full = _program(ledger, _LIMITED, "0", "correct", "PO-2")

    assert (full.returncode, full.stdout) == (5, "")
    assert len(full.stderr.splitlines()) == 1
    assert ledger.counted() == before
