"""A crash at any moment, and a full disk: an import is in the ledger whole or not at all, and can be done again."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.command import HEADER, Ledger, arguments, environment, fresh, untouched

_ROWS = 20_000
_SEED = 20_250_115
_LIMITED_COMMAND = (
    "import resource, sys; limit = int(sys.argv.pop(1)); resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit));"
    "from ledger.cli import main; main()"
)
"""The command in a process none of whose files may grow beyond a size: what a full disk looks like, without one."""


def _random(number: int) -> random.Random:
    return random.Random(_SEED + number)  # noqa: S311 -- the same moments in every run


def _file(ledger: Ledger, count: int = _ROWS) -> None:
    rows = (f"k{n},allocation,2026-03-01,AE,ALPHA,H100,{n % 7 + 1}\n" for n in range(count))
    ledger.write("many.csv", HEADER + "\n" + "".join(rows))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _moment(number: int, ledger: Ledger) -> Callable[[], bool]:
    """Give a moment to kill at: the write-ahead log begins, it has grown, or its content comes into the file."""
    wal = ledger.path.with_name(ledger.path.name + ".wal")
    before = _size(ledger.path)
    if number % 4 == 0:
        return wal.exists
    if number % 4 == 1:
        return lambda: _size(ledger.path) > before
    least = _random(number).randrange(1, 7_000_000)
    return lambda: _size(wal) >= least


def _kill(ledger: Ledger, number: int) -> None:
    """Start an import and kill it, at a moment of its progress or after a delay; it may have ended before."""
    reached = _moment(number, ledger)
    process = subprocess.Popen(
        arguments(ledger.path, ["import", "many.csv", "--provider", "prov"]),
        cwd=ledger.folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if number % 4 == 3:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_random(number).uniform(0.5, 4.0))
    while number % 4 != 3 and process.poll() is None and not reached():
        pass
    process.kill()
    assert process.wait() in (0, -signal.SIGKILL)


@pytest.mark.parametrize("number", range(12))
def test_a_kill_leaves_all_or_nothing(number: int, tmp_path: Path) -> None:
    """After a kill the ledger opens with all of the batch or none of it, and the same import again completes it."""
    ledger = fresh(tmp_path)
    _file(ledger)
    _kill(ledger, number)
    (head,) = ledger.rows(
        "SELECT (SELECT count(*) FROM batches) AS batches, count(*) AS records, coalesce(max(sequence), 0) AS last"
        " FROM decisions"
    )

    assert head in ({"batches": 0, "records": 0, "last": 0}, {"batches": 1, "records": _ROWS, "last": _ROWS})

    again = ledger.run("import", "many.csv", "--provider", "prov")
    (after,) = ledger.rows(
        "SELECT count(*) AS records, count(DISTINCT sequence) AS distinct_sequences, min(sequence) AS first,"
        " max(sequence) AS last, count(DISTINCT reference) AS distinct_references FROM decisions"
    )

    assert again.code == 0
    assert f"{_ROWS:,} duplicates" in again.out or "0 duplicates" in again.out
    assert after == {
        "records": _ROWS,
        "distinct_sequences": _ROWS,
        "first": 1,
        "last": _ROWS,
        "distinct_references": _ROWS,
    }


def _limited(ledger: Ledger, limit: int, file: str | Path) -> subprocess.CompletedProcess[str]:
    """Import where no file may grow beyond a limit; -1 is none."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            _LIMITED_COMMAND,
            str(limit),
            "--ledger",
            ledger.path,
            "import",
            file,
            "--provider",
            "p",
        ],
        cwd=ledger.folder,
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.mark.parametrize("room", [0, 100_000, 1_000_000])
def test_a_full_disk_leaves_the_ledger_as_it_was(room: int, tmp_path: Path) -> None:
    """Where there is no room, an import is one sentence and exit code 5; with room again it succeeds."""
    ledger = fresh(tmp_path)
    _file(ledger)
    limit = ledger.path.stat().st_size + room
    done = _limited(ledger, limit, "many.csv")

    assert done.returncode == 5
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("quotaledger: ")
    assert ledger.counted() == untouched()
    assert ledger.run("import", "many.csv", "--provider", "p").code == 0
    assert ledger.rows("SELECT count(*) AS n FROM decisions") == [{"n": _ROWS}]


@contextmanager
def _small_disk(folder: Path, size: str) -> Iterator[bool]:
    """Mount a disk of a size on a folder and say whether that was possible, which takes root."""
    command: list[str | Path] = ["/bin/mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    mounted = Path(command[0]).exists() and not subprocess.run(command, capture_output=True, check=False).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["/bin/umount", folder], check=True)


def test_a_disk_that_fills_up_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    """A batch so large that it goes past the write-ahead log is all or nothing too; elsewhere files are limited."""
    big, folder = _ROWS * 3, tmp_path / "disk"
    folder.mkdir()
    _file(Ledger(tmp_path), big)
    with _small_disk(folder, "8m") as small:
        ledger = fresh(folder)
        limit = -1 if small else 8_000_000
        done = _limited(ledger, limit, tmp_path / "many.csv")

        assert done.returncode == 5
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("quotaledger: nothing was recorded in ")
        assert ledger.counted() == untouched()
        if small:
            subprocess.run(["/bin/mount", "-o", "remount,size=400m", folder], check=True)
        assert ledger.run("import", tmp_path / "many.csv", "--provider", "p").code == 0
        assert ledger.rows("SELECT count(*) AS n FROM decisions") == [{"n": big}]


def test_decisions_that_cannot_be_written_do_not_hide_the_recording(tmp_path: Path) -> None:
    """If only the file of decisions fails, the sentence says that the batch is recorded, and how to get them."""
    ledger = fresh(tmp_path)
    _file(ledger)
    long = f"{'o' * 250}.csv"  # the longest name that there can be: what is written first needs a longer one
    ran = ledger.run("import", "many.csv", "--provider", "prov", "--decisions", long)

    assert ran.code == 5
    assert "is recorded, but" in ran.sentence
    assert not (tmp_path / long).exists()

    again = ledger.run("import", "many.csv", "--provider", "prov", "--decisions", "out.csv")

    assert again.code == 0
    assert f"{_ROWS:,} duplicates" in again.out
    assert (tmp_path / "out.csv").read_text().count(",true,") == _ROWS


def test_a_full_standard_output_is_one_sentence(tmp_path: Path) -> None:
    """Output that cannot be written is exit code 5 and a sentence; a reader who has seen enough is no error."""
    ledger = fresh(tmp_path)
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        failed = subprocess.run(
            arguments(ledger.path, ["status"]), env=environment(), stdout=full, stderr=-1, check=False, text=True
        )
    process = subprocess.Popen(
        arguments(ledger.path, ["sql", "FROM range(200000)", "--format", "csv"]),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert (failed.returncode, len(failed.stderr.splitlines())) == (5, 1)
    assert "No space left" in failed.stderr
    assert (process.wait(), said) == (0, "")
