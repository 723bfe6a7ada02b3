"""Whatever is planted in the leaves of an export is found, and the first difference is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.standalone.exports import FIRST, SECOND, STRANGER, Export, key_text
from tests.standalone.forging import add, change, drop, note, put, raw, redact, signed, swap
from tests.standalone.running import planted

LONG: Final = {"sequence": 5, "outcome": "admitted", "provider": "ACME", "reference": "PO-9", "batch": 6}
PLANTED: Final[dict[str, tuple[Callable[[Export], object], str]]] = {
    "a field is changed": (change(6, quantity=1001), "leaves 6 to 9 (batch 3) do not have the root of checkpoint 3"),
    "a field of a register row is changed": (
        change(4, name="X"),
        "leaves 4 to 5 (batch 2) do not have the root of checkpoint 2",
    ),
    "a file's rows are changed": (change(9, files=[]), "leaves 6 to 9 (batch 3) do not have the root of checkpoint 3"),
    "an amount is changed": (change(7, tpp="1"), "leaves 6 to 9 (batch 3) do not have the root of checkpoint 3"),
    "a sequence is changed": (change(7, sequence=3), "leaf 7 (decision 3 'ACME' 'PO-2') should be decision 2"),
    "a batch is changed": (change(7, batch=4), "stands among the leaves of batch 3"),
    "an outcome is changed": (
        change(7, outcome="admitted"),
        "leaf 9 (batch 'ACME') says 2 admitted, 1 refused, 0 breached, but its decisions are 3 admitted",
    ),
    "an outcome is another word": (
        change(7, outcome="postponed"),
        "should be decision 2, and admitted, refused or breached",
    ),
    "an outcome and the batch are changed": (
        lambda export: [change(7, outcome="admitted")(export), change(9, admitted=3, refused=0)(export)],
        "leaves 6 to 9 (batch 3) do not have the root of checkpoint 3",
    ),
    "a reference is used again": (
        change(12, reference="PO-2"),
        "leaf 12 (decision 4 'ACME' 'PO-2') has a reference that its provider has used before",
    ),
    "a field is added": (
        change(6, surprise="x"),
        "leaf 6 (decision 1 'ACME' 'PO-1') says 'surprise', or says it as no leaf of its kind does",
    ),
    "a blank is said": (change(6, note=None), "says 'note', or says it as no"),
    "a number is a text": (change(6, sequence="1"), "leaf 6 (decision '1' 'ACME' 'PO-1') does not say 'sequence'"),
    "a number is no whole one": (change(6, quantity=1000.0), "1000.0 is no number that every reader knows exactly"),
    "no number": (change(6, quantity=float("nan")), "NaN is no number that every reader knows exactly"),
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
    "leaves break off": (raw(lambda text: text[:-20]), "is no JSON to rely on (Unterminated string"),
    "leaves break off in the middle": (
        raw(lambda text: text[: len(text) // 2]),
        "is no JSON to rely on (Unterminated string",
    ),
    "the last line is not ended": (
        raw(lambda text: text[:-1]),
        "leaf 13 (batch 'ACME') is not written in the one form of leaves, or breaks off",
    ),
    "leaves are swapped": (swap(6, 7, numbered=False), "leaf 7 stands in leaves.ndjson where leaf 6 should"),
    "decisions are swapped and numbered": (
        swap(6, 7, numbered=True),
        "leaf 6 (decision 2 'ACME' 'PO-2') should be decision 1",
    ),
    "register rows are swapped and numbered": (
        swap(1, 2, numbered=True),
        "leaves 0 to 3 (batch 1) do not have the root of checkpoint 1",
    ),
    "a leaf is dropped": (drop(4, numbered=False), "leaf 5 stands in leaves.ndjson where leaf 4 should"),
    "a leaf is dropped and numbered": (drop(4, numbered=True), "leaf 4 (batch) should say that it has 0 records"),
    "a decision is dropped and numbered": (
        drop(7, numbered=True),
        "leaf 7 (decision 3 'ACME' 'PO-3') should be decision 2",
    ),
    "the last leaf is dropped": (drop(13, numbered=False), "leaves.ndjson ends after 13 leaves, which no batch closes"),
    "a batch is not closed": (
        lambda export: [drop(13, numbered=False)(export), note(4, signed(13, SECOND))(export)],
        "leaves.ndjson ends after 13 leaves, which no batch closes",
    ),
    "no checkpoint is last": (
        lambda export: export.notes.pop(),
        "checkpoints.txt ends before checkpoint 5, which should close leaves 12 to 13 (batch 5)",
    ),
    "there are no leaves": (
        lambda export: export.files.update({"leaves.ndjson": b""}),
        "ends after 0 leaves, which no batch closes",
    ),
    "there is nothing": (
        lambda export: vars(export).update(files={**export.files, "leaves.ndjson": b""}, notes=[]),
        "ends after 0 leaves, which no batch closes",
    ),
    "a leaf is added": (
        add(4, {"leaf": 4, "kind": "party", "hash": "00" * 32}),
        "leaf 6 (batch) should say that it has 2 records",
    ),
    "a leaf is added at the end": (
        add(14, {"leaf": 14, "kind": "decision", "fields": LONG}),
        "leaves.ndjson ends after 15 leaves, which no batch closes",
    ),
    "a leaf is doubled": (
        lambda export: export.lines.insert(7, export.lines[6]),
        "leaf 6 stands in leaves.ndjson where leaf 7",
    ),
    "a leaf is of another kind": (
        put(4, kind="chip"),
        "leaf 4 (chip) says 'party', or says it as no leaf of its kind does",
    ),
    "a leaf is of an unknown kind": (put(4, kind="surprise"), "leaf 4 is of an unknown kind or form"),
    "a leaf's kind is no text": (put(4, kind=["chip"]), "leaf 4 does not say 'kind'"),
    "a leaf has more to say": (put(4, more=1), "leaf 4 is of an unknown kind or form"),
    "a leaf has no fields and no hash": (put(4, fields=None), "leaf 4 is of an unknown kind or form"),
    "a leaf's fields are no object": (put(4, fields=[1]), "leaf 4 does not say 'fields'"),
    "a leaf's number is true": (put(1, leaf=True), "leaf 1 (rulebook) is not written in the one form of leaves"),
    "a redacted hash is changed": (
        redact(7, hash="00" * 32),
        "leaves 6 to 9 (batch 3) do not have the root of checkpoint 3",
    ),
    "a redacted hash is none": (redact(7, hash="00" * 31), "leaf 7 has no hash"),
    "a redacted hash is in capitals": (redact(7, hash="AB" * 32), "leaf 7 has no hash"),
    "a redacted leaf is of another kind": (
        redact(4, kind="decision"),
        "leaf 5 (batch) says 0 admitted, 0 refused, 0 breached, but its decisions are 1 redacted",
    ),
    "the first key is redacted": (redact(0), "leaf 0 (key, redacted) must be open"),
    "the second key is redacted": (redact(10), "leaf 10 (key, redacted) must be open"),
    "the first leaf is no key": (drop(0, numbered=True), "leaf 0 is not the first signing key"),
    "the key is another": (
        lambda export: [change(0, key=key_text(STRANGER))(export)],
        "leaves 0 to 3 (batch 1) do not have the root of checkpoint 1",
    ),
    "the key is mangled": (change(0, key="abc"), "'abc' is no Ed25519 key"),
    "the key has a typing error": (change(0, key=key_text(FIRST).replace("+", "+0", 1)), "NAME+HASH+BASE64"),
    "the key is of another log": (
        change(0, key=key_text(FIRST, "x")),
        "leaf 0 (key) is a key of another log, not of 'quota.example/ledger'",
    ),
    "the hash stands beside a leaf": (put(4, hash="00" * 32), "leaf 4 is of an unknown kind or form"),
    "a field stands in another order": (
        raw(lambda text: text.replace(b'"batch":1,"chip":"H100"', b'"chip":"H100","batch":1')),
        "leaf 2 (chip) is not written in the one form of leaves",
    ),
    "a count of records is changed": (change(9, records=4), "leaf 9 (batch 'ACME') should say that it has 3 records"),
    "duplicates are changed": (change(9, duplicates=1), "leaf 9 (batch 'ACME') should say that it has 4 records"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_whatever_is_planted_is_found_and_named(program: Path, tmp_path: Path, name: str) -> None:
    """Whoever changes leaves and makes the manifest fit is found, and the first difference is named."""
    plant, named = PLANTED[name]
    code, said = planted(program, tmp_path, plant)

    assert code == 3
    assert said.startswith("not verified: ")
    assert named in said
    assert said.count("\n") == 1
