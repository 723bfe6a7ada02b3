"""What is told when a command cannot finish: whatever was recorded before is said to be, and no traceback is shown."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import GOOD, HEADER, arguments, environment, fresh, untouched

_ROWS = 20_000
_LISTENING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);from ledger.cli import main; main()"
)
"""The command where Ctrl-C is heard, even if the tests run in the background, where shells have it ignored."""
_EARLY = """
import sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[-1]:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from ledger.cli import main
main()
"""
"""The command with Ctrl-C pressed at the moment that it loads a module, the last word."""


def test_a_full_output_does_not_hide_what_was_recorded(tmp_path: Path) -> None:
    """Every verb that records says that it did, and in which batch, if its answer finds no room."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\n")
    ledger.write("more.csv", "party,name,headquarters\nBETA,Beta,SA\n")
    assert ledger.run("rulebook", "copy", "in-force", "mine").code == 0
    text = (tmp_path / "mine" / "rulebook.toml").read_text()
    ledger.write("mine/rulebook.toml", text.replace('id = "bis-ai-diffusion-2025"', 'id = "mine"'))
    verbs = (
        ["register", "parties", "more.csv"],
        ["import", "a.csv", "--provider", "prov"],
        ["correct", "--provider", "prov", "a1", "--quantity", "5", "--note", "why"],
        ["rulebook", "adopt", "mine", "--note", "why"],
    )
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = [
            subprocess.run(
                arguments(ledger.path, words),
                cwd=tmp_path,
                env=environment(),
                stdout=full,
                stderr=-1,
                check=False,
                text=True,
            )
            for words in verbs
        ]
    batches = [ran.stderr.splitlines()[-1].partition(" is recorded, but")[0] for ran in done]

    assert [ran.returncode for ran in done] == [5] * 4
    assert batches == [f"quotaledger: batch {number}" for number in range(4, 8)]
    assert ledger.rows("SELECT count(*) AS n FROM decisions") == [{"n": 3}]
    assert ledger.rows("SELECT rulebook FROM rulebooks WHERE in_force") == [{"rulebook": "mine"}]


@pytest.mark.parametrize("least", [0, 1, 1_000_000, 3_000_000, 6_000_000])
def test_ctrl_c_is_one_sentence_that_is_true(least: int, tmp_path: Path) -> None:
    """Wherever Ctrl-C comes while an import is written, the sentence says that it is recorded if and only if it is."""
    ledger = fresh(tmp_path)
    rows = "".join(f"k{n},allocation,2026-03-01,AE,ALPHA,H100,1\n" for n in range(_ROWS))
    ledger.write("many.csv", f"{HEADER}\n{rows}")
    wal = ledger.path.with_name(ledger.path.name + ".wal")
    words: list[str | Path] = ["--ledger", ledger.path, "import", "many.csv", "--provider", "prov"]
    process = subprocess.Popen(
        [sys.executable, "-c", _LISTENING, *words],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not (wal.exists() and wal.stat().st_size >= least):
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()

    assert "Traceback" not in err
    assert "should not have happened" not in err
    if process.returncode == 0 or out:
        assert f"{_ROWS:,} admitted" in out
        assert ledger.counted()[0] == _ROWS
    elif "is recorded, but" in err:
        assert (process.returncode, len(err.splitlines())) == (5, 1)
        assert ledger.counted()[0] == _ROWS
    else:
        assert (process.returncode, len(err.splitlines())) == (5, 1)
        assert err.startswith("quotaledger: stopped; ")
        assert ledger.counted() == untouched()


@pytest.mark.parametrize("module", ["typer", "ledger.cli.output", "ledger.cli.asking", "duckdb"])
def test_ctrl_c_while_the_command_is_loaded_is_one_sentence(module: str, tmp_path: Path) -> None:
    """Ctrl-C before the command has begun is answered as any other."""
    ledger = fresh(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", _EARLY, "--ledger", ledger.path, "sql", module],
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
    )

    assert (ran.returncode, ran.stdout) == (5, "")
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stderr.startswith("quotaledger: stopped; ")
