"""The verifier in exports and the package give the same verdict, on what is whole and on what is forged."""

import json
import shutil
from base64 import b64encode
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.core.errors import VerificationFailed
from ledger.sequencer.exporting import export_ledger
from ledger.sequencer.verifying import verify
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile, beside
from ledger.tlog.note import VerifierKey
from tests.harness import NOW
from tests.sealing import change, own_key, rows_of, seal_again
from tests.sequencer import both
from tests.sequencer.both import STRANGER, Forgery, Said, alone, declare, edit, lines, notes, package, replace


@pytest.fixture(name="plain", scope="module")
def _plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with records, closed, and its export beside it."""
    path = both.filled(tmp_path_factory.mktemp("plain"))
    both.export(path, path.parent / "export")
    return path


def _key(path: Path) -> str:
    ((key,),) = rows_of(path, "SELECT key FROM key_row")
    return str(key)


@pytest.mark.parametrize("kinds", ["", "h", "l", "hl", "lh", "ll", "hlh"])
def test_they_trust_the_same_keys(kinds: str, tmp_path: Path) -> None:
    """Whichever keys of a chain are given, with a stranger's or without: verdict, root and key are the same.

    A chain is trusted if one that was lost is followed, sooner or later, by a key that was given.
    """
    folder, keys = both.chain(tmp_path, kinds)
    stranger = str(VerifierKey.of(keys[0].partition("+")[0], STRANGER))
    whole = package(folder, keys)
    path = next(tmp_path.glob("restored-*.duckdb"))
    lost = max((at + 1 for at, kind in enumerate(kinds) if kind == "l"), default=0)
    assert whole == alone(folder, keys=keys)[0]._replace(key=keys[-1])

    for size in range(len(keys) + 1):
        for given in combinations(keys, size):
            for more in ([], [stranger]):
                named = [*more, *given]
                good = any(keys.index(key) >= lost for key in given) if named else not lost
                ours, said = alone(folder, keys=named)
                theirs = _verified(path, named)
                assert ours.code == theirs.code == (0 if good else 3), (kinds, named)
                assert ours.root == theirs.root
                assert not good or all(key in said for key in given or [theirs.key])
                assert stranger not in said


def _verified(path: Path, keys: list[str]) -> Said:
    """Give what `verify` says of a ledger."""
    try:
        found = verify(path, [VerifierKey.parse(key) for key in keys])
    except VerificationFailed:
        return Said(3)
    return Said(0, found.root.hex(), str(found.key))


def test_a_wrong_signature_of_a_known_key_spoils_a_checkpoint(tmp_path: Path) -> None:
    """Beside the signature of the key in force stands one that the key before never made: neither verifier has that."""
    whole, keys = both.chain(tmp_path, "l")
    path = tmp_path / "ledger.duckdb"
    wrong = b64encode(VerifierKey.parse(keys[0]).id + bytes(64)).decode()
    ((note,),) = rows_of(path, "SELECT note FROM checkpoint WHERE batch = (SELECT batch FROM key_row WHERE leaf > 0)")
    forged = f"{note}\u2014 {keys[0].partition('+')[0]} {wrong}\n"
    change(path, f"UPDATE checkpoint SET note = '{forged}' WHERE note = '{note}'")
    outside = beside(path, OUTSIDE_SUFFIX)
    outside.write_text(outside.read_text("utf-8").replace(str(note), forged), "utf-8")
    folder = both.export(path, tmp_path / "forged")

    assert alone(whole, keys=keys)[0].code == package(whole, keys).code == 0
    assert alone(folder, keys=keys)[0] == package(folder, keys) == Said(3)


@pytest.mark.parametrize("given", [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]])
def test_a_restore_trusts_as_they_do(given: list[int], tmp_path: Path) -> None:
    """With the second key lost sight of and the third handed over, restore gives the answer of the stand-alone one."""
    folder, keys = both.chain(tmp_path, "lh")
    named = [keys[at] for at in given]
    ours, theirs = alone(folder, keys=named)[0], package(folder, named)

    assert (ours.code, ours.root) == (theirs.code, theirs.root)
    assert ours.code == (0 if max(given, default=0) else 3)


def _swap(one: int, other: int) -> Any:
    def to(found: list[bytes]) -> list[bytes]:
        found[one], found[other] = found[other], found[one]
        return found

    return to


def _twice(name: bytes) -> Any:
    return lambda text: text.replace(b'"%s":' % name, b'"%s":"x","%s":' % (name, name), 1)


def _letter(found: list[bytes]) -> list[bytes]:
    found[2] = found[2][:-20] + (b"A" if found[2][-20:-19] != b"A" else b"B") + found[2][-19:]
    return found


def _raw_manifest(before: str, after: str) -> Forgery:
    def to(folder: Path) -> None:
        text = (folder / "manifest.json").read_text("utf-8")
        assert before in text
        (folder / "manifest.json").write_text(text.replace(before, after, 1), "utf-8")

    return to


def _gone(name: str) -> Forgery:
    return lambda folder: (folder / name).unlink()


def _written(name: str, content: bytes = b"") -> Forgery:
    return lambda folder: (folder / name).write_bytes(content)


FORGED: Final[dict[str, Forgery]] = {
    "a field is changed": edit("leaves.ndjson", lambda text: text.replace(b'"quantity":10', b'"quantity":11', 1)),
    "a field is added": edit("leaves.ndjson", lambda text: text.replace(b'"quantity":10', b'"quantity":10,"x":1', 1)),
    "a name is said twice": edit("leaves.ndjson", _twice(b"provider")),
    "a number is written otherwise": edit(
        "leaves.ndjson", lambda text: text.replace(b'"quantity":10', b'"quantity":1e1', 1)
    ),
    "a text is written otherwise": edit("leaves.ndjson", lambda text: text.replace(b'"mine"', b'"min\\u0065"', 1)),
    "a blank between": edit("leaves.ndjson", lambda text: text.replace(b'"quantity":10', b'"quantity": 10', 1)),
    "a hash beside the fields": lines(lambda found: [*found[:-1], found[-1][:-1] + b', "hash": "' + b"0" * 64 + b'"}']),
    "a line more": edit("leaves.ndjson", lambda text: text + b"\n"),
    "the last line is not ended": edit("leaves.ndjson", lambda text: text[:-1]),
    "a leaf is moved": lines(_swap(-2, -4)),
    "a leaf of a register is moved": lines(_swap(5, 6)),
    "a leaf is moved with its number": lines(_swap(5, 6), numbered=False),
    "a leaf is left out": lines(lambda found: [*found[:5], *found[6:]]),
    "the last batch is left out": lines(lambda found: found[:-2]),
    "a leaf is there twice": lines(lambda found: [*found[:5], *found[4:]]),
    "a leaf is of another kind": edit(
        "leaves.ndjson", lambda text: text.replace(b'"kind": "party"', b'"kind": "chip"')
    ),
    "counts of a batch are changed": edit("leaves.ndjson", lambda text: text.replace(b'"admitted":3', b'"admitted":2')),
    "the last checkpoint is left out": notes(lambda found: found[:-1]),
    "the first checkpoint is left out": notes(lambda found: found[1:]),
    "a checkpoint in the middle is left out": notes(lambda found: [*found[:2], *found[3:]]),
    "a checkpoint is there twice": notes(lambda found: [*found, found[-1]]),
    "checkpoints are swapped": notes(_swap(1, 2)),
    "a signature is changed": notes(_letter),
    "checkpoints break off": edit("checkpoints.txt", lambda text: text[:-1]),
    "checkpoints break off in a signature": edit("checkpoints.txt", lambda text: text[:-9]),
    "a blank line more": edit("checkpoints.txt", lambda text: text + b"\n"),
    "no checkpoints": edit("checkpoints.txt", lambda _: b""),
    "a checkpoint of other bytes": edit("checkpoints.txt", lambda text: text.replace(b"\xe2\x80\x94", b"\xff", 1)),
    "another root": declare(root="0" * 64),
    "other leaves": declare(leaves=3),
    "other records": declare(records=3),
    "records as a float": declare(records=4.0),
    "other redactions": declare(redacted=1),
    "another origin": declare(origin="quotaledger/x"),
    "an origin that is no text": declare(origin=1),
    "another format": declare(format="quotaledger export 2"),
    "more to say": declare(more=1),
    "the manifest says a name twice": _raw_manifest('"origin"', '"origin": "x", "origin"'),
    "the manifest says a file twice": _raw_manifest('"verify.py"', '"verify.py": 1, "verify.py"'),
    "the manifest is no JSON": _raw_manifest("{", ""),
    "no manifest": _gone("manifest.json"),
    "no leaves": _gone("leaves.ndjson"),
    "a table is gone": _gone("tables/entry.parquet"),
    "a table is another": _written("tables/entry.parquet", b"PAR1"),
    "a file more": _written("hashlib.py", b"pass\n"),
    "a file more, which is listed": lambda folder: replace(folder, "hashlib.py", b"pass\n"),
    "a package more, which is listed": lambda folder: replace(folder, "cryptography/__init__.py", b""),
    "a folder more": lambda folder: (folder / "more").mkdir(),
    "another program": _written("verify.py", b"print('verified')\n"),
    "a file elsewhere": lambda folder: declare(
        files=json.loads((folder / "manifest.json").read_text())["files"] | {"../x": 1}
    )(folder),
}


@pytest.mark.parametrize("name", FORGED)
def test_both_refuse_what_is_forged(name: str, plain: Path, tmp_path: Path) -> None:
    """A change of whatever file, with the manifest made to fit, is refused by both, with the key and without."""
    folder = shutil.copytree(plain.parent / "export", tmp_path / "export")
    FORGED[name](folder)

    for keys in ([], [_key(plain)]):
        assert alone(folder, keys=keys)[0] == Said(3)
        # Of what says that it leaves records out, no ledger can be made: restore asks for another export.
        assert package(folder, keys) == Said(2 if name == "other redactions" else 3)
    assert not list(tmp_path.glob("restored-*"))


@pytest.mark.parametrize("name", ["whole", "readme", "program"])
def test_both_accept_what_is_whole(name: str, plain: Path, tmp_path: Path) -> None:
    """An export as it was made, and one whose words for people are others: same verdict, same root, same key."""
    folder = shutil.copytree(plain.parent / "export", tmp_path / "export")
    if name != "whole":
        replace(folder, {"readme": "README.txt", "program": "verify.py"}[name], b"print('verified')\n")

    for keys in ([], [_key(plain)]):
        ours = alone(folder, keys=keys)[0]
        assert ours == package(folder, keys) == Said(0, ours.root, _key(plain))
    assert ours.root == json.loads((folder / "manifest.json").read_text())["root"]


SEALED: Final[dict[str, tuple[str, bool]]] = {
    "nothing": ("UPDATE entry SET sequence = sequence", True),
    "an amount": ("UPDATE entry SET remaining_tpp = 1 WHERE sequence = 1", True),
    "a name": ("UPDATE party_row SET name = 'Else'", True),
    "admitted in a batch": ("UPDATE batch SET admitted = 2, refused = 1 WHERE batch = 4", False),
    "records in a batch": ("UPDATE batch SET records = 4 WHERE batch = 4", False),
    "duplicates in a batch": ("UPDATE batch SET duplicates = 1 WHERE batch = 4", False),
    "records in a batch of a register": ("UPDATE batch SET records = 7 WHERE batch = 3", False),
    "an outcome": ("UPDATE entry SET outcome = 'refused' WHERE sequence = 1", False),
    "the batch of a record": ("UPDATE entry SET batch = 5 WHERE sequence = 3", False),
    "a sequence": ("UPDATE entry SET sequence = 9 WHERE sequence = 4", False),
}
"""What an owner writes into the file and signs anew, and whether what comes of it is a ledger."""


@pytest.mark.parametrize("name", SEALED)
def test_both_say_the_same_of_what_its_owner_sealed_anew(name: str, plain: Path, tmp_path: Path) -> None:
    """A history that its owner rewrote and signed is whole in itself or not; with another's key it is never."""
    statement, good = SEALED[name]
    for private in (own_key(plain), STRANGER):
        path = both.copied(plain, tmp_path / private.public_key().public_bytes_raw().hex()[:4])
        change(path, statement)
        seal_again(path, private)
        folder = both.export(path, path.parent / "export")
        ours, theirs = alone(folder, keys=[_key(plain)])[0], package(folder, [_key(plain)])

        assert ours == theirs
        assert (ours.code == 0) is (good and private is not STRANGER)


