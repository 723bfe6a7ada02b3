"""Signing keys: who may sign, how the key is changed, and what a crash in between leaves."""

from pathlib import Path

import pytest

from ledger.core.errors import InputRejected, QuotaledgerError, WrongUsage
from ledger.sequencer.desk import Desk
from ledger.sequencer.rotating import Rotation, rotate
from ledger.store import guard
from ledger.store.file import LedgerFile
from ledger.tlog.checkpoint import Checkpoint, read_checkpoint
from ledger.tlog.note import NoteError, VerifierKey, parts
from tests.harness import NOW, Bench, bench

ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
RECORD = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "ALPHA", "chip": "H100"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with a party, closed, with its key and its outside checkpoints."""
    with bench(tmp_path) as made:
        made.register("parties", ALPHA)
    return tmp_path / "ledger.duckdb"


def key_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.key")


def changed(path: Path, *, lost: bool = False) -> Rotation:
    return rotate(path, "yearly", "tests", NOW, lost=lost)


def record(path: Path, reference: str) -> str:
    """Record an allocation and give the checkpoint over it."""
    with LedgerFile.open(path, NOW) as ledger:
        Bench(ledger).submit("p", RECORD | {"reference": reference, "quantity": 1})
        return last_note(ledger)


def last_note(ledger: LedgerFile) -> str:
    return str(ledger.rows("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")[0][0])


def test_a_new_key_is_signed_for_by_the_old_one(path: Path) -> None:
    """The change is a leaf and a batch; both keys sign its checkpoint, the new one alone those after it."""
    done = changed(path)
    with LedgerFile.open(path) as ledger:
        note = last_note(ledger)
        rows = ledger.rows("SELECT key, note FROM key_row ORDER BY leaf")
    after = record(path, "a")

    assert read_checkpoint(note, [done.before]) == read_checkpoint(note, [done.key])
    assert rows[1:] == [(str(done.key), "yearly")]
    assert read_checkpoint(after, [done.key]).origin == done.before.name
    with pytest.raises(NoteError, match="none of the keys"):
        read_checkpoint(after, [done.before])


def test_the_private_key_is_its_owners_alone(path: Path) -> None:
    """New keys have mode 0600; the old one is kept under another name; a key that others may read is not used."""
    done = changed(path)

    assert done.old_file
    assert [file.stat().st_mode & 0o777 for file in (key_file(path), done.old_file)] == [0o600, 0o600]
    key_file(path).chmod(0o640)
    with pytest.raises(QuotaledgerError, match="chmod 600"):
        LedgerFile.open(path, NOW)


@pytest.mark.parametrize("what", ["gone", "another", "garbage"])
def test_nothing_is_recorded_without_the_key_in_use(path: Path, what: str) -> None:
    """A key that is gone, another's or broken keeps writers out, readers not; said lost, another takes its place."""
    file = key_file(path)
    if what == "another":
        changed(path)
        file.unlink()
        next(path.parent.glob("*.key.before-*")).rename(file)
    elif what == "garbage":
        file.write_bytes(b"no key")
    else:
        file.unlink()

    with pytest.raises(QuotaledgerError, match="signing key"):
        LedgerFile.open(path, NOW)
    with LedgerFile.open(path) as ledger:
        before = guard.key_in_use(ledger.connection)
    done = changed(path, lost=True)
    note = record(path, "a")

    assert done.before == before
    assert read_checkpoint(note, [done.key]).size
    with LedgerFile.open(path) as ledger:
        (handover,) = ledger.rows("SELECT note FROM checkpoint WHERE batch = ?", [done.batch])[0]
    assert [key_id for _, key_id, _ in parts(handover)[1]] == [done.key.id]


def test_a_key_that_is_there_is_not_lost(path: Path) -> None:
    """--lost is refused where the old key could sign, and nothing is recorded; nor with a blank note."""
    with pytest.raises(WrongUsage, match="not lost"):
        changed(path, lost=True)
    with pytest.raises(InputRejected, match="blank"):
        rotate(path, " ", "tests", NOW, lost=False)

    with LedgerFile.open(path, NOW) as ledger:
        assert ledger.rows("SELECT count(*) FROM key_row") == [(1,)]


@pytest.mark.parametrize("lost", [False, True])
def test_a_rotation_cut_short_is_finished_at_the_next_opening(
    path: Path, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    """Recorded, but the file of the new key not yet in its place: the next writer puts it there."""
    if lost:
        key_file(path).unlink()
    with monkeypatch.context() as cut:
        cut.setattr(guard, "finish_rotation", lambda *_: None)
        done = changed(path, lost=lost)
    assert key_file(path).exists() is not lost

    assert read_checkpoint(record(path, "a"), [done.key]).size
    assert not list(path.parent.glob("*.next"))


def test_a_rotation_that_was_never_recorded_leaves_the_old_key_in_use(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the change is not committed, the old key signs on, and the next change makes a key of its own."""

    def cut_short(*_: object, **__: object) -> None:
        raise QuotaledgerError("cut")

    with monkeypatch.context() as cut:
        cut.setattr(Desk, "batch", cut_short)
        with pytest.raises(QuotaledgerError, match="cut"):
            changed(path)
    waiting = key_file(path).with_name(key_file(path).name + guard.NEXT_SUFFIX).read_bytes()

    assert record(path, "a")
    done = changed(path)
    assert key_file(path).read_bytes() != waiting
    assert read_checkpoint(record(path, "b"), [done.key]).size


def test_a_key_elsewhere_is_found_by_its_name(path: Path, tmp_path: Path) -> None:
    """A key in another folder is named; a rotation keeps it there."""
    folder = tmp_path / "safe"
    folder.mkdir()
    elsewhere = key_file(path).rename(folder / "signing.pem")
    done = rotate(path, "moved", "tests", NOW, elsewhere, lost=False)
    with LedgerFile.open(path, NOW, elsewhere) as ledger:
        assert ledger.signer
        assert ledger.signer.key == done.key

    assert elsewhere.exists()
    with pytest.raises(QuotaledgerError, match="--signing-key"):
        LedgerFile.open(path, NOW)


def test_a_checkpoint_says_what_the_log_is(path: Path) -> None:
    """Each is over all leaves so far, under the name of the log, in the order of batches."""
    record(path, "a")
    with LedgerFile.open(path) as ledger:
        key: VerifierKey = guard.key_in_use(ledger.connection)
        rows = ledger.rows("SELECT c.note, b.last_leaf FROM checkpoint c JOIN batch b USING (batch) ORDER BY batch")
        found: list[Checkpoint] = [read_checkpoint(note, [key]) for note, _ in rows]

    assert [checkpoint.size for checkpoint in found] == [last + 1 for _, last in rows]
    assert {checkpoint.origin for checkpoint in found} == {key.name}
