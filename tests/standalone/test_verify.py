"""The verifier that lies in exports: run by itself, away from the ledger, it finds whatever is planted."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.leaf import FIELDS, is_said, leaf_bytes, leaf_hash
from ledger.tlog.note import sign
from ledger.tlog.proofs import consistency_proof, inclusion_proof
from ledger.tlog.receipt import CONSISTENCY, RECEIPT, Consistency, Receipt
from ledger.tlog.tree import Frontier
from tests.standalone.exports import (
    FIRST,
    ORIGIN,
    SECOND,
    STRANGER,
    THIRD,
    Export,
    Log,
    base64s,
    decision,
    key,
    key_text,
    lost_log,
    plain_log,
    rotated_log,
)

ROOT: Final = Path(__file__).parent.parent.parent
SOURCE: Final = ROOT / "ledger/standalone/verify.py"
GOLDEN: Final = json.loads((ROOT / "tests/tlog/golden.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the verifier that lies far from the ledger."""
    return Path(shutil.copy(SOURCE, tmp_path_factory.mktemp("elsewhere") / "verify.py"))


def run(program: Path, *arguments: str | Path) -> tuple[int, str]:
    """Run the verifier without the ledger's folder or environment, and give exit code and what it says."""
    command = [sys.executable, "-I", "-W", "error", program, *arguments]
    done = subprocess.run(command, capture_output=True, check=False, cwd=program.parent, text=True, encoding="utf-8")
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def verdict(program: Path, folder: Path, export: Export, *keys: str) -> tuple[int, str]:
    """Write an export and verify it."""
    export.write(folder, export.root() if "leaves.ndjson" not in export.files else b"")
    return run(program, folder, *(part for text in keys for part in ("--key", text)))


def test_a_whole_export_is_verified_and_told(program: Path, tmp_path: Path) -> None:
    """Leaves by kind, records by outcome, checkpoints, root and the key that was believed are told."""
    code, said = verdict(program, tmp_path, Export.of(log := rotated_log()))

    assert code == 0
    kinds = "2 key, 1 rulebook, 1 chip, 5 batch, 1 party, 4 decision"
    believed = "believed because the export says so; compare it with what the log's owner says, or give it with --key"
    assert said.splitlines() == [
        f"verified: 14 leaves of {ORIGIN}, made '2026-11-22T13:00:00.000000Z'",
        f"root: {log.frontiers[14].root().hex()}",
        f"leaves: {kinds}; 0 of all are redacted, only their hash is known",
        "records: 2 admitted, 1 refused, 1 breached",
        "checkpoints: 5",
        f"key: {key_text(FIRST)}, {believed}",
    ]


@pytest.mark.parametrize("hashes", [True, False])
def test_hashes_beside_open_leaves_may_be_left_out(program: Path, tmp_path: Path, hashes: bool) -> None:
    """They only name the leaf that was changed: what counts is the root."""
    assert verdict(program, tmp_path, Export.of(plain_log(), hashes=hashes))[0] == 0


def test_the_folder_of_the_program_is_the_default(program: Path, tmp_path: Path) -> None:
    """Copied into an export and listed there, the verifier checks what it lies in."""
    export = Export.of(plain_log())
    export.files["verify.py"] = program.read_bytes()
    export.write(tmp_path, export.root())

    assert run(tmp_path / "verify.py")[0] == 0
    assert run(tmp_path / "verify.py", "--key", key_text(FIRST))[0] == 0
    (tmp_path / "verify.py").write_text(program.read_text("utf-8") + "\n", "utf-8")
    assert run(tmp_path / "verify.py") == (
        3,
        "not verified: 'verify.py' is not the file of manifest.json: its bytes are others\n",
    )


def test_redacted_leaves_are_counted_and_followed(program: Path, tmp_path: Path) -> None:
    """Of a redacted decision, party or batch only the hash is known: all else still holds, and it is told how many."""
    code, said = verdict(program, tmp_path, Export.of(rotated_log(), {1, 4, 5, 7, 12, 13}), key_text(FIRST))

    assert code == 0
    assert "6 of all are redacted" in said
    assert "records: 2 admitted, 2 redacted" in said


@pytest.mark.parametrize("trusted", [[FIRST], [SECOND], [FIRST, SECOND], [STRANGER, FIRST]])
def test_a_chain_of_keys_is_trusted_from_any_of_them(program: Path, tmp_path: Path, trusted: list[Any]) -> None:
    """The first key hands over to the second, and the second signs all that the first did: either is enough."""
    code, said = verdict(program, tmp_path, Export.of(rotated_log()), *map(key_text, trusted))

    assert code == 0
    assert ", as given" in said
    assert key_text(STRANGER) not in said


