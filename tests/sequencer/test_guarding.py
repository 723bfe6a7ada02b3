"""What stands before the next write: the tree must be the one signed for, and the file outside must be whole."""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from ledger.core.errors import QuotaledgerError, VerificationFailed, WrongUsage
from ledger.sequencer.exporting import export_ledger
from ledger.sequencer.receipting import find_checkpoint, make_consistency, make_receipt
from ledger.sequencer.restoring import back_up_ledger
from ledger.sequencer.verifying import verify
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile
from ledger.store.guard import BATCHES_MAX
from ledger.store.outside import OutsideCheckpoints
from tests.harness import NOW, Bench
from tests.sealing import change, own_key, rows_of, seal_again
from tests.sequencer.sealed import ALLOCATION, fails

_HEAD = "SELECT sequence, leaf, batch FROM head"


def _outside(path: Path) -> Path:
    return path.with_name(path.name + OUTSIDE_SUFFIX)


def _notes(path: Path) -> list[str]:
    return list(OutsideCheckpoints(_outside(path)).notes())


def _record(path: Path) -> None:
    with LedgerFile.open(path, NOW) as ledger:
        Bench(ledger).submit("p", ALLOCATION | {"reference": "new", "quantity": 1})


def _refusal(path: Path) -> str:
    """Give what is said to who would record; nothing is, neither in the ledger nor outside."""
    before = rows_of(path, _HEAD), _outside(path).read_bytes() if _outside(path).exists() else None
    with pytest.raises(QuotaledgerError) as refused:
        _record(path)
    after = rows_of(path, _HEAD), _outside(path).read_bytes() if _outside(path).exists() else None
    assert after == before
    return str(refused.value)


@pytest.mark.parametrize("place", [0, 31, 32, -1])
def test_a_bit_of_the_peaks_flipped_is_found_before_the_next_checkpoint_signs_for_it(path: Path, place: int) -> None:
    """The peaks are derived, but the next root comes of them: an honest writer would sign for leaves that are not."""
    ((peaks,),) = rows_of(path, "SELECT peaks FROM head")
    assert isinstance(peaks, bytes)
    flipped = bytearray(peaks)
    flipped[place] ^= 1
    change(path, f"UPDATE head SET peaks = unhex('{flipped.hex()}')")

    assert "another root than the tree has that would grow" in _refusal(path)
    assert "peaks" in fails(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE head SET peaks = unhex('')",
        "UPDATE head SET leaf = leaf - 1",
        "UPDATE head SET leaf = 1::BIGINT << 50",
        "UPDATE head SET sequence = sequence - 1",
        "UPDATE head SET batch = batch + 3",
        "DELETE FROM head",
        "INSERT INTO head FROM head",
        "UPDATE checkpoint SET root = unhex(repeat('00', 32))",
        "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE batch = 1)",
        "DELETE FROM checkpoint WHERE batch = (SELECT max(batch) FROM checkpoint)",
    ],
)
def test_a_head_that_is_not_where_the_last_checkpoint_is_takes_no_record(path: Path, statement: str) -> None:
    """Neither of the two is believed when they differ, whichever was changed."""
    change(path, statement)

    assert "does not stand where its last checkpoint says" in _refusal(path)
    assert fails(path)


def test_a_head_put_back_by_a_batch_takes_no_record(path: Path) -> None:
    """With the last note cut outside it looks like an earlier moment; what would be signed then is a second history."""
    earlier = rows_of(path, "SELECT sequence, leaf, batch, hex(peaks) FROM head")[0]
    _record(path)
    sequence, leaf, batch, peaks = earlier
    change(path, f"UPDATE head SET sequence = {sequence}, leaf = {leaf}, batch = {batch}, peaks = unhex('{peaks}')")
    _outside(path).write_text("".join(f"{note}\n" for note in _notes(path)[:-1]), "utf-8")

    assert "does not stand where its last checkpoint says" in _refusal(path)


def test_what_was_not_signed_for_is_not_exported(path: Path, tmp_path: Path) -> None:
    """A row and its leaf's hash, changed together, fit each other and not the root."""
    change(path, "UPDATE party_row SET name = 'Else' WHERE leaf = (SELECT min(leaf) FROM party_row)")
    seal_again(path, own_key(path), leaves_only=True)

    with LedgerFile.open(path) as ledger, pytest.raises(VerificationFailed, match="do not have the root"):
        _exported(ledger, tmp_path / "out")


def test_a_leaf_far_away_is_not_counted_up_to_by_an_export(path: Path, tmp_path: Path) -> None:
    """A plain INSERT puts it there: no trigger forbids to append."""
    change(path, f"INSERT INTO leaf SELECT {1 << 50}, kind, salt, hash FROM leaf WHERE leaf = 1")

    with LedgerFile.open(path) as ledger, pytest.raises(VerificationFailed, match="has not the"):
        _exported(ledger, tmp_path / "out")


