"""A disk full while a ledger is exported, copied or restored, or its key changed: all of that is done or nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.sequencer.verifying import verify
from ledger.store.file import KEY_SUFFIX, LedgerFile
from ledger.store.guard import NEXT_SUFFIX, key_in_use
from ledger.store.signing import read_private_key
from ledger.tlog.note import VerifierKey
from tests.cli.command import GOOD, HEADER
from tests.faults.audit import audit, contents
from tests.faults.disk import disk
from tests.faults.forked import Forked, Quick, command
from tests.faults.ground import filled
from tests.faults.tally import Tally

Record = Callable[[str, object], None]
_MADE = "made"
_COPIES = {
    "export": (0, 8_192, 40_960),
    "backup": (0, 8_192, 524_288),
    "restore": (0, 8_192, 524_288),
}
"""What makes a copy, and rooms that it does not find enough."""


@pytest.mark.parametrize(("verb", "room"), [(verb, room) for verb, rooms in _COPIES.items() for room in rooms])
def test_a_copy_that_finds_no_room_is_not_made(verb: str, room: int, tmp_path: Path, record_property: Record) -> None:
    """Wherever the room ends, one sentence is said, nothing by half is left, and with room the command works."""
    with disk(tmp_path / "disk", 32_000_000) as small:
        ledger = filled(small.folder)
        assert ledger.go("export", "export").code == 0
        restoring = verb == "restore"
        words: tuple[str | Path, ...] = ("--ledger", small.folder / _MADE if restoring else ledger.path, verb)
        words = (*words, small.folder / ("export" if restoring else _MADE))
        before, whole = {path.name for path in small.folder.iterdir()}, contents(ledger.path)
        small.fill(room)
        ran = Forked.start(tmp_path / "run", *words, work=small.limited(command, room)).end()
        left = {path.name for path in small.folder.iterdir()} - {"reserve"}
        small.make_room()

        assert ran.code == 5
        assert len(ran.err.splitlines()) == 1
        assert (left, contents(ledger.path)) == (before, whole)
        assert Forked.start(tmp_path / "run", *words).end().code == 0
        assert (small.folder / _MADE).exists()
        assert verb == "export" or audit(small.folder / _MADE) == []
        assert audit(ledger.path) == []
        Tally(record_property).add(f"{small.kind}: {verb}", "refused")


@pytest.mark.parametrize("room", [0, 4_096, 8_192, 16_384, 32_768])
def test_a_key_that_finds_no_room_is_not_changed_by_half(room: int, tmp_path: Path, record_property: Record) -> None:
    """The key is changed or it is not; either way the one in force signs, and with room the next change works."""
    with disk(tmp_path / "disk", 32_000_000) as small:
        ledger = filled(small.folder, 3)
        key, first = ledger.path.with_name(ledger.path.name + KEY_SUFFIX), _in_force(ledger)
        before = {path.name for path in small.folder.iterdir()}
        words = ("--ledger", ledger.path, "signing-key", "rotate", "--note", "why")
        small.fill(room)
        ran = Forked.start(tmp_path / "run", *words, work=small.limited(command, room)).end()
        # The key that waits is put in use by nothing but the log, and a torn log is mended at the next opening.
        allowed = {"reserve", key.name + NEXT_SUFFIX, ledger.path.name + ".wal"}
        left = {path.name for path in small.folder.iterdir()} - allowed
        small.make_room()

        changed = _in_force(ledger) != first
        assert ran.code == (5 if not changed else ran.code)
        assert ran.code == 0 or len(ran.err.splitlines()) == 1
        assert changed or (left, room < 32_768) == (before, True)
        assert not changed or ran.code == 0 or "is recorded, but" in ran.err

        ledger.write("next.csv", f"{HEADER}\n{GOOD}\n")
        assert ledger.go("import", "next.csv", "--provider", "after").code == 0
        assert VerifierKey.of(first.name, read_private_key(key)) == _in_force(ledger)
        assert ledger.go(*words[2:]).code == 0
        assert not key.with_name(key.name + NEXT_SUFFIX).exists()
        assert verify(ledger.path, [first]).key == _in_force(ledger)
        assert audit(ledger.path) == []
        Tally(record_property).add(f"{small.kind}: change of the key", "refused" if ran.code else "survived")


def _in_force(ledger: Quick) -> VerifierKey:
    with LedgerFile.open(ledger.path) as opened:
        return key_in_use(opened.connection)
