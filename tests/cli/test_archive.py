"""The verbs export, restore, backup, receipt and consistency as a user gives them, on real files."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import GOOD, HEADER, Ledger, arguments, environment, fresh

_LIMITED = (
    "import resource, sys; limit = int(sys.argv.pop(1)); resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit));"
    "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from ledger.cli import main; main()"
)
"""The command in a process none of whose files may grow beyond a size: what a full disk looks like, without one."""
_HOLDING = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture(name="filled", scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A ledger with records of two providers."""
    made = fresh(tmp_path_factory.mktemp("filled"))
    made.write("a.csv", f"{HEADER}\n{GOOD}\n")
    made.write("b.csv", f"{HEADER}\n" + "".join(f"b{n}{GOOD[2:]}\n" for n in range(90)))
    assert made.run("import", "a.csv", "--provider", "prov").code == 0
    assert made.run("import", "b.csv", "--provider", "rival").code == 0
    return made


@pytest.fixture(name="ledger")
def _ledger(filled: Ledger, tmp_path: Path) -> Ledger:
    """A copy of it."""
    shutil.copytree(filled.folder, tmp_path, dirs_exist_ok=True)
    return Ledger(tmp_path)


def _limited(ledger: Ledger, size: int, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _LIMITED, str(size), *map(str, arguments(ledger.path, words)[3:])],
        cwd=ledger.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_an_export_is_written_verified_and_restored(ledger: Ledger) -> None:
    """From one command to the next: export, the verifier in it, restore, and the same answers from the new ledger."""
    exported = ledger.run("export", "out")
    key = exported.sentence.rpartition(" ")[2]
    words = [sys.executable, "-I", "out/verify.py", "out", "--key", key]
    verified = subprocess.run(words, cwd=ledger.folder, capture_output=True, text=True, check=False, timeout=100)
    restored = ledger.run("restore", "out", ledger="new.duckdb")
    status = ["status", "--format", "json"]
    unsigned = ledger.run("import", "a.csv", "--provider", "more", ledger="new.duckdb")
    shutil.copy(ledger.folder / "quota.duckdb.key", ledger.folder / "new.duckdb.key")

    assert (exported.code, exported.out) == (0, "")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert restored.code == 0, restored.err
    assert "91 records" in restored.err
    assert "put its private signing key at" in restored.sentence
    assert ledger.run(*status, ledger="new.duckdb").out == ledger.run(*status).out
    assert unsigned.code == 5
    assert "signing key is not at" in unsigned.sentence
    assert ledger.run("import", "a.csv", "--provider", "more", ledger="new.duckdb").code == 0
    assert {path.name for path in (ledger.folder / "out").iterdir()} == {
        *("README.txt", "checkpoints.txt", "leaves.ndjson", "manifest.json", "tables", "verify.py"),
    }


def test_export_and_restore_replace_nothing(ledger: Ledger) -> None:
    """What is there already is left as it is: exit 2. An export that was changed or contradicts that is none: 3."""
    ledger.write("file", "mine")
    (ledger.folder / "full").mkdir()
    ledger.write("full/file", "mine")
    (ledger.folder / "empty").mkdir()
    codes = [ledger.run("export", name).code for name in ("file", "full", "none/out", "empty")]
    there = ledger.run("restore", "empty")
    ledger.write("gone.duckdb.checkpoints", "of an earlier one")
    outside = ledger.run("restore", "empty", ledger="gone.duckdb")
    (ledger.folder / "empty" / "README.txt").write_text("x")
    changed = ledger.run("restore", "empty", ledger="new.duckdb")
    missing = ledger.run("restore", "none", ledger="new.duckdb")

    assert codes == [2, 2, 2, 0]
    assert (there.code, outside.code, changed.code, missing.code) == (2, 3, 3, 2)
    assert "README.txt" in changed.sentence
    assert (ledger.folder / "file").read_text() == (ledger.folder / "full" / "file").read_text() == "mine"
    assert not [path.name for path in ledger.folder.iterdir() if "unfinished" in path.name or "new." in path.name]


def test_an_export_for_a_provider_names_no_other(ledger: Ledger) -> None:
    """No file of it has the other's name, it is said that no ledger can be made of it, and none can."""
    exported = ledger.run("export", "out", "--only-provider", "prov")
    contents = [path.read_bytes() for path in (ledger.folder / "out").rglob("*") if path.is_file()]
    both = ledger.run("export", "both", "--only-provider", "prov", "--without-provider", "rival")
    unknown = ledger.run("export", "else", "--without-provider", "rivals")

    assert exported.code == 0, exported.err
    assert "91 of them as hashes alone" in exported.err
    assert "no ledger can be rebuilt from it" in exported.err
    assert not [content for content in contents if b"rival" in content]
    assert ledger.run("restore", "out", ledger="new.duckdb").code == 2
    assert (both.code, unknown.code) == (2, 2)
    assert 'did you mean "rival"' in unknown.sentence


@pytest.mark.parametrize("words", [("export", "out"), ("backup", "copy.duckdb"), ("restore", "whole")])
def test_a_full_disk_leaves_nothing_half(ledger: Ledger, words: tuple[str, str]) -> None:
    """A full disk is told in one sentence, and neither a part of an export nor of a ledger is left."""
    assert ledger.run("export", "whole").code == 0
    if words[0] == "restore":
        ledger = Ledger(ledger.folder / "sub")
        ledger.folder.mkdir()
        shutil.move(ledger.folder.parent / "whole", ledger.folder / "whole")
    there = {path.name for path in ledger.folder.iterdir()}
    done = _limited(ledger, 20_000, *words)

    assert done.returncode == 5, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert {path.name for path in ledger.folder.iterdir()} == there