@pytest.mark.parametrize("only", [["mine"], ["other"]])
def test_what_leaves_records_out_is_verified_alone(only: list[str], plain: Path, tmp_path: Path) -> None:
    """Of a redacted export no ledger can be made, which is wrong usage; a change in it is found all the same."""
    with LedgerFile.open(plain) as ledger:
        export_ledger(ledger, tmp_path / "export", NOW, only=only)
    assert alone(tmp_path / "export", keys=[_key(plain)])[0].code == 0
    assert package(tmp_path / "export").code == 2
    edit("leaves.ndjson", lambda text: text.replace(b'"hash": "', b'"hash": "0', 1))(tmp_path / "export")
    assert alone(tmp_path / "export", keys=[_key(plain)])[0].code == 3


BEYOND: Final = {
    "a table": "",
    "the provider of a batch": "UPDATE batch SET provider = 'else' WHERE batch = 4",
    "the rulebook of a batch": "UPDATE batch SET rulebook_digest = repeat('0', 64) WHERE batch = 4",
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_only_a_restore_looks_at(name: str, plain: Path, tmp_path: Path) -> None:
    """Changed tables, and what an owner signs wrongly of a batch, only a restore finds, as answer and pages tell."""
    path = both.copied(plain, tmp_path)
    if BEYOND[name]:
        change(path, BEYOND[name])
        seal_again(path, own_key(plain))
    folder = both.export(path, path.parent / "export")
    if not BEYOND[name]:
        shutil.copy(folder / "tables/chip_row.parquet", folder / "x")
        replace(folder, "tables/chip_row.parquet", (folder / "x").read_bytes() + b"x")
        (folder / "x").unlink()
    ours, said = alone(folder, keys=[_key(plain)])

    assert (ours.code, package(folder).code) == (0, 3)
    assert "tables: only compared with the unsigned manifest.json; only `quotaledger restore` compares" in said
