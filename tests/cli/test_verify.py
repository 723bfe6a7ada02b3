"""The verb verify, as a user runs it: what it prints, its exit codes and its sentences."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ledger.store.file import OUTSIDE_SUFFIX
from tests.cli.command import GOOD, HEADER, Ledger, environment, fresh
from tests.sealing import change, rows_of

_HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger with two records."""
    made = fresh(tmp_path)
    made.write("a.csv", f"{HEADER}\n{GOOD}\na2,allocation,2026-05-01,KP,ALPHA,H100,1\n")
    assert made.run("import", "a.csv", "--provider", "prov").code == 0
    return made


def test_a_good_ledger_is_told_of_in_a_few_lines(ledger: Ledger) -> None:
    """Leaves by kind, records by outcome, checkpoints, root and key go to standard output, and the exit code is 0."""
    ran = ledger.run("verify", "--deep")
    (root, key) = rows_of(ledger.path, "SELECT lower(hex(root)), key FROM checkpoint, key_row ORDER BY size DESC")[0]

    assert (ran.code, ran.err) == (0, "")
    assert "leaves: 73 (62 chip, 4 batch, 3 party, 2 decision, 1 key, 1 rulebook)" in ran.out
    assert "records: 2 (1 admitted, 1 refused)" in ran.out
    assert f"root: {root}\nkey: {key}\n" in ran.out
    assert "own word" in ran.out
    assert "decisions: 2 derived again, each as recorded" in ran.out


def test_a_named_key_is_held_against_the_ledger(ledger: Ledger, tmp_path: Path) -> None:
    """The right key is believed and told without a caveat; another ledger's is exit code 3, what is no key 2."""
    (key,) = rows_of(ledger.path, "SELECT key FROM key_row")[0]
    other = Ledger(tmp_path)
    assert other.run("init", ledger="other.duckdb").code == 0
    (stranger,) = rows_of(tmp_path / "other.duckdb", "SELECT key FROM key_row")[0]
    right = ledger.run("verify", "--key", str(key))
    wrong = ledger.run("verify", "--key", str(stranger))

    assert right.code == 0
    assert "own word" not in right.out
    assert (wrong.code, wrong.out) == (3, "")
    assert "never signed with the key that was named" in wrong.sentence
    assert ledger.run("verify", "--key", "nonsense").code == 2


def test_a_changed_record_is_exit_code_3_and_one_sentence(ledger: Ledger) -> None:
    """The record is named by sequence, provider and reference, the column by name, with what to do."""
    change(ledger.path, "UPDATE entry SET quantity = 11 WHERE sequence = 1")
    ran = ledger.run("verify")

    assert (ran.code, ran.out) == (3, "")
    assert 'record 1 (provider "prov", reference "a1"' in ran.sentence
    assert "quantity is 11 and was 10 when it was sealed" in ran.sentence
    assert "backup" in ran.sentence


def test_a_ledger_that_no_other_verb_would_open_is_verified(ledger: Ledger) -> None:
    """A dropped trigger and a file that is none are findings, exit code 3, where other verbs only refuse to open it."""
    with duckdb.connect(str(ledger.path)) as connection:
        connection.execute("DROP TRIGGER leaf_no_delete ON leaf")
    dropped = ledger.run("verify")
    ledger.write("quota.duckdb", "no ledger at all")
    damaged = ledger.run("verify")

    assert dropped.code == damaged.code == 3
    assert "the trigger leaf_no_delete of the table leaf is missing" in dropped.sentence
    assert "damaged, or no ledger" in damaged.sentence


def test_a_ledger_that_is_not_there_or_held_is_exit_code_4(ledger: Ledger) -> None:
    """Nothing was verified, so nothing failed: the caller may try again."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, ledger.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        held = ledger.run("verify")
        holder.communicate()

    assert held.code == 4
    assert ledger.run("verify", ledger="nowhere.duckdb").code == 4


def test_a_missing_outside_file_is_told_with_what_to_do(ledger: Ledger) -> None:
    """Without the outside checkpoints nothing shows that the ledger is not an older copy."""
    ledger.path.with_name(ledger.path.name + OUTSIDE_SUFFIX).unlink()
    ran = ledger.run("verify")

    assert ran.code == 3
    assert "bring the file back" in ran.sentence


def test_lost_outside_checkpoints_are_written_anew_by_whoever_says_so(ledger: Ledger) -> None:
    """Until then nothing is recorded; then they are what they were. Those that are there are never written over."""
    outside = ledger.path.with_name(ledger.path.name + OUTSIDE_SUFFIX)
    before = outside.read_bytes()
    kept = ledger.run("verify", "--renew-checkpoints")
    outside.unlink()
    refused = ledger.run("register", "parties", "-", stdin=b"party,name,headquarters,parent\nNEW,New,AE,\n")
    renewed = ledger.run("verify", "--renew-checkpoints")

    assert (kept.code, refused.code, renewed.code) == (2, 5, 0)
    assert "--renew-checkpoints" in refused.sentence
    assert outside.read_bytes() == before
    assert ledger.run("verify").code == 0


def test_a_changed_ledger_gets_no_checkpoints_anew(ledger: Ledger) -> None:
    """What is not verified is not vouched for."""
    outside = ledger.path.with_name(ledger.path.name + OUTSIDE_SUFFIX)
    outside.unlink()
    change(ledger.path, "UPDATE entry SET quantity = 11 WHERE sequence = 1")

    assert ledger.run("verify", "--renew-checkpoints").code == 3
    assert not outside.exists()


def test_a_receipt_is_verified_without_the_ledger(ledger: Ledger) -> None:
    """With the key it says what is in the log; changed, or with another key, it is exit code 3; without one, 2."""
    key = ledger.run("signing-key", "show").out.strip()
    (ledger.folder / "key.txt").write_text(key)
    assert ledger.run("receipt", "--sequence", "1", "--out", "r.json").code == 0
    assert ledger.run("consistency", "1", "--out", "no.json").code != 0
    ledger.path.unlink()
    good = ledger.run("verify", "--receipt", "r.json", "--key", "key.txt")
    without = ledger.run("verify", "--receipt", "r.json")
    text = (ledger.folder / "r.json").read_text()
    (ledger.folder / "r.json").write_text(text.replace('"outcome": "admitted"', '"outcome": "refused"'))
    changed = ledger.run("verify", "--receipt", "r.json", "--key", key)

    assert (good.code, without.code, changed.code) == (0, 2, 3)
    assert "  reference: a1\n" in good.out
    assert "  outcome: admitted\n" in good.out
    assert changed.out == ""
    assert ledger.run("verify", "--receipt", "r.json", "--deep", "--key", key).code == 2


def test_the_demo_is_verified(tmp_path: Path) -> None:
    """The ledger of the announced deployments is what was sealed, and every decision in it what the rule gives."""
    made = Ledger(tmp_path)
    assert made.run("demo", "--out", "demo").code == 0

    assert made.run("verify", "--deep", ledger="demo/demo.duckdb").code == 0