def test_a_ledger_that_is_held_is_told_by_whom(ledger: Ledger) -> None:
    """Backup, export and receipt of a ledger in use elsewhere end with 4 and name the process."""
    words = [sys.executable, "-c", _HOLDING, str(ledger.path)]
    with subprocess.Popen(words, stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        ran = [ledger.run("backup", "copy.duckdb"), ledger.run("export", "out"), ledger.run("receipt", "--leaf", "1")]
        holder.send_signal(signal.SIGKILL)

    assert [done.code for done in ran] == [4, 4, 4]
    assert all(f"process {holder.pid}" in done.sentence for done in ran)


def test_a_backup_can_be_used_in_place_of_the_ledger(ledger: Ledger) -> None:
    """With its key beside it a backup is recorded in like the ledger that it is a copy of."""
    done = ledger.run("backup", "copy.duckdb")
    again = ledger.run("backup", "copy.duckdb")
    shutil.copy(ledger.folder / "quota.duckdb.key", ledger.folder / "copy.duckdb.key")
    recorded = ledger.run("import", "a.csv", "--provider", "more", ledger="copy.duckdb")

    assert (done.code, done.out) == (0, "")
    assert "92 leaves" not in done.err
    assert "91 records" in done.err
    assert again.code == 2
    assert recorded.code == 0, recorded.err


def test_a_receipt_is_printed_or_written(ledger: Ledger) -> None:
    """By reference, sequence or leaf it is the same JSON; what names no record is told, with the right exit code."""
    printed = ledger.run("receipt", "--provider", "rival", "b7")
    written = ledger.run("receipt", "--sequence", "9", "--out", "r.json")
    says = json.loads(printed.out)
    codes = [
        ledger.run("receipt", *words).code
        for words in (
            ("--provider", "rival", "nothing"),
            ("b7",),
            ("--sequence", "1", "--leaf", "1"),
            ("--sequence", "1", "--out", "none/r.json"),
        )
    ]

    assert (printed.code, written.code, written.out) == (0, 0, "")
    assert (ledger.folder / "r.json").read_text("utf-8") == printed.out
    assert (says["format"], says["kind"], says["fields"]["reference"]) == ("quotaledger receipt 1", "decision", "b7")
    assert says["message"].startswith("Admitted")
    assert codes == [1, 2, 2, 2]


def test_a_consistency_statement_is_of_two_checkpoints(ledger: Ledger) -> None:
    """Of sizes or files; the outside checkpoints' own notes will do."""
    notes = (ledger.folder / "quota.duckdb.checkpoints").read_text("utf-8").split("\n\n")
    ledger.write("note", f"{notes[0]}\n\n{notes[1]}\n")
    by_file, size = ledger.run("consistency", "note"), notes[0].split("\n")[1]
    by_size = ledger.run("consistency", size)

    assert by_file.code == 0, by_file.err
    assert by_file.out == by_size.out
    assert json.loads(by_file.out)["format"] == "quotaledger consistency 1"
    assert ledger.run("consistency", "1").code == 2


@pytest.mark.parametrize("words", [("receipt", "--leaf", "1"), ("checkpoint",), ("consistency", "1")])
def test_nothing_is_written_over(ledger: Ledger, words: tuple[str, ...]) -> None:
    """What `--out` names is a new file: neither the key nor the ledger nor its checkpoints is ever replaced."""
    first = (ledger.folder / "quota.duckdb.checkpoints").read_text("utf-8").split("\n")[1]
    words = (words[0], first) if words[0] == "consistency" else words
    before = {path.name: path.read_bytes() for path in ledger.folder.iterdir() if path.is_file()}
    ran = [ledger.run(*words, "--out", name) for name in before if name.startswith("quota")]

    assert [done.code for done in ran] == [2] * 3
    assert all("there is a file at" in done.sentence for done in ran)
    assert {path.name: path.read_bytes() for path in ledger.folder.iterdir() if path.is_file()} == before


def test_a_checkpoint_is_handed_out(ledger: Ledger) -> None:
    """The newest is printed whole, as the last of the outside checkpoints; any other by its number of leaves."""
    outside = (ledger.folder / "quota.duckdb.checkpoints").read_text("utf-8")
    newest, first = ledger.run("checkpoint"), ledger.run("checkpoint", outside.split("\n")[1])

    assert outside.endswith(newest.out + "\n")
    assert outside.startswith(first.out + "\n")
    assert ledger.run("checkpoint", "7").code == 2


def test_every_key_so_far_is_shown(ledger: Ledger) -> None:
    """With how it was put in use; without `--all` the one in use alone."""
    first = ledger.run("signing-key", "show").out
    second = ledger.run("signing-key", "rotate", "--note", "yearly").out
    lines = ledger.run("signing-key", "show", "--all").out.split("\n")

    assert lines[0::2] == [first.strip(), second.strip(), ""]
    assert "from leaf 0 on" in lines[1]
    assert lines[3].endswith("signed for by the key before")
    assert ledger.run("signing-key", "show").out == second
