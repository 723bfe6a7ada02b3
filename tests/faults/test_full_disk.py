"""A full disk, wherever it strikes: one sentence, what was recorded stays, and with room again all goes on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.store.file import OUTSIDE_SUFFIX
from tests.cli.command import GOOD, HEADER, Ran
from tests.faults.audit import audit, contents
from tests.faults.disk import disk
from tests.faults.forked import Forked, Quick, command
from tests.faults.ground import filled
from tests.faults.kills import recorded
from tests.faults.tally import Tally

Record = Callable[[str, object], None]
_ROWS, _PAGE_NOTES = 4_000, 40


@pytest.mark.parametrize("room", [0, 8_192, 65_536, 524_288])
def test_a_commit_without_room_records_nothing(room: int, tmp_path: Path, record_property: Record) -> None:
    """An import that finds no room at its commit is not recorded, and says so; with room the same import works."""
    with disk(tmp_path / "disk", 32_000_000) as small:
        ledger = filled(small.folder)
        rows = "".join(f"k{n},allocation,2026-03-01,AE,ALPHA,H100,1\n" for n in range(_ROWS))
        (tmp_path / "many.csv").write_text(f"{HEADER}\n{rows}")
        before = contents(ledger.path)
        words = ("--ledger", ledger.path, "import", tmp_path / "many.csv", "--provider", "prov")
        limit = ledger.path.stat().st_size if room else 0
        small.fill(room)
        ran = Forked.start(tmp_path / "run", *words, work=small.limited(command, limit + room)).end()
        small.make_room()

        assert ran.code == 5
        assert len(ran.err.splitlines()) == 1
        assert "nothing was recorded" in ran.sentence or "cannot be opened" in ran.sentence
        assert contents(ledger.path) == before
        assert ledger.go(*map(str, words[2:])).code == 0
        assert len(recorded(ledger, "prov")) == _ROWS
        assert audit(ledger.path) == []
        Tally(record_property).add(f"{small.kind}: commit", "refused")


def test_an_outside_checkpoint_without_room_is_written_later(tmp_path: Path, record_property: Record) -> None:
    """Where only the outside checkpoints have no room, the batch is recorded and said to be; the note follows later."""
    (tmp_path / "ledger").mkdir()
    ledger = filled(tmp_path / "ledger")
    outside = ledger.path.with_name(ledger.path.name + OUTSIDE_SUFFIX)
    with disk(tmp_path / "disk", 65_536) as small:
        elsewhere = Path(shutil.move(outside, small.folder / "kept"))
        outside.symlink_to(elsewhere)
        small.fill()
        ran, recorded_batches = _until_full(ledger, small.limited(command, elsewhere.stat().st_size))

        assert ran.code == 5
        assert len(ran.err.splitlines()) == 1
        assert "is recorded, but" in ran.sentence
        assert "the outside checkpoint cannot be written" in ran.sentence
        assert recorded(ledger, "prov") == {f"o{number}" for number in range(recorded_batches)}
        assert audit(ledger.path) != []

        small.make_room()
        ledger.write("next.csv", f"{HEADER}\n{GOOD}\n")
        assert ledger.go("import", "next.csv", "--provider", "after").code == 0
        assert audit(ledger.path) == []
        Tally(record_property).add(f"{small.kind}: outside checkpoint", "refused")


def _until_full(ledger: Quick, work: Callable[[], object]) -> tuple[Ran, int]:
    """Record batches until one has no room outside: the page that the file has begun takes some notes."""
    for number in range(_PAGE_NOTES):
        file = ledger.write("one.csv", f"{HEADER}\no{number},{GOOD[3:]}\n")
        words = ("--ledger", ledger.path, "import", file, "--provider", "prov")
        ran = Forked.start(ledger.folder, *words, work=work).end()
        if ran.code:
            return ran, number + 1
    raise AssertionError


@pytest.mark.parametrize("size", [8_192, 300_000, 1_000_000, 3_000_000])
def test_a_ledger_that_finds_no_room_is_not_made(size: int, tmp_path: Path, record_property: Record) -> None:
    """Making a ledger on a full disk is one sentence and leaves nothing; with room the same command makes it."""
    with disk(tmp_path / "disk", size) as small:
        ledger = Quick(small.folder)
        ran = Forked.start(tmp_path / "run", "--ledger", ledger.path, "init", work=small.limited(command, size)).end()

        assert ran.code == 5
        assert len(ran.err.splitlines()) == 1
        assert [path.name for path in small.folder.iterdir()] == []

        small.make_room()
        assert Forked.start(tmp_path / "run", "--ledger", ledger.path, "init").end().code == 0
        Tally(record_property).add(f"{small.kind}: init", "refused")
        assert {path.name.removeprefix(ledger.path.name) for path in small.folder.iterdir()} == {
            "",
            ".key",
            ".checkpoints",
        }
        assert audit(ledger.path) == []