@pytest.mark.parametrize("gone", [1, 2, 3, BATCHES_MAX, BATCHES_MAX + 1, BATCHES_MAX + 5])
def test_more_outside_checkpoints_than_a_crash_keeps_back_are_not_made_up_for(path: Path, gone: int) -> None:
    """One transaction's checkpoints are appended after a crash; that more are missing is no crash, and is told."""
    with LedgerFile.open(path, NOW) as ledger:
        for number in range(BATCHES_MAX):
            Bench(ledger).submit("many", ALLOCATION | {"reference": f"{number}", "quantity": 1})
    whole = _outside(path).read_bytes()
    kept = _notes(path)[:-gone]
    _outside(path).write_text("".join(f"{note}\n" for note in kept), "utf-8")

    if gone <= BATCHES_MAX:
        assert f"lacks the last {gone:,} of the ledger's checkpoints, as after a crash" in verify(path).remarks[0]
    else:
        assert "lacks more of the ledger's last checkpoints than a crash explains" in _refusal(path)
        assert "lacks more" in fails(path)
        _outside(path).write_bytes(whole)
    _record(path)
    assert _outside(path).read_bytes().startswith(whole)
    assert verify(path).remarks == []


def test_no_transaction_records_more_batches_than_a_crash_may_keep_back(path: Path) -> None:
    """As many as that are recorded together; one more is refused, with all of them, before anything is committed."""
    for more in (1, 0):
        before = rows_of(path, _HEAD), _outside(path).read_bytes()
        refused = pytest.raises(QuotaledgerError, match=f"at most {BATCHES_MAX} batches") if more else nullcontext()
        with LedgerFile.open(path, NOW) as ledger, refused, ledger.transaction():
            for number in range(BATCHES_MAX + more):
                Bench(ledger).submit("many", ALLOCATION | {"reference": f"{number}", "quantity": 1})
        after = rows_of(path, _HEAD), _outside(path).read_bytes()
        assert (after == before) == bool(more)

    assert verify(path).remarks == []


def test_what_becomes_of_the_file_outside_while_the_ledger_is_open_is_noticed(path: Path) -> None:
    """After each COMMIT it must end as it was left: a note that is cut off comes again, an edited one stops writers."""
    outside = _outside(path)
    with LedgerFile.open(path, NOW) as ledger:
        bench = Bench(ledger)
        for number in range(4):
            bench.submit("p", ALLOCATION | {"reference": f"new {number}", "quantity": 1})
            recorded = [note for (note,) in ledger.rows("SELECT note FROM checkpoint ORDER BY batch")]
            assert _notes(path) == recorded
            outside.write_text("".join(f"{note}\n" for note in recorded[: len(recorded) - number]))
        outside.write_text("".join(f"{note}\n" for note in [*recorded[:-1], recorded[-1].replace("quota", "quote")]))
        with pytest.raises(QuotaledgerError, match="disagree about the first"):
            bench.submit("p", ALLOCATION | {"reference": "more", "quantity": 1})
        with pytest.raises(QuotaledgerError, match="disagree about the first"):
            bench.submit("p", ALLOCATION | {"reference": "and more", "quantity": 1})
        assert ledger.rows("SELECT count(*) FROM entry WHERE reference = 'and more'") == [(0,)]


def test_a_missing_file_of_outside_checkpoints_stops_writers_until_it_is_renewed(path: Path) -> None:
    """Without it nothing shows that this is not an old copy; reading goes on, and once renewed, so does recording."""
    whole = _outside(path).read_bytes()
    _outside(path).unlink()

    assert "there is no checkpoint in" in _refusal(path)
    assert "bring the file back" in fails(path)
    with LedgerFile.open(path) as ledger:
        assert ledger.rows("SELECT count(*) FROM entry") == [(308,)]
    assert "anew" in verify(path, renew=True).remarks[0]
    assert _outside(path).read_bytes() == whole
    _record(path)
    assert verify(path).remarks == []


@pytest.mark.parametrize("garbage", [b"", b"\0" * 400, b"not one checkpoint\n", b"a\n1\nb\n\n\xe2\x80\x94 half"])
def test_a_file_without_a_whole_checkpoint_is_renewed_and_kept(path: Path, garbage: bytes) -> None:
    """What is there and none is as good as lost, but it is not thrown away: it may tell what has happened."""
    whole = _outside(path).read_bytes()
    _outside(path).write_bytes(garbage)
    before = set(path.parent.iterdir())

    assert "there is no checkpoint in" in _refusal(path)
    verify(path, renew=True)
    (kept,) = set(path.parent.iterdir()) - before
    assert kept.name.startswith(f"{_outside(path).name}.damaged-")
    assert kept.read_bytes() == garbage
    assert _outside(path).read_bytes() == whole
    _record(path)
    assert verify(path).remarks == []


