"""The outside checkpoints, held against the ledger: what a crash leaves, and what it does not."""

import shutil
from pathlib import Path

from ledger.sequencer.verifying import verify
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile
from ledger.store.guard import BATCHES_MAX
from tests.harness import NOW, Bench
from tests.sequencer.sealed import ALLOCATION, fails


def _outside(path: Path) -> Path:
    return path.with_name(path.name + OUTSIDE_SUFFIX)


def test_outside_checkpoints_are_held_against_the_ledger(path: Path) -> None:
    """Gone, edited, cut, or followed by what is none: the file outside must be what the ledger has."""
    with LedgerFile.open(path, NOW) as ledger:
        for number in range(2 * BATCHES_MAX):  # of fewer, a crash could keep back two thirds
            Bench(ledger).submit("many", ALLOCATION | {"reference": f"{number}", "quantity": 1})
    outside, content = _outside(path), _outside(path).read_bytes()
    size = content.split(b"\n")[1]
    found = {}
    for name, changed in {
        "edited": content.replace(b"\n" + size + b"\n", b"\n" + size + b"1\n", 1),
        "swapped": content[len(content) // 2 :] + content,
        "cut": content[: content.index(b"\n\n", len(content) // 3)],
        "followed": content + b"something else\n",
    }.items():
        assert changed != content
        outside.write_bytes(changed)
        found[name] = fails(path)
    outside.unlink()

    assert "bring the file back" in fails(path)
    assert "is not the ledger's" in found["edited"]
    assert "was cut" in found["cut"] or "lacks" in found["cut"] or "ends with something" in found["cut"]
    assert "edited or damaged" in found["followed"] or "no checkpoint" in found["followed"]
    assert found["swapped"]


def test_a_crash_before_the_outside_checkpoint_is_a_remark(path: Path) -> None:
    """What a crash has kept from the file outside, a whole note or the beginning of one, is no difference."""
    outside = _outside(path)
    content = outside.read_bytes()
    last = content.rindex(b"\n\nquotaledger/") + 2
    for kept in (content[:last], content[: last + 20]):
        outside.write_bytes(kept)

        assert "lacks the last 1" in verify(path).remarks[0]


def test_an_older_copy_is_behind_its_outside_checkpoints(path: Path, tmp_path: Path) -> None:
    """A ledger that was put back to an older copy is consistent in itself: the file outside is not."""
    older = shutil.copy(path, tmp_path / "older.duckdb")
    with LedgerFile.open(path, NOW) as ledger:
        Bench(ledger).submit("p", ALLOCATION | {"reference": "new", "quantity": 1})
    shutil.copy(older, path)

    assert "the ledger is an older copy" in fails(path)