def test_a_key_of_nobody_is_not_enough(program: Path, tmp_path: Path) -> None:
    """Keys that have not signed this log, even under its name, verify nothing."""
    code, said = verdict(program, tmp_path, Export.of(rotated_log()), key_text(STRANGER))

    assert code == 3
    assert f"none of the keys given is one of this log, which has {key_text(FIRST)}, {key_text(SECOND)}" in said


@pytest.mark.parametrize(("given", "code"), [([], 3), ([FIRST], 3), ([SECOND], 3), ([THIRD], 0), ([FIRST, THIRD], 0)])
def test_a_key_that_was_not_handed_over_must_be_given(
    program: Path, tmp_path: Path, given: list[Any], code: int
) -> None:
    """After a key was lost, the next is trusted only by who was told of it."""
    found, said = verdict(program, tmp_path, Export.of(lost_log()), *map(key_text, given))

    assert found == code
    assert code == 0 or f"the key {key_text(THIRD)} was not handed over by the one before it" in said
    assert code == 0 or "checkpoint 6 (of 16 leaves)" in said


def change(leaf: int, /, **fields: Any) -> Callable[[Export], None]:
    """Change fields of a leaf, and leave the hash that stands beside them."""

    def planted(export: Export) -> None:
        export.lines[leaf]["fields"] = export.lines[leaf]["fields"] | fields

    return planted


def change_well(leaf: int, /, **fields: Any) -> Callable[[Export], None]:
    """Change fields of a leaf, and the hash with them."""

    def planted(export: Export) -> None:
        change(leaf, **fields)(export)
        export.hashed(leaf)

    return planted


def swap(one: int, other: int, *, numbered: bool) -> Callable[[Export], None]:
    def planted(export: Export) -> None:
        export.lines[one], export.lines[other] = export.lines[other], export.lines[one]
        if numbered:
            export.numbered()

    return planted


def drop(leaf: int, *, numbered: bool) -> Callable[[Export], None]:
    def planted(export: Export) -> None:
        del export.lines[leaf]
        if numbered:
            export.numbered()

    return planted


def add(leaf: int, line: dict[str, Any]) -> Callable[[Export], None]:
    def planted(export: Export) -> None:
        export.lines.insert(leaf, line)
        export.numbered()

    return planted


def put(leaf: int, /, **line: Any) -> Callable[[Export], None]:
    """Change a line; None takes a part of it away."""

    def planted(export: Export) -> None:
        new = {**export.lines[leaf], **line}
        export.lines[leaf] = {name: value for name, value in new.items() if value is not None}

    return planted


def note(place: int, to: Callable[[str], str]) -> Callable[[Export], None]:
    def planted(export: Export) -> None:
        export.notes[place] = to(export.notes[place])

    return planted


def signed(size: int, *privates: Any, origin: str = ORIGIN, root: bytes | None = None) -> Callable[[str], str]:
    """Sign a checkpoint anew, over another root or with other keys."""
    found = rotated_log().frontiers[size].root() if root is None else root
    return lambda _: Checkpoint(origin, size, found).signed(*privates)


def raw(to: Callable[[bytes], bytes]) -> Callable[[Export], None]:
    """Change the bytes of the leaves."""

    def planted(export: Export) -> None:
        export.files["leaves.ndjson"] = to(export.leaves_file())

    return planted


def says(**manifest: Any) -> Callable[[Export], None]:
    return lambda export: export.manifest.update(manifest)


def letter(text: str) -> str:
    """Change a letter within the last signature."""
    return text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:]


