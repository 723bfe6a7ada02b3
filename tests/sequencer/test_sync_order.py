"""What must survive a power cut is synced before it gets its name, and the folder after that.

A kill cannot show this, because the system keeps what a killed process has written. So the syncs and renames
themselves are written down, in order, and held against what is on the disk in the end.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ledger.sequencer.exporting import export_ledger
from ledger.sequencer.founding import found_ledger
from ledger.sequencer.restoring import back_up_ledger, restore_ledger
from ledger.sequencer.rotating import rotate
from ledger.sequencer.verifying import verify
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile
from tests.harness import NOW, Bench, amended
from tests.sequencer.sealed import ALLOCATION

_State = tuple[int, int]
"""A file's number on the disk, and when it was last written to."""
_THERE = "ledger.duckdb"


def _state(path: Path) -> _State:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def _inside(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _named(folder: Path) -> set[tuple[str, int]]:
    """Give each path in a folder, with the number of the file there."""
    return {(str(path), path.stat().st_ino) for path in folder.iterdir()}


@dataclass
class Trail:
    """What was synced: contents of files, and names in folders; and what got a name before it was synced."""

    synced: set[_State] = field(default_factory=set)
    names: set[tuple[str, int]] = field(default_factory=set)
    """What a synced folder has."""
    early: list[str] = field(default_factory=list)

    def sync(self, path: Path) -> None:
        """Note that a file, or a folder's list of names, is on the disk."""
        if path.is_dir():
            self.names |= _named(path)
        else:
            self.synced.add(_state(path))

    def name(self, made: Path, path: Path) -> None:
        """Note that something gets a name, and what of it a power cut would take away under that."""
        for file in _inside(made) if made.is_dir() else [made]:
            if _state(file) not in self.synced:
                self.early.append(f"{path.name}: {file.name} is not synced")
            if made.is_dir() and (str(file), file.stat().st_ino) not in self.names:
                self.early.append(f"{path.name}: the name of {file.name} is not synced")

    def lacking(self, folder: Path) -> list[str]:
        """Give what of a folder is not on the disk; a ledger that was there before is synced by DuckDB alone."""
        files = (path for path in _inside(folder) if path.name != _THERE)
        contents = [f"{path.name} is not synced" for path in files if _state(path) not in self.synced]
        return contents + [
            f"the name of {name} is not synced"
            for name in sorted(Path(name).name for name, _ in _named(folder) - self.names)
        ]


@contextmanager
def _followed(monkeypatch: pytest.MonkeyPatch, trail: Trail) -> Iterator[None]:
    """Write down every sync and every name that is given; DuckDB syncs its file itself when it is flushed."""
    fsync, flush = os.fsync, LedgerFile.flush

    def synced(number: int) -> None:
        fsync(number)
        trail.sync(Path(f"/proc/self/fd/{number}").resolve())

    def flushed(ledger: LedgerFile) -> None:
        flush(ledger)
        trail.sync(ledger.path)

    def naming(give: Callable[..., Any]) -> Callable[..., Any]:
        def named(made: str | Path, path: str | Path, **more: Any) -> Any:
            trail.name(Path(made), Path(path))
            return give(made, path, **more)

        return named

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", synced)
        patched.setattr(LedgerFile, "flush", flushed)
        for name in ("link", "rename", "replace"):
            patched.setattr(os, name, naming(getattr(os, name)))
        yield


def _found(path: Path) -> None:
    found_ledger(path.with_name("new.duckdb"), amended(), "tests", NOW)


def _record(path: Path) -> None:
    with LedgerFile.open(path, NOW) as ledger:
        Bench(ledger).submit("p", ALLOCATION | {"reference": "new", "quantity": 1})


def _rotate(path: Path) -> None:
    rotate(path, "yearly", "tests", NOW, lost=False)


def _renew(path: Path) -> None:
    verify(path, renew=True)


def _export(path: Path) -> None:
    with LedgerFile.open(path) as ledger:
        export_ledger(ledger, path.with_name("made"), NOW)


def _back_up(path: Path) -> None:
    with LedgerFile.open(path) as ledger:
        back_up_ledger(ledger, path.with_name("copy.duckdb"))


def _restore(path: Path) -> None:
    restore_ledger(path.with_name("made"), path.with_name("restored.duckdb"))


_NAMES: dict[Callable[[Path], None], set[str]] = {
    _found: {"new.duckdb", "new.duckdb.key", "new.duckdb.checkpoints"},
    _record: set[str](),
    _rotate: {"ledger.duckdb.key"},
    _renew: {"ledger.duckdb.checkpoints"},
    _export: {"made"},
    _back_up: {"copy.duckdb", "copy.duckdb.checkpoints"},
    _restore: {"restored.duckdb", "restored.duckdb.checkpoints"},
}
"""What each makes, and names that it gives for good."""


@pytest.mark.parametrize("work", _NAMES, ids=lambda work: work.__name__.strip("_"))
def test_what_has_a_name_is_on_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Path], None]
) -> None:
    """Whenever the power fails, what has its name is whole, and what was said to be done keeps its name."""
    if work is _restore:
        _export(path)
    if work is _renew:
        path.with_name(path.name + OUTSIDE_SUFFIX).write_bytes(b"garbage")
    before = _named(path.parent)
    trail = Trail({_state(file) for file in _inside(path.parent)}, set(before))
    with _followed(monkeypatch, trail):
        work(path)

    assert trail.early == []
    assert trail.lacking(path.parent) == []
    assert {Path(name).name for name, _ in _named(path.parent) - before} >= _NAMES[work]