def test_checkpoints_before_much_damage_are_not_renewed(path: Path) -> None:
    """So much after the last note that the end of the file has none: what is before it may tell of lost records."""
    _outside(path).write_bytes(_outside(path).read_bytes() + bytes(20_000))
    before = _outside(path).read_bytes()

    with pytest.raises(WrongUsage, match="are not lost"):
        verify(path, renew=True)
    assert _outside(path).read_bytes() == before


def test_outside_checkpoints_that_are_there_are_not_renewed(path: Path) -> None:
    """A file with one whole note in it, wherever, says something that renewing would wipe out."""
    one = _notes(path)[0]
    for content in (f"{one}\n", f"garbage\n{one}\nmore"):
        _outside(path).write_text(content, "utf-8")
        with pytest.raises(WrongUsage, match="are not lost"):
            verify(path, renew=True)

        assert _outside(path).read_text("utf-8") == content


def _exported(ledger: LedgerFile, to: Path) -> None:
    export_ledger(ledger, to, NOW)


def _backed_up(ledger: LedgerFile, to: Path) -> None:
    back_up_ledger(ledger, to)


def _receipt(ledger: LedgerFile, _: Path) -> None:
    make_receipt(ledger, 1)


def _checkpoint(ledger: LedgerFile, _: Path) -> None:
    find_checkpoint(ledger)


def _consistency(ledger: LedgerFile, _: Path) -> None:
    make_consistency(ledger, "1")


def test_a_ledger_with_wrong_balances_is_not_backed_up(path: Path, tmp_path: Path) -> None:
    """In a copy they would be right again, and what was decided on them would look like whoever recorded it lied."""
    change(path, "UPDATE balance SET tpp = 0")

    with LedgerFile.open(path) as ledger, pytest.raises(VerificationFailed, match=r"the balance .* is kept as 0 TPP"):
        back_up_ledger(ledger, tmp_path / "copy.duckdb")
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize("copying", [_exported, _backed_up, _receipt, _checkpoint, _consistency])
@pytest.mark.parametrize("spoilt", ["rolled back", "fork", "gone"])
def test_a_ledger_that_its_outside_checkpoints_contradict_is_not_copied(
    path: Path, tmp_path: Path, copying: Callable[[LedgerFile, Path], None], spoilt: str
) -> None:
    """A copy gets outside checkpoints of its own: they would no longer say that what it was made of was an old one."""
    shutil.copy(path, tmp_path / "older")
    _record(path)
    if spoilt == "gone":
        _outside(path).unlink()
    else:
        shutil.copy(tmp_path / "older", path)
    if spoilt == "fork":
        kept = _outside(path).read_bytes()
        _outside(path).write_text("".join(f"{note}\n" for note in _notes(path)[:-1]), "utf-8")
        _record(path)
        _outside(path).write_bytes(kept)
    before = set(tmp_path.iterdir())
    said = {"rolled back": "it is an older copy", "fork": "disagree about", "gone": "there is no checkpoint in"}

    with LedgerFile.open(path) as ledger, pytest.raises(VerificationFailed, match=said[spoilt]):
        copying(ledger, tmp_path / "copy")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("leaf", [1 << 50, (1 << 62) + 1])
def test_a_leaf_numbered_far_away_is_told_without_counting_up_to_it(path: Path, leaf: int) -> None:
    """A number out of the way is no batch's, and no reason to go through a quadrillion spans: that would never end."""
    change(path, f"UPDATE leaf SET leaf = {leaf} WHERE leaf = 100", f"UPDATE entry SET leaf = {leaf} WHERE leaf = 100")

    assert f"leaf {leaf:,} is there, but no batch has closed it" in fails(path)


def test_a_batch_that_ends_far_away_is_told_without_counting_up_to_it(path: Path) -> None:
    """The last leaf, and all that names it, moved together: the leaves still have a gap before it."""
    far = 1 << 50
    ((last,),) = rows_of(path, "SELECT max(leaf) FROM leaf")
    change(
        path,
        f"UPDATE leaf SET leaf = {far} WHERE leaf = {last}",
        f"UPDATE batch SET last_leaf = {far} WHERE last_leaf = {last}",
        f"UPDATE checkpoint SET size = {far + 1} WHERE size = {last} + 1",
        f"UPDATE head SET leaf = {far + 1}",
    )

    assert f"leaf {last:,} of the log is missing" in fails(path)