PO_1, PO_2, PO_3 = (f"(decision {n}, 'ACME' 'PO-{n}', of batch 3)" for n in (1, 2, 3))
LONG: Final = {"sequence": 5, "outcome": "admitted", "provider": "ACME", "reference": "PO-9", "batch": 6}
PLANTED: Final[dict[str, tuple[Callable[[Export], object], str]]] = {
    "a field is changed": (
        change(6, quantity=1001),
        "leaf 6 (decision 1, 'ACME' 'PO-1', of batch 3) was changed: its fields have another hash",
    ),
    "a field of a register row is changed": (change(4, party="X"), "leaf 4 (party of batch 2) was changed"),
    "a file's rows are changed": (change(9, files=[]), "leaf 9 (batch of batch 3) was changed"),
    "a field and its hash are changed": (
        change_well(7, tpp="1"),
        f"leaves 6 to 9, leaf 6 {PO_1}, leaf 8 {PO_3} do not have the root of checkpoint 3 (of 10 leaves)",
    ),
    "a sequence and its hash are changed": (
        change_well(7, sequence=3),
        "leaf 7 (decision 3, 'ACME' 'PO-2', of batch 3) should be decision 2",
    ),
    "a batch and its hash are changed": (change_well(7, batch=4), "stands among the leaves of batch 3"),
    "an outcome and its hash are changed": (
        change_well(7, outcome="admitted"),
        "leaf 9 (batch of batch 3) says 2 admitted, 1 refused, 0 breached, but its decisions are 3 admitted",
    ),
    "an outcome is another word": (
        change_well(7, outcome="postponed"),
        "leaf 7 (decision 2, 'ACME' 'PO-2', of batch 3) has",
    ),
    "an outcome and the batch are changed": (
        lambda export: [change_well(7, outcome="admitted")(export), change_well(9, admitted=3, refused=0)(export)],
        "do not have the root of checkpoint 3",
    ),
    "a reference is used again": (
        change_well(12, reference="PO-2"),
        f"leaf 12 (decision 4, 'ACME' 'PO-2', of batch 5) has the reference of leaf 7 {PO_2}",
    ),
    "a field is added": (change(6, surprise="x"), "leaf 6 (decision 1, 'ACME' 'PO-1', of batch 3) was changed"),
    "a blank is said": (change(6, note=None), "leaf 6 (decision 1, 'ACME' 'PO-1', of batch 3) was changed"),
    "a number is a text": (change(6, sequence="1"), "leaf 6 (decision '1', 'ACME' 'PO-1', of batch 3) was changed"),
    "a number is no whole one": (
        change(6, quantity=1000.0),
        "leaf 6 (decision 1, 'ACME' 'PO-1', of batch 3) was changed",
    ),
    "no number": (change(6, quantity=float("nan")), "leaf 6 (decision 1, 'ACME' 'PO-1', of batch 3) was changed"),
    "half a character": (
        raw(lambda text: text.replace(b"ACME", b"\\ud800", 1)),
        "leaf 6 is no JSON to rely on ('utf-8' codec can't encode",
    ),
    "no UTF-8": (raw(lambda text: text.replace(b"ACME", b"\xff", 1)), "leaf 6 is no JSON to rely on"),
    "another encoding": (raw(lambda text: text.decode().encode("utf-16")), "leaf 0"),
    "garbage": (raw(lambda _: bytes(range(256)) * 9), "leaf 0 is no JSON to rely on"),
    "a line of garbage": (
        raw(lambda text: text.replace(b'{"leaf": 3,', b'"leaf": 3,')),
        "leaf 3 is no JSON to rely on",
    ),
    "a list for a leaf": (raw(lambda text: text.replace(b"\n", b"\n[]\n", 1)), "leaf 1 is no JSON object"),
    "a blank line": (raw(lambda text: text.replace(b"\n", b"\n\n", 1)), "leaf 1 is no JSON to rely on"),
    "a name said twice": (
        raw(lambda text: text.replace(b'"provider"', b'"provider": "X", "provider"', 1)),
        "leaf 6 is no JSON to rely on (leaf 6 says a name twice)",
    ),
    "deep nesting": (raw(lambda text: text.replace(b'"ACME"', b"[" * 99999, 1)), "leaf 6 is no JSON to rely on"),
    "a huge number": (
        raw(lambda text: text.replace(b'"leaf": 6', b'"leaf": ' + b"9" * 9999)),
        "leaf 6 is no JSON to rely",
    ),
    "leaves break off": (raw(lambda text: text[:-20]), "leaves.ndjson breaks off in leaf 13"),
    "leaves break off in the middle": (raw(lambda text: text[: len(text) // 2]), "leaves.ndjson breaks off in leaf"),
    "the last line is not ended": (raw(lambda text: text[:-1]), "leaves.ndjson breaks off in leaf 13"),
    "leaves are swapped": (swap(6, 7, numbered=False), "leaf 7 stands in leaves.ndjson where leaf 6 should"),
    "decisions are swapped and numbered": (
        swap(6, 7, numbered=True),
        "leaf 6 (decision 2, 'ACME' 'PO-2', of batch 3) should",
    ),
    "register rows are swapped and numbered": (
        swap(1, 2, numbered=True),
        "leaves 0 to 3 do not have the root of checkpoint 1 (of 4 leaves)",
    ),
    "a leaf is dropped": (drop(4, numbered=False), "leaf 5 stands in leaves.ndjson where leaf 4 should"),
    "a leaf is dropped and numbered": (drop(4, numbered=True), "leaf 5 (decision 1, 'ACME' 'PO-1', of batch 3)"),
    "a decision is dropped and numbered": (
        drop(7, numbered=True),
        "leaf 7 (decision 3, 'ACME' 'PO-3', of batch 3) should be",
    ),
    "the last leaf is dropped": (drop(13, numbered=False), "ends after 13 leaves, checkpoint 5 has 14"),
    "a batch is not closed": (
        lambda export: [drop(13, numbered=False)(export), note(4, signed(13, SECOND))(export)],
        "leaves.ndjson ends after 13 leaves, which no batch and checkpoint close",
    ),
    "no checkpoint is last": (
        lambda export: export.notes.pop(),
        "ends after 14 leaves, which no batch and checkpoint close",
    ),
    "there are no leaves": (
        lambda export: export.files.update({"leaves.ndjson": b""}),
        "ends after 0 leaves, checkpoint 1",
    ),
    "there is nothing": (
        lambda export: vars(export).update(files={**export.files, "leaves.ndjson": b""}, notes=[]),
        "checkpoint 1 is no signed note",
    ),
    "a leaf is added": (
        add(4, {"leaf": 4, "kind": "party", "hash": "00" * 32}),
        "leaves 4 to 5 do not have the root of",
    ),
    "a leaf is added at the end": (
        add(14, {"kind": "decision", "fields": LONG}),
        "leaves.ndjson ends after 15 leaves, which no batch and checkpoint close",
    ),
    "a leaf is doubled": (
        lambda export: export.lines.insert(7, export.lines[6]),
        "leaf 6 stands in leaves.ndjson where leaf 7",
    ),
    "a leaf is of another kind": (put(4, kind="chip"), "leaf 4 (chip of batch 2) was changed"),
    "a leaf is of an unknown kind": (put(4, kind="surprise"), "leaf 4 is of an unknown kind or form"),
    "a leaf's kind is no text": (put(4, kind=["chip"]), "leaf 4 does not say 'kind'"),
    "a leaf has more to say": (put(4, more=1), "leaf 4 is of an unknown kind or form"),
    "a leaf has no fields and no hash": (put(4, fields=None, hash=None), "leaf 4 does not say 'hash'"),
    "a leaf's fields are no object": (put(4, fields=[1]), "leaf 4 does not say 'fields'"),
    "a leaf's number is true": (put(1, leaf=True), "leaf 1 does not say 'leaf'"),
    "a redacted hash is changed": (
        put(7, fields=None, hash="00" * 32),
        f"leaves 6 to 9, leaf 6 {PO_1}, leaf 8 {PO_3} do not have the root",
    ),
    "a redacted hash is none": (put(7, fields=None, hash="00" * 31), "leaf 7 has no hash"),
    "a redacted hash is in capitals": (put(7, fields=None, hash="AB" * 32), "leaf 7 has no hash"),
    "a redacted leaf is of another kind": (
        put(4, fields=None, kind="decision"),
        "leaf 5 (batch of batch 2) says 0 admitted",
    ),
    "the first key is redacted": (put(0, fields=None), "leaf 0 (key, redacted) must be open"),
    "the second key is redacted": (put(10, fields=None), "leaf 10 (key, redacted) must be open"),
    "the first leaf is no key": (drop(0, numbered=True), "leaf 0 is not the first signing key"),
    "the key is another": (
        lambda export: [change_well(0, key=key_text(STRANGER))(export)],
        "leaves 0 to 3 do not have the root of checkpoint 1",
    ),
    "the key is mangled": (change_well(0, key="abc"), "is not written in base64"),
    "the key has a typing error": (change_well(0, key=key_text(FIRST).replace("+", "+0", 1)), "NAME+HASH+BASE64"),
    "the key is of another log": (
        change_well(0, key=key_text(FIRST, "x")),
        "leaf 0 (key of batch 1) is a key of 'x', not of",
    ),
    "a signature is dropped": (note(2, lambda text: text[: text.index("\u2014")]), "checkpoint 3 is no signed note"),
    "a signature is changed": (
        note(2, letter),
        f"the signature of checkpoint 3 (of 10 leaves) by '{ORIGIN}' is not of its",
    ),
    "a signature is cut": (note(2, lambda text: text[:-9] + "=\n"), "checkpoint 3"),
    "a checkpoint is signed by a stranger": (
        note(2, signed(10, STRANGER)),
        f"checkpoint 3 (of 10 leaves) is not signed by the key in force, {key_text(FIRST)}",
    ),
    "a checkpoint is signed by the key before": (note(4, signed(14, FIRST)), f"the key in force, {key_text(SECOND)}"),
    "a checkpoint is signed by the key to come": (note(2, signed(10, SECOND)), f"the key in force, {key_text(FIRST)}"),
    "a key was not handed over": (note(3, signed(12, SECOND)), f"the key {key_text(SECOND)} was not handed over"),
    "a key hands over to itself": (note(3, signed(12, STRANGER, SECOND)), "was not handed over by the one before it"),
    "the handover is left out": (lambda export: export.notes.pop(3), "was not handed over by the one before it"),
    "a checkpoint has another root": (
        note(1, signed(6, FIRST, root=bytes(32))),
        "leaves 4 to 5 do not have the root of checkpoint 2 (of 6 leaves)",
    ),
    "a checkpoint is of another log": (
        note(1, signed(6, FIRST, origin="x")),
        "checkpoint 2 (of 6 leaves) is of another log, 'x'",
    ),
    "a checkpoint is of no leaves": (
        lambda export: export.notes.insert(0, Checkpoint(ORIGIN, 0, Frontier().root()).signed(FIRST)),
        "checkpoint 1 goes back to 0 leaves",
    ),
    "checkpoints are swapped": (
        lambda export: export.notes.insert(1, export.notes.pop(2)),
        "checkpoint 3 goes back to 6 leaves",
    ),
    "a checkpoint has leading zeros": (
        note(1, lambda text: text.replace("\n6\n", "\n06\n")),
        "checkpoint 2 is no signed note",
    ),
    "a checkpoint has a line more": (
        note(1, lambda text: text.replace("\n6\n", "\n6\nx\n")),
        "checkpoint 2 is no signed note",
    ),
    "checkpoints have nothing between": (
        lambda export: setattr(export, "between", ""),
        "checkpoint 1 is no signed note",
    ),
    "checkpoints have too much between": (
        lambda export: setattr(export, "between", "\n\n"),
        "checkpoint 2 is no signed note",
    ),
    "checkpoints are garbage": (
        lambda export: setattr(export, "notes", ["\0\ufffd" * 99]),
        "checkpoint 1 is no signed note",
    ),
    "the manifest has another root": (says(root="00" * 32), "manifest.json says root '0000"),
    "the manifest has more leaves": (says(leaves=15), "manifest.json says leaves 15, not 14"),
    "the manifest has fewer records": (says(records=3), "manifest.json says records 3, not 4"),
    "the manifest hides redactions": (
        lambda export: [put(7, fields=None)(export), says(redacted=0)(export)],
        "manifest.json says redacted 0, not 1",
    ),
    "the manifest is of another log": (
        says(origin="x"),
        "leaf 0 (key of batch 1) is a key of 'quota.example/ledger', not of 'x'",
    ),
    "the manifest is of another format": (says(format="quotaledger export 2"), "manifest.json is not that of a"),
    "the manifest has more to say": (says(more=1), "manifest.json is not that of a"),
    "the manifest has no list of files": (says(files=[]), "manifest.json is not that of a"),
    "the manifest has no files": (says(files={}), "'README' is not in manifest.json"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_whatever_is_planted_is_found_and_named(program: Path, tmp_path: Path, name: str) -> None:
    """Whoever changes an export and makes the manifest fit is found, and the first difference is named."""
    plant, named = PLANTED[name]
    export = Export.of(rotated_log())
    plant(export)
    try:
        root = export.root()
    except (KeyError, ValueError, TypeError, AttributeError):
        root = bytes(32)  # of leaves that are none
    export.write(tmp_path, root)
    code, said = run(program, tmp_path)

    assert code == 3
    assert said.startswith("not verified: ")
    assert named in said
    assert said.count("\n") == 1


def test_without_hashes_beside_them_changed_leaves_are_named_as_a_batch(program: Path, tmp_path: Path) -> None:
    """Where only roots speak, the leaves between two checkpoints are named, with their first and last decision."""
    export = Export.of(rotated_log(), hashes=False)
    change(12, quantity=999)(export)

    code, said = verdict(program, tmp_path, export)

    assert code == 3
    assert (
        "leaves 12 to 13, leaf 12 (decision 4, 'ACME' 'PO-4', of batch 5) do not have the root of checkpoint 5" in said
    )


MISRECORDED: Final[dict[str, tuple[Callable[[], Log], str]]] = {
    "a gap in the sequence": (
        lambda: plain_log().batch("import", decision(5, "admitted")),
        "leaf 10 (decision 5, 'ACME' 'PO-5', of batch 4) should be decision 4",
    ),
    "a reference twice": (
        lambda: plain_log().batch("import", decision(4, "admitted", reference="PO-1")),
        f"leaf 10 (decision 4, 'ACME' 'PO-1', of batch 4) has the reference of leaf 6 {PO_1}",
    ),
    "counts that are wrong": (
        lambda: plain_log().batch("import", decision(4, "admitted"), stated={"admitted": 0, "refused": 1}),
        "leaf 11 (batch of batch 4) says 0 admitted, 1 refused, 0 breached, but its decisions are 1 admitted",
    ),
    "a number of a batch that is wrong": (
        lambda: plain_log().batch("import", stated={"batch": 5}),
        "leaf 10 (batch of batch 5) stands among the leaves of batch 4",
    ),
    "a count that is no number": (
        lambda: plain_log().batch("import", stated={"admitted": "0"}),
        "leaf 10 (batch of batch 4) does not say 'admitted'",
    ),
    "a key that is none": (
        lambda: plain_log().batch("key", ("key", {"key": ORIGIN})),
        "the key 'quota.example/ledger' is not written in base64",
    ),
    "two keys at once, one of a stranger": (
        lambda: plain_log().batch("key", key(STRANGER), key(SECOND), by=[FIRST, SECOND]),
        f"the key {key_text(SECOND)} was not handed over by the one before it",
    ),
    "a fork of the log": (
        lambda: Log(plain_log().leaves[:4], [*plain_log().notes], plain_log().frontiers[:5]).batch("register"),
        "leaves.ndjson ends after 5 leaves, checkpoint 2 has 6",
    ),
}


@pytest.mark.parametrize("name", MISRECORDED)
def test_a_log_that_was_kept_wrongly_is_found_though_signed(program: Path, tmp_path: Path, name: str) -> None:
    """Its own owner cannot sign away a gap, a reference used twice, wrong counts or a key that nobody handed over."""
    made, named = MISRECORDED[name]
    code, said = verdict(program, tmp_path, Export.of(made()))

    assert code == 3
    assert named in said


def test_equal_references_of_two_providers_are_fine(program: Path, tmp_path: Path) -> None:
    """A reference is the provider's own, and neither can be taken for a part of the other."""
    log = plain_log().batch(
        "import",
        decision(4, "admitted", provider="OTHER", reference="PO-1"),
        decision(5, "admitted", provider="ACMEP", reference="O-1"),
    )

    assert verdict(program, tmp_path, Export.of(log))[0] == 0


def test_two_keys_at_once_are_handed_over_one_by_one(program: Path, tmp_path: Path) -> None:
    """Where a key was replaced before it signed anything, both it and the one before must have signed."""
    log = plain_log().batch("key", key(SECOND), key(THIRD), by=[FIRST, SECOND, THIRD])

    assert verdict(program, tmp_path, Export.of(log), key_text(FIRST))[0] == 0


def test_an_earlier_export_is_verified_too(program: Path, tmp_path: Path) -> None:
    """What ends with an earlier batch and its checkpoint is an older state of the log, and whole."""
    export = Export.of(rotated_log())
    del export.lines[10:], export.notes[3:]

    assert verdict(program, tmp_path, export, key_text(FIRST))[0] == 0


def tamper(folder: Path, name: str) -> str:
    """Change a written folder without making the manifest fit, and give what should be said."""
    manifest, table = folder / "manifest.json", folder / "tables/decisions.parquet"
    listed = json.loads(manifest.read_text("utf-8"))
    match name:
        case "a table is changed":
            table.write_bytes(b"PAR2")
            return "'tables/decisions.parquet' is not the file of manifest.json"
        case "a table is gone":
            table.unlink()
            return "'tables/decisions.parquet' is missing in the folder"
        case "a file is added":
            (folder / "tables/.hidden").write_bytes(b"")
            return "'tables/.hidden' is not in manifest.json"
        case "a file is a link":
            table.unlink()
            table.symlink_to(folder / "README")
            return "'tables/decisions.parquet' is a link or no plain file"
        case "a folder is a link":
            (folder / "more").symlink_to(folder / "tables", target_is_directory=True)
            return "'more' is a link or no plain file"
        case "a pipe is added":
            os.mkfifo(folder / "pipe")
            return "'pipe' is a link or no plain file"
        case "leaves are gone":
            (folder / "leaves.ndjson").unlink()
            return "'leaves.ndjson' is missing in the folder"
        case "the manifest is gone":
            manifest.unlink()
            return "manifest.json"
        case "the manifest is garbage":
            manifest.write_bytes(b"\xff" * 99)
            return "manifest.json is no JSON to rely on"
        case "the manifest is a list":
            manifest.write_text("[]", "utf-8")
            return "manifest.json is no JSON object"
        case "the manifest names a file twice":
            manifest.write_text(manifest.read_text("utf-8").replace('"README"', '"README": 1, "README"'), "utf-8")
            return "manifest.json says a name twice"
    path, stated = listed["files"].popitem() if "/" not in name else (name, listed["files"]["README"])
    listed["files"][path] = stated | {"sha256": stated["sha256"].upper()} if "hash" in name else stated
    listed["files"][path] = 1 if "no object" in name else listed["files"][path]
    manifest.write_text(json.dumps(listed), "utf-8")
    return f"{path!r} is missing in the folder" if "/" in name else f"{path!r} is not the file of manifest.json"


@pytest.mark.parametrize(
    "name",
    [
        *("a table is changed", "a table is gone", "a file is added", "a file is a link", "a folder is a link"),
        *("a pipe is added", "leaves are gone", "the manifest is gone", "the manifest is garbage"),
        *("the manifest is a list", "the manifest names a file twice", "a hash is in capitals", "a file is no object"),
        *("../README", "/etc/passwd", "tables/../README", "./README", "tables/", "a\\b/c"),
    ],
)
def test_other_files_than_the_manifest_lists_are_found(program: Path, tmp_path: Path, name: str) -> None:
    """A file that is changed, gone, added or no plain one is named; so is a path that leads out of the folder."""
    folder = tmp_path / "export"
    folder.mkdir()
    (tmp_path / "README").write_bytes(b"")
    (export := Export.of(plain_log())).write(folder, export.root())
    named = tamper(folder, name)
    code, said = run(program, folder)

    assert code == 3
    assert named in said


def receipt_of(log: Log, leaf: int) -> Receipt:
    kind, fields, _ = log.leaves[leaf]
    size = len(log.leaves)
    return Receipt(leaf, kind, fields, tuple(inclusion_proof(leaf, size, log.node)), log.notes[-1], "Admitted.")


def stated(program: Path, folder: Path, what: str, text: str | bytes, *keys: Any) -> tuple[int, str]:
    """Verify a receipt or a statement."""
    (folder / "stated.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return run(program, what, folder / "stated.json", *(part for one in keys for part in ("--key", key_text(one))))


@pytest.mark.parametrize("leaf", [0, 6, 9, 13])
def test_the_receipt_of_a_leaf_is_verified(program: Path, tmp_path: Path, leaf: int) -> None:
    """What the ledger writes as a receipt holds for who has nothing but this file and the key."""
    code, said = stated(program, tmp_path, "--receipt", receipt_of(rotated_log(), leaf).text, SECOND)

    assert code == 0
    assert said.startswith(f"verified: leaf {leaf} (")
    assert f"is among the first 14 leaves of {ORIGIN}; a message beside it is not proven" in said


def other(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "quantity": 999}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"leaf": 7}, "leaf 7 (decision 1, 'ACME' 'PO-1', of batch 3) is not under the root of the first 14 leaves"),
        ({"leaf": 14}, "leaf 14 (decision 1, 'ACME' 'PO-1', of batch 3) is not among the first 14 leaves"),
        ({"leaf": -1}, "is not among the first 14 leaves"),
        ({"leaf": True}, "the file does not say 'leaf'"),
        ({"leaf": 2**70}, "is not among the first 14 leaves"),
        ({"kind": "party"}, "is not under the root"),
        ({"kind": "{9}"}, "is not among the first 14 leaves"),
        ({"fields": other(rotated_log().leaves[6][1])}, "is not under the root"),
        ({"fields": {**rotated_log().leaves[6][1], "cap_tpp": "0"}}, "is not under the root"),
        ({"fields": []}, "the file does not say 'fields'"),
        ({"proof": []}, "is not under the root"),
        ({"proof": base64s([bytes(32)] * 4)}, "is not under the root"),
        ({"proof": base64s([bytes(31)])}, "a step of the proof is no hash"),
        ({"proof": [base64s([bytes(32)])[0].replace("A=", "B=")]}, "a step of the proof is not written in base64"),
        (
            {
                "proof": base64s(inclusion_proof(6, 8, rotated_log().node)),
                "checkpoint": signed(14, SECOND, root=rotated_log().frontiers[8].root())(""),
            },
            "is not under the root of the first 14 leaves",
        ),
        ({"proof": [1]}, "a step of the proof is not written in base64"),
        ({"proof": ["é"]}, "a step of the proof is not written in base64"),
        ({"proof": None}, "the file does not say 'proof'"),
        ({"checkpoint": ""}, "the note 'checkpoint' is no signed note"),
        ({"checkpoint": rotated_log().notes[-1][:-1]}, "the note 'checkpoint' is no signed note"),
        ({"checkpoint": letter(rotated_log().notes[-1])}, "is not of its text"),
        ({"checkpoint": rotated_log().checkpoint(14).signed(STRANGER)}, "is not signed by a key given"),
        ({"checkpoint": sign(f"x\n14\n{base64s([bytes(32)])[0]}\n", (ORIGIN, SECOND))}, "for the log 'x'"),
        ({"checkpoint": rotated_log().checkpoint(12).signed(SECOND)}, "is not under the root of the first 12 leaves"),
        ({"format": "quotaledger receipt 2"}, 'the file is no "quotaledger receipt 1"'),
    ],
)
def test_a_changed_receipt_is_found(program: Path, tmp_path: Path, values: dict[str, Any], named: str) -> None:
    """Another number, kind, field, step, root or signature is found; the key may have signed all of that log."""
    text = json.dumps(json.loads(receipt_of(rotated_log(), 6).text) | values)
    code, said = stated(program, tmp_path, "--receipt", text, SECOND)

    assert code == 3
    assert named in said


def test_what_is_no_receipt_is_not_verified(program: Path, tmp_path: Path) -> None:
    """Garbage, and a statement in the place of a receipt, are told as such."""
    assert stated(program, tmp_path, "--receipt", b"\xff", SECOND)[0] == 3
    assert stated(program, tmp_path, "--receipt", b"[" * 99999, SECOND)[0] == 3
    assert stated(program, tmp_path, "--consistency", receipt_of(rotated_log(), 6).text, SECOND)[0] == 3


def statement_of(log: Log, earlier: int, later: int) -> Consistency:
    proof = consistency_proof(earlier, later, log.node)
    old, new = (log.checkpoint(size).signed(FIRST) for size in (earlier, later))
    return Consistency(old, new, tuple(proof))


@pytest.mark.parametrize(("earlier", "later"), [(1, 2), (4, 6), (6, 10), (7, 14), (8, 14), (6, 6), (8, 8), (13, 14)])
def test_that_a_log_continues_is_verified(program: Path, tmp_path: Path, earlier: int, later: int) -> None:
    """What the ledger states of two of its checkpoints holds; without a step, or with another, it does not."""
    made = statement_of(rotated_log(), earlier, later)
    code, said = stated(program, tmp_path, "--consistency", made.text, FIRST)
    text = f"{earlier} leaves of {ORIGIN} are the beginning of {later} leaves of {ORIGIN}"
    longer = Consistency(made.earlier, made.later, (*made.proof, bytes(32)))
    shorter = Consistency(made.earlier, made.later, made.proof[:-1])

    assert (code, said) == (0, f"verified: {text}\n")
    assert stated(program, tmp_path, "--consistency", longer.text, FIRST) == (
        3,
        f"not verified: nothing shows that {text}\n",
    )
    assert not made.proof or stated(program, tmp_path, "--consistency", shorter.text, FIRST)[0] == 3


def test_a_log_that_does_not_continue_is_found(program: Path, tmp_path: Path) -> None:
    """Another log, another order, a fork and another key are found."""
    made = statement_of(rotated_log(), 6, 10)
    fork = Checkpoint(ORIGIN, 6, bytes(32)).signed(FIRST)
    turned = Consistency(made.later, made.earlier, made.proof)

    assert stated(program, tmp_path, "--consistency", made.text, SECOND)[0] == 3
    assert "it cannot be that 10" in stated(program, tmp_path, "--consistency", turned.text, FIRST)[1]
    forked = Consistency(fork, made.later, made.proof)
    assert "nothing shows that" in stated(program, tmp_path, "--consistency", forked.text, FIRST)[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere"],
        ["--key", "x"],
        ["--key", key_text(FIRST)[:-1]],
        ["--receipt", "verify.py"],
        ["--receipt", "nowhere", "--key", key_text(FIRST)],
        ["--receipt", "verify.py", "--consistency", "verify.py", "--key", key_text(FIRST)],
        ["--receipt", "verify.py", ".", "--key", key_text(FIRST)],
        ["--surprise"],
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(program: Path, arguments: list[str]) -> None:
    """A file that is not there, a key that is none or is missing, and two questions at once are wrong usage."""
    assert run(program, *arguments)[0] == 2


def loaded() -> ModuleType:
    """Load the verifier as a module, as nothing but tests does."""
    spec = spec_from_file_location("standalone_verify", SOURCE)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda vector: vector["name"])
def test_its_leaves_are_the_golden_leaves(vector: dict[str, Any]) -> None:
    """The verifier writes leaves like the ledger, byte for byte."""
    said = {name: value for name, value in vector["fields"].items() if is_said(name, value)}

    assert loaded().leaf_hash(vector["kind"], said).hex() == vector["hash"]


def test_it_knows_the_words_of_the_ledger() -> None:
    """Kinds, formats and leaves of every kind are those of the ledger."""
    module = loaded()

    assert set(module.KINDS) == set(FIELDS)
    assert (module.RECEIPT, module.CONSISTENCY) == (RECEIPT, CONSISTENCY)
    for kind, fields, found in lost_log().leaves:
        assert (
            module.leaf_hash(kind, fields) == found == leaf_hash(leaf_bytes(kind, dict.fromkeys(FIELDS[kind]) | fields))
        )


def test_it_imports_nothing_of_the_ledger() -> None:
    """Only the standard library and cryptography are imported, at the top of the file and nowhere else."""
    tree = ast.parse(SOURCE.read_text("utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in found if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in found if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "cryptography"}
    assert all(node in tree.body for node in found)
    assert not re.search(r"__import__|importlib|exec\(|eval\(", SOURCE.read_text("utf-8"))
