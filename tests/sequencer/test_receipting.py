"""Receipts and consistency statements: they hold without the ledger, and nothing that was changed does."""

import json
from pathlib import Path

import pytest

from ledger.core.errors import InputRejected, VerificationFailed, WrongUsage
from ledger.sequencer.receipting import (
    check_consistency,
    check_receipt,
    find_checkpoint,
    leaf_of_reference,
    leaf_of_sequence,
    make_consistency,
    make_receipt,
)
from ledger.sequencer.rotating import keys_in_turn, rotate
from ledger.store import log
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile, beside
from ledger.store.guard import key_in_use
from ledger.store.outside import OutsideCheckpoints
from ledger.store.query import rows
from ledger.tlog.leaf import FIELDS
from tests.harness import NOW, Bench, bench

_ORDER = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "P", "chip": "H100"}


def _fill(made: Bench, count: int = 300) -> str:
    """Record parties and some hundred records, so that tiles are needed; give the verifier key."""
    made.register("parties", {"party": "P", "name": "P", "headquarters": "AE"})
    made.submit("mine", _ORDER | {"reference": "a", "quantity": "10", "note": 'é "\\'})
    made.submit("other", *(_ORDER | {"reference": f"r{n}", "quantity": "1"} for n in range(count)))
    return str(key_in_use(made.ledger.connection))


def _sizes(made: Bench) -> list[int]:
    return [size for (size,) in made.ledger.rows("SELECT size FROM checkpoint ORDER BY size")]


def _write(folder: Path, text: str, name: str = "file") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def test_every_leaf_has_a_receipt_that_holds(tmp_path: Path) -> None:
    """A receipt of any leaf holds under the ledger's key and says what the leaf says, whatever its kind."""
    with bench(tmp_path) as made:
        key = _fill(made)
        sizes = _sizes(made)
        size = sizes[-1]
        made_of = {leaf: make_receipt(made.ledger, leaf) for leaf in (*range(0, size, 7), size - 1)}
        fields = {leaf: log.leaf_fields(made.ledger.connection, leaf) for leaf in made_of}
    for leaf, receipt in made_of.items():
        found, checkpoint = check_receipt(_write(tmp_path, receipt.text), [key])
        kind, said = fields[leaf]

        assert checkpoint.size == (sizes[0] if kind == "key" else size)
        assert (found.leaf, found.kind) == (leaf, kind)
        assert dict.fromkeys(FIELDS[kind]) | dict(found.fields) == {
            name: None if said[name] is None or name not in found.fields else said[name] for name in said
        }


def test_a_record_is_found_by_reference_and_by_sequence(tmp_path: Path) -> None:
    """Its receipt has record, decision and sentence; who or what is not there is told, with the likely name."""
    with bench(tmp_path) as made:
        _fill(made)
        ledger = made.ledger
        leaf = leaf_of_reference(ledger, "other", "r17")
        receipt = make_receipt(ledger, leaf)

        assert leaf == leaf_of_sequence(ledger, 19)
        assert (receipt.fields["reference"], receipt.fields["sequence"]) == ("r17", 19)
        assert receipt.fields["outcome"] == "admitted"
        assert (receipt.message or "").startswith("Admitted: allocation of 1 H100")
        with pytest.raises(InputRejected, match='did you mean "other"'):
            leaf_of_reference(ledger, "othr", "r17")
        with pytest.raises(InputRejected, match="has filed no record"):
            leaf_of_reference(ledger, "mine", "r17")
        with pytest.raises(InputRejected, match="the last one is 301"):
            leaf_of_sequence(ledger, 302)
        with pytest.raises(InputRejected, match="there is no leaf -1"):
            make_receipt(ledger, -1)


def test_a_changed_receipt_does_not_hold(tmp_path: Path) -> None:
    """One quantity, one number, one step of the proof, another key: each is noticed, without the ledger."""
    with bench(tmp_path) as made:
        key = _fill(made)
        says = json.loads(make_receipt(made.ledger, leaf_of_reference(made.ledger, "mine", "a")).text)
    (tmp_path / "other").mkdir()
    with bench(tmp_path / "other", lpp_annual_tpp="1") as made:
        other = str(key_in_use(made.ledger.connection))
    changed = [
        says | {"fields": says["fields"] | {"quantity": 11}},
        says | {"leaf": says["leaf"] + 1},
        says | {"proof": says["proof"][1:]},
        says | {"proof": [says["proof"][1], *says["proof"][1:]]},
        says | {"checkpoint": says["checkpoint"].replace("\n", "\n1", 1)},
        says | {"kind": "party"},
        [],
    ]

    assert check_receipt(_write(tmp_path, json.dumps(says)), [key])
    assert check_receipt(_write(tmp_path, json.dumps(says)), [str(_write(tmp_path, key + "\n", "key"))])
    assert check_receipt(_write(tmp_path, json.dumps(says)), [str(_write(tmp_path, f"{other}\n\n{key}\n", "keys"))])
    for content in changed:
        with pytest.raises(VerificationFailed, match="does not hold"):
            check_receipt(_write(tmp_path, json.dumps(content)), [key])
    with pytest.raises(VerificationFailed, match="none of the keys"):
        check_receipt(_write(tmp_path, json.dumps(says)), [other])
    with pytest.raises(WrongUsage, match="without a key"):
        check_receipt(_write(tmp_path, json.dumps(says)), [])
    with pytest.raises(WrongUsage, match="cannot be read"):
        check_receipt(tmp_path / "none", [key])


