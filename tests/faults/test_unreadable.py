"""Files that cannot be read: folders, pipes, read errors and missing permission in the place of each, told as such."""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX
from tests.cli.command import GOOD, HEADER
from tests.faults.audit import audit
from tests.faults.forked import Forked, Quick, command
from tests.faults.ground import filled, said
from tests.faults.tally import Tally
from tests.harness import copy_ledger

_NOBODY, _COPY = 65_534, "copy.duckdb"


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _failing(path: Path) -> None:
    """Reading the beginning of a process's own memory is an input/output error."""
    path.symlink_to("/proc/self/mem")


def _loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("put", [_folder, _pipe, _failing, _loop])
@pytest.mark.parametrize("suffix", ["", KEY_SUFFIX, OUTSIDE_SUFFIX])
def test_what_is_no_readable_file_is_told(
    suffix: str, put: Callable[[Path], None], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Something else in the place of a file is one sentence with its name; with the file back, recording goes on."""
    (tmp_path / "ledger").mkdir()
    ledger = filled(tmp_path / "ledger", 3)
    ledger.write("next.csv", f"{HEADER}\n{GOOD}\n")
    path = ledger.path.with_name(ledger.path.name + suffix)
    kept = path.rename(tmp_path / "kept")
    put(path)
    ran = ledger.go("import", "next.csv", "--provider", "after")

    assert ran.code in (2, 4, 5)
    assert path.name in said(ran)

    path.rmdir() if path.is_dir() else path.unlink()
    kept.rename(path)
    assert ledger.go("import", "next.csv", "--provider", "after").code == 0
    assert audit(ledger.path) == []
    Tally(record_property).add("folder, pipe or read error in place of a file", "opening")


def _as_nobody() -> None:
    """Run the command as somebody who may do nothing here: the superuser may read whatever there is.

    It runs as the superuser first, on a copy, because Python itself may lie where nobody else can load it from.
    """
    if os.geteuid() == 0:
        words = list(sys.argv)
        sys.argv[2] = str(Path(sys.argv[2]).with_name(_COPY))
        with Path(os.devnull).open("w", encoding="utf-8") as unseen, redirect_stdout(unseen), suppress(SystemExit):
            command()
        sys.argv = words
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    command()


@pytest.mark.parametrize("suffix", ["", KEY_SUFFIX, OUTSIDE_SUFFIX])
def test_what_may_not_be_read_is_told(suffix: str, record_property: Callable[[str, object], None]) -> None:
    """Without the permission to read a file the command says which, and records nothing."""
    # Not in the tests' own folder, into which nobody else may look.
    with TemporaryDirectory(prefix="quotaledger-nobody-") as temporary:
        ledger = _handed_over(Path(temporary) / "ledger")
        path = ledger.path.with_name(ledger.path.name + suffix)
        mode = path.stat().st_mode & 0o777
        path.chmod(0)
        words = ("--ledger", ledger.path, "import", "next.csv", "--provider", "after")
        ran = Forked.start(ledger.folder, *words, work=_as_nobody).end()

        assert ran.code == (5 if suffix else 2)
        assert path.name in said(ran)
        assert "denied" in ran.sentence or "is not readable" in ran.sentence

        path.chmod(mode)
        assert ledger.go(*map(str, words[2:])).code == 0
        assert audit(ledger.path) == []
    Tally(record_property).add("no permission to read", "opening")


def _handed_over(folder: Path) -> Quick:
    """Give a ledger in a folder that belongs, with all around and in it, to whoever `_as_nobody` runs as."""
    folder.mkdir()
    ledger = filled(folder, 3)
    ledger.write("next.csv", f"{HEADER}\n{GOOD}\n")
    copy_ledger(ledger.path, folder / _COPY)
    if os.geteuid() == 0:
        for path in (folder.parent, folder, *folder.iterdir()):
            os.chown(path, _NOBODY, _NOBODY)
    return ledger
