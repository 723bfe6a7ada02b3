"""The ledger, its key and its outside checkpoints belong together: an older, edited or missing one is noticed."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX
from tests.cli.command import GOOD, HEADER
from tests.faults import recorder
from tests.faults.audit import audit
from tests.faults.forked import Forked, Quick
from tests.faults.ground import filled, grow, said
from tests.faults.tally import Tally
from tests.harness import bench

Record = Callable[[str, object], None]
_IMPORT = ("import", "next.csv", "--provider", "after")


def _beside(ledger: Quick, suffix: str) -> Path:
    return ledger.path.with_name(ledger.path.name + suffix)


def _ledger(folder: Path, name: str = "ledger") -> Quick:
    (folder / name).mkdir()
    ledger = filled(folder / name, 3)
    ledger.write("next.csv", f"{HEADER}\n{GOOD}\n")
    return ledger


def _other(folder: Path) -> Path:
    (folder / "other").mkdir()
    with bench(folder / "other", counting_start="2025-01-02") as made:
        return made.ledger.path


@dataclass(frozen=True)
class Tried:
    """What came of an import: its exit code and sentence, whether no byte of the ledger changed, and if it is read."""

    code: int
    said: str
    untouched: bool
    readable: bool

    @property
    def outcome(self) -> tuple[int, bool, bool]:
        """All but the sentence."""
        return self.code, self.untouched, self.readable

    def lacking(self, *words: str) -> list[str]:
        """Give which of some words were not said."""
        return [word for word in words if word not in self.said]


_REFUSED = (5, True, True)


def _try(ledger: Quick) -> Tried:
    before = ledger.path.read_bytes(), _read(_beside(ledger, OUTSIDE_SUFFIX))
    ran = ledger.go(*_IMPORT)
    untouched = (ledger.path.read_bytes(), _read(_beside(ledger, OUTSIDE_SUFFIX))) == before
    return Tried(ran.code, said(ran), untouched, ledger.go("status").code == 0)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _record(ledger: Quick) -> tuple[int, str, list[str]]:
    """Record something, and give exit code, what was said, and what does not hold then."""
    ran = ledger.go(*_IMPORT)
    return ran.code, ran.err, audit(ledger.path)


_RECORDED: tuple[int, str, list[str]] = (0, "", [])


def test_a_stale_backup_is_not_written_to(tmp_path: Path, record_property: Record) -> None:
    """An older copy of the ledger beside newer checkpoints is refused; with the newest in its place all goes on."""
    ledger = _ledger(tmp_path)
    shutil.copy(ledger.path, tmp_path / "backup")
    grow(ledger, 4, 5)
    shutil.copy(ledger.path, tmp_path / "newest")
    shutil.copy(tmp_path / "backup", ledger.path)

    tried = _try(ledger)

    assert tried.outcome == _REFUSED
    assert tried.lacking("it is an older copy", "recorded since is not in it", "put the newest copy in its place") == []
    assert audit(ledger.path) != []

    shutil.copy(tmp_path / "newest", ledger.path)
    assert _record(ledger) == _RECORDED
    Tally(record_property).add("stale backup", "opening")


def test_a_stale_backup_beside_a_newer_log_is_not_written_to(tmp_path: Path, record_property: Record) -> None:
    """An older copy of the ledger under the write-ahead log of a newer one is refused as well."""
    ledger = _ledger(tmp_path)
    shutil.copy(ledger.path, tmp_path / "backup")
    grow(ledger, 4, 5)
    Forked.start(ledger.folder, ledger.path, work=recorder.main_without_closing).end()
    shutil.copy(tmp_path / "backup", ledger.path)
    ran = ledger.go(*_IMPORT)

    assert ran.code == 5
    assert said(ran)
    Tally(record_property).add("stale backup", "opening")


def test_a_fork_is_found_by_either_ones_checkpoints(tmp_path: Path, record_property: Record) -> None:
    """Two copies that were both recorded in are told apart by the checkpoints of the other, of whatever length."""
    one, other = _ledger(tmp_path, "one"), _ledger(tmp_path, "two")
    for ledger, batches in ((one, (4,)), (other, (4, 5))):
        grow(ledger, *batches)
    shutil.copy(_beside(one, OUTSIDE_SUFFIX), tmp_path / "kept")
    shutil.copy(_beside(other, OUTSIDE_SUFFIX), _beside(one, OUTSIDE_SUFFIX))
    shutil.copy(tmp_path / "kept", _beside(other, OUTSIDE_SUFFIX))

    shorter, longer = _try(one), _try(other)

    assert [shorter.outcome, longer.outcome] == [_REFUSED, _REFUSED]
    assert (shorter.lacking("older copy"), longer.lacking("disagree", "fork")) == ([], [])
    Tally(record_property).add("fork", "opening", 2)


def _edited(ledger: Quick, _: Path) -> None:
    path = _beside(ledger, OUTSIDE_SUFFIX)
    path.write_bytes(path.read_bytes() + b"a remark\n")


def _shortened(ledger: Quick, _: Path) -> None:
    path = _beside(ledger, OUTSIDE_SUFFIX)
    path.write_bytes(path.read_bytes().replace(b"\n\n", b"\n"))


def _gone(ledger: Quick, _: Path) -> None:
    _beside(ledger, OUTSIDE_SUFFIX).unlink()


def _of_another(ledger: Quick, folder: Path) -> None:
    other = _other(folder)
    shutil.copy(other.with_name(other.name + OUTSIDE_SUFFIX), _beside(ledger, OUTSIDE_SUFFIX))


def _key_gone(ledger: Quick, _: Path) -> None:
    _beside(ledger, KEY_SUFFIX).unlink()


def _key_of_another(ledger: Quick, folder: Path) -> None:
    other = _other(folder)
    shutil.copy(other.with_name(other.name + KEY_SUFFIX), _beside(ledger, KEY_SUFFIX))


def _key_open(ledger: Quick, _: Path) -> None:
    _beside(ledger, KEY_SUFFIX).chmod(0o644)


def _moved_alone(ledger: Quick, _: Path) -> None:
    for suffix in (KEY_SUFFIX, OUTSIDE_SUFFIX):
        _beside(ledger, suffix).unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_edited, ("no checkpoint of this ledger", "edited or damaged", "bring back a copy")),
        (_shortened, ("there is no checkpoint in", "not an old one", "verify --renew-checkpoints")),
        (_gone, ("there is no checkpoint in", "bring the file back", "verify --renew-checkpoints")),
        (_of_another, ("disagree",)),
        (_key_gone, ("the signing key is not at", "--signing-key")),
        (_key_of_another, ("is not the one in use", "--signing-key")),
        (_key_open, ("others may read", "chmod 600")),
        (_moved_alone, ("the signing key is not at",)),
    ],
)
def test_what_belongs_to_the_ledger_must_be_right(
    spoil: Callable[[Quick, Path], None], words: tuple[str, ...], tmp_path: Path, record_property: Record
) -> None:
    """A companion that is not as the ledger left it is told in one sentence; once it is back, recording goes on."""
    ledger = _ledger(tmp_path)
    companions = {suffix: _beside(ledger, suffix).read_bytes() for suffix in (KEY_SUFFIX, OUTSIDE_SUFFIX)}
    spoil(ledger, tmp_path)
    tried = _try(ledger)
    for suffix, content in companions.items():
        _beside(ledger, suffix).write_bytes(content)
    _beside(ledger, KEY_SUFFIX).chmod(0o600)

    assert tried.outcome == _REFUSED
    assert tried.lacking(*words) == []
    assert _record(ledger) == _RECORDED
    Tally(record_property).add("companion missing, edited or another's", "opening")


@pytest.mark.parametrize("torn", [1, 40, 200, 10_000])
def test_a_torn_last_note_is_written_anew(torn: int, tmp_path: Path, record_property: Record) -> None:
    """A crash while a checkpoint is appended leaves a part of it, or bytes that were never written: it is mended."""
    ledger = _ledger(tmp_path)
    outside = _beside(ledger, OUTSIDE_SUFFIX)
    before = outside.stat().st_size
    grow(ledger, 4)
    whole = outside.read_bytes()
    outside.write_bytes(whole[: before + min(torn, len(whole) - before - 1)] + b"\0" * (torn % 7))

    assert _record(ledger) == _RECORDED
    assert outside.read_bytes().startswith(whole)
    Tally(record_property).add("torn checkpoint", "survived")