def test_any_two_checkpoints_are_shown_to_be_of_one_log(tmp_path: Path) -> None:
    """A statement between any two checkpoints, given by size or as a file, holds; the newest is meant if none is."""
    with bench(tmp_path) as made:
        key = _fill(made)
        sizes = _sizes(made)
        texts = {(a, b): make_consistency(made.ledger, str(a), str(b)).text for a in sizes for b in sizes if a <= b}
        first = log.checkpoint_note(made.ledger.connection, sizes[0]) or ""
        by_file = make_consistency(made.ledger, str(_write(tmp_path, first, "note"))).text
        with pytest.raises(WrongUsage, match="give them in order"):
            make_consistency(made.ledger, str(sizes[1]), str(sizes[0]))
        with pytest.raises(WrongUsage, match=f"the nearest have {sizes[0]:,} and {sizes[1]:,}"):
            make_consistency(made.ledger, str(sizes[0] + 1))
    for (earlier, later), text in texts.items():
        _, checkpoints = check_consistency(_write(tmp_path, text), [key])
        assert [checkpoint.size for checkpoint in checkpoints] == [earlier, later]

    assert by_file == texts[sizes[0], sizes[-1]]
    forged = json.loads(by_file) | {"proof": []}
    with pytest.raises(VerificationFailed, match="does not hold"):
        check_consistency(_write(tmp_path, json.dumps(forged)), [key])


def test_a_checkpoint_is_given_as_whoever_kept_it_has_it(tmp_path: Path) -> None:
    """A file of several notes counts by its last whole one, whole or with a torn end; a receipt by its checkpoint."""
    with bench(tmp_path) as made:
        _fill(made, 5)
        sizes = _sizes(made)
        notes = [find_checkpoint(made.ledger, str(size)) for size in sizes]
        receipt = make_receipt(made.ledger, 2).text
        many = _write(tmp_path, "\n".join(notes[:2]) + "\n")
        torn = _write(tmp_path, "\n".join([*notes[:2], notes[2][:40]]), "torn")
        given = [str(many), str(torn), str(_write(tmp_path, receipt, "receipt"))]

        assert [find_checkpoint(made.ledger, one) for one in given] == [notes[1], notes[1], notes[-1]]
        assert find_checkpoint(made.ledger) == notes[-1]
        assert outside_notes(made) == notes
        with pytest.raises(WrongUsage, match="is no checkpoint"):
            find_checkpoint(made.ledger, str(_write(tmp_path, "{}")))


def outside_notes(made: Bench) -> list[str]:
    return list(OutsideCheckpoints(beside(made.ledger.path, OUTSIDE_SUFFIX)).notes())


def test_a_receipt_leads_from_an_old_key_to_the_new_one(tmp_path: Path) -> None:
    """Whoever trusts the old key alone learns the new one of a receipt; not where the old one was lost."""
    with bench(tmp_path) as made:
        _fill(made, 5)
    path = tmp_path / "ledger.duckdb"
    first = rotate(path, "yearly", "tests", NOW, lost=False)
    (tmp_path / "ledger.duckdb.key").unlink()
    second = rotate(path, "gone", "tests", NOW, lost=True)
    with LedgerFile.open(path) as ledger:
        turns = keys_in_turn(ledger)
        receipts = [make_receipt(ledger, turn.leaf).text for turn in turns]

    assert [turn.key for turn in turns] == [first.before, first.key, second.key]
    assert [turn.is_handed_over for turn in turns] == [False, True, False]
    found, _ = check_receipt(_write(tmp_path, receipts[1]), [str(first.before)])
    assert found.fields["key"] == str(first.key)
    with pytest.raises(VerificationFailed, match="none of the keys"):
        check_receipt(_write(tmp_path, receipts[2]), [str(first.key)])


def test_a_checkpoint_that_the_ledger_never_signed_is_told(tmp_path: Path) -> None:
    """Whoever kept a checkpoint of a history that was changed later is told so, not given a statement."""
    with bench(tmp_path) as made:
        _fill(made, 3)
        kept = log.checkpoint_note(made.ledger.connection, _sizes(made)[-1]) or ""
    (tmp_path / "fork").mkdir()
    with bench(tmp_path / "fork") as made:
        _fill(made, 3)
        with pytest.raises(VerificationFailed, match="never signed"):
            make_consistency(made.ledger, str(_write(tmp_path, kept)))
        with pytest.raises(WrongUsage, match="is no checkpoint"):
            make_consistency(made.ledger, str(_write(tmp_path, "hello")))


def test_a_receipt_reads_few_hashes_of_a_large_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With tens of thousands of leaves a proof reads a few hundred hashes, not all."""
    with bench(tmp_path) as made:
        key = _fill(made, 20_000)
        read = [0]

        def counting(*given: object) -> list[tuple[object, ...]]:
            found = rows(*given)  # type: ignore[arg-type]
            read[0] += len(found)
            return found

        monkeypatch.setattr("ledger.store.log.rows", counting)
        receipt = make_receipt(made.ledger, 777)

    assert check_receipt(_write(tmp_path, receipt.text), [key])
    assert 0 < read[0] <= 1_000
