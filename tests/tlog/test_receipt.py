"""Receipts and consistency statements: written for ever alike, read strictly, and every change found."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.leaf import FIELDS, Value, is_said, leaf_bytes, leaf_hash
from ledger.tlog.note import VerifierKey, sign
from ledger.tlog.proofs import consistency_proof, inclusion_proof, root_of
from ledger.tlog.receipt import Consistency, Receipt, ReceiptError
from ledger.tlog.tree import node_hash

ORIGIN: Final = "quota.example/ledger"
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY: Final = VerifierKey.of(ORIGIN, PRIVATE)
DECISION: Final = next(
    vector["fields"]
    for vector in json.loads((Path(__file__).parent / "golden.json").read_text("utf-8"))
    if vector["kind"] == "decision"
)
BATCH: Final[dict[str, Value]] = {
    **dict.fromkeys(FIELDS["batch"]),
    "batch": 3,
    "kind": "import",
    "records": 2,
    "admitted": 2,
    "refused": 0,
    "salt": "00" * 16,
    "files": [
        {"file": "a.csv", "sha256": "ab" * 32, "records": 1},
        {"file": "é.csv", "sha256": "cd" * 32, "records": 1},
    ],
}
LEAVES: Final[list[tuple[str, dict[str, Value]]]] = [
    *(("rulebook", {**dict.fromkeys(FIELDS["rulebook"]), "rulebook": f"r{n}", "batch": 1}) for n in range(5)),
    ("decision", DECISION),
    ("batch", BATCH),
]
HASHES: Final = [leaf_hash(leaf_bytes(kind, fields)) for kind, fields in LEAVES]


def node(level: int, index: int) -> bytes:
    return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1)) if level else HASHES[index]


def checkpoint(size: int = len(LEAVES)) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_of(0, size, node))


def receipt(leaf: int, message: str | None = None) -> Receipt:
    kind, fields = LEAVES[leaf]
    said = {name: value for name, value in fields.items() if is_said(name, value)}
    proof = inclusion_proof(leaf, len(LEAVES), node)
    return Receipt(leaf, kind, said, tuple(proof), checkpoint().signed(PRIVATE), message)


def statement(earlier: int, later: int) -> Consistency:
    proof = consistency_proof(earlier, later, node)
    return Consistency(checkpoint(earlier).signed(PRIVATE), checkpoint(later).signed(PRIVATE), tuple(proof))


GOOD: Final = receipt(5, "Admitted: 11,068,000 TPP are left “so far”.")


def fault(text: str | bytes) -> str:
    """Read and check a text, and give what is wrong with it."""
    with pytest.raises(ReceiptError) as caught:
        Receipt.of_text(text).check([KEY])
    return str(caught.value)


def changed(**values: Any) -> str:
    """Give the text of the good receipt with other values; None takes one away."""
    says = json.loads(GOOD.text) | values
    return json.dumps({name: value for name, value in says.items() if value is not None})


def other_values(value: Any) -> Iterator[Any]:
    """Give values that are not this one: a letter or digit changed, more, less, other types."""
    if isinstance(value, int):
        yield from (value + 1, value - 1, -value - 1, str(value))
    elif isinstance(value, str):
        yield from (
            value + "x",
            value[:-1],
            value.swapcase() + " ",
            [value],
            "x" + value[1:] if value[:1] != "x" else "y",
        )
    else:
        yield from ([], [*value, *value[:1]], value[::-1], value[:-1])
    yield from (None, True, {}, 1.5)


@pytest.mark.parametrize("leaf", range(len(LEAVES)))
def test_a_receipt_proves_its_leaf(leaf: int) -> None:
    """Written, read and checked, the receipt of each leaf gives the checkpoint that was signed."""
    made = receipt(leaf)
    read = Receipt.of_text(made.text)

    assert (read, read.text) == (made, made.text)
    assert Receipt.of_text(made.text.encode()) == made
    assert read.check([VerifierKey.of("x", OTHER), KEY]) == checkpoint()


def test_a_receipt_is_json_that_people_can_read() -> None:
    """The format comes first, then what is claimed; blanks and counts of 0 are left out, and characters stay."""
    says = json.loads(GOOD.text)

    assert list(says) == ["format", "leaf", "kind", "fields", "proof", "checkpoint", "message"]
    assert says["format"] == "quotaledger receipt 1"
    assert list(says["fields"]) == sorted(name for name, value in DECISION.items() if is_said(name, value))
    assert "“so far”" in GOOD.text
    assert GOOD.text.endswith("\n}\n")
    assert Receipt(**{**vars_of(GOOD), "fields": dict(reversed(DECISION.items()))}).text == GOOD.text


def vars_of(made: Receipt) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__slots__}


def test_the_sentence_for_people_is_not_proven() -> None:
    """Another message, or none, is a receipt of the same leaf."""
    for message in ("Refused", None):
        text = changed(message=message)
        assert Receipt.of_text(text).check([KEY]) == checkpoint()


@pytest.mark.parametrize("leaf", [5, 6])
def test_every_changed_field_is_found(leaf: int) -> None:
    """Whatever a field is changed into, left out, added or moved to another name, the receipt does not hold."""
    says = json.loads(receipt(leaf).text)
    fields = says["fields"]
    assert len(fields) > 5
    changes = [{**fields, name: value} for name in fields for value in other_values(fields[name])]
    changes += [{other: value for other, value in fields.items() if other != name} for name in fields]
    blank: list[str] = [name for name in FIELDS[says["kind"]] if name not in fields]
    said: tuple[Any, ...] = ("", "x", 0, "0", 1, None, [])
    changes += [{**fields, name: value} for name in blank for value in said]
    changes += [{**fields, "surprise": 1}, {}]
    for change in changes:
        assert json.dumps(change) != json.dumps(fields)
        assert fault(json.dumps({**says, "fields": change}))


def test_a_changed_file_of_a_batch_is_found() -> None:
    """So is a change of a name, a hash or a number of rows within the files of a batch."""
    says = json.loads(receipt(6).text)
    for name, value in (("file", "b.csv"), ("sha256", "0" * 64), ("records", 2), ("records", "1"), ("more", 1)):
        files = [{**says["fields"]["files"][0], name: value}, says["fields"]["files"][1]]
        assert fault(json.dumps({**says, "fields": {**says["fields"], "files": files}}))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"leaf": 4}, "leaf 4 with these fields is not under the signed root"),
        ({"leaf": 7}, "leaf 7 is not among the 7 leaves"),
        ({"leaf": -1}, "numbered from 0"),
        ({"leaf": "5"}, "'leaf' is not a whole number"),
        ({"leaf": True}, "'leaf' is not a whole number"),
        ({"leaf": 5.0}, "5.0 is no whole number"),
        ({"leaf": 2**53}, "no number that every reader knows exactly"),
        ({"leaf": 10**400}, "no number that every reader knows exactly"),
        ({"leaf": None}, "too much or too little: 'leaf'"),
        ({"kind": "batch"}, "a batch leaf has no field 'account'"),
        ({"kind": "surprise"}, "no leaves of the kind 'surprise'"),
        ({"kind": ["decision"]}, "'kind' is not a text"),
        ({"format": "quotaledger receipt 2"}, "not of the format"),
        ({"format": None}, "not of the format"),
        ({"fields": []}, "'fields' is not an object"),
        ({"fields": {"files": []}}, "no field 'files'"),
        ({"proof": "x"}, "'proof' is not a list"),
        ({"proof": [1]}, "a step of the proof"),
        ({"proof": ["x"]}, "a step of the proof"),
        ({"proof": ["é"]}, "a step of the proof"),
        ({"proof": ["eHg="]}, "a step of the proof"),
        ({"proof": []}, "is not under the signed root"),
        ({"checkpoint": 1}, "'checkpoint' is not a text"),
        ({"checkpoint": ""}, "the checkpoint is not one to trust: it is no signed note"),
        ({"checkpoint": checkpoint().text}, "the checkpoint is not one to trust: it is no signed note"),
        ({"checkpoint": checkpoint().signed(OTHER)}, "not one to trust: none of the keys"),
        ({"checkpoint": checkpoint(6).signed(PRIVATE)}, "not under the signed root of 6 leaves"),
        ({"checkpoint": GOOD.checkpoint.replace("\n7\n", "\n8\n")}, "the signature by quota.example/ledger is not of"),
        ({"message": 1}, "'message' is not a text"),
        ({"more": 1}, "too much or too little: 'more'"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], said: str) -> None:
    """A changed or malformed receipt is refused with a sentence that says what is wrong with it."""
    assert said in fault(changed(**values))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON"),
        ("[]", "not of the format"),
        ("null", "not of the format"),
        ("\ufeff" + GOOD.text, "it is no JSON"),
        (GOOD.text + "x", "it is no JSON"),
        (GOOD.text[:-10], "it is no JSON"),
        (GOOD.text.replace('"leaf": 5', '"leaf": 5, "leaf": 5'), "it says 'leaf' twice"),
        (GOOD.text.replace('"provider": "CLOUD"', '"provider": "X", "provider": "CLOUD"'), "it says 'provider' twice"),
        (GOOD.text.replace('"leaf": 5', '"leaf": NaN'), "NaN is no whole number"),
        (GOOD.text.replace('"leaf": 5', '"leaf": -Infinity'), "-Infinity is no whole number"),
        (GOOD.text.replace('"leaf": 5', '"leaf": 1e400'), "1e400 is no whole number"),
        (GOOD.text.replace('"leaf": 5', '"leaf": -0'), "-0 is no number"),
        (GOOD.text.replace('"leaf": 5', '"leaf": ' + "9" * 9999), "is no number that every reader knows"),
        (GOOD.text.replace('"leaf": 5', '"leaf": ' + "[" * 99999), "nested too deeply"),
        (GOOD.text.replace("CLOUD", "\\ud800"), "it is no UTF-8"),
        (GOOD.text.encode("utf-16"), "it is no UTF-8"),
        (GOOD.text.encode() + b"\xff", "it is no UTF-8"),
    ],
)
def test_what_is_no_receipt_is_refused(text: str | bytes, said: str) -> None:
    """What is no JSON, or may be understood in two ways, is refused with a sentence for people."""
    assert said in fault(text)


def test_every_changed_step_is_found() -> None:
    """A step that is changed, left out, said twice or in another place does not lead to the root."""
    for place, step in enumerate(GOOD.proof):
        before, after = GOOD.proof[:place], GOOD.proof[place + 1 :]
        other = bytes([step[0] ^ 1]) + step[1:]
        for proof in ((*before, other, *after), before + after, (*before, step, step, *after), GOOD.proof[::-1]):
            assert "is not under the signed root" in fault(replace(GOOD, proof=proof).text)


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_any_text_is_a_receipt_or_refused_as_none(text: str | bytes) -> None:
    """Whatever comes in is refused with ReceiptError, never with another exception, as receipt and as statement."""
    assert fault(text)
    with pytest.raises(ReceiptError):
        Consistency.of_text(text)


ANY: Final = st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.floats(), st.lists, max_leaves=4)


@given(st.sampled_from(["leaf", "kind", "fields", "proof", "checkpoint"]), ANY | st.dictionaries(st.text(), ANY))
def test_any_value_in_the_place_of_one_is_found(name: str, value: Any) -> None:
    """Whatever stands in the place of a value of a good receipt, it is found."""
    assert fault(changed(**{name: value}))


@pytest.mark.parametrize(("earlier", "later"), [(1, 7), (4, 7), (5, 6), (7, 7), (3, 4)])
def test_a_statement_shows_that_a_log_continues(earlier: int, later: int) -> None:
    """Written, read and checked, a statement gives both checkpoints."""
    made = statement(earlier, later)
    read = Consistency.of_text(made.text)

    assert (read, read.text) == (made, made.text)
    assert read.check([KEY]) == (checkpoint(earlier), checkpoint(later))


def broken(made: Consistency) -> str:
    with pytest.raises(ReceiptError) as caught:
        Consistency.of_text(made.text).check([KEY])
    return str(caught.value)


def test_what_is_wrong_with_a_statement_is_named() -> None:
    """Another root, key, log, order or proof is found, and it is said of which checkpoint."""
    made = statement(4, 7)
    fork = Checkpoint(ORIGIN, 4, bytes(32)).signed(PRIVATE)
    elsewhere = Checkpoint("elsewhere", 7, checkpoint().root)
    by_both = elsewhere.text + made.later[len(checkpoint().text) :]

    assert "begins with that of 4" in broken(replace(made, earlier=fork))
    assert "begins with that of 4" in broken(replace(made, proof=()))
    assert "begins with that of 4" in broken(replace(made, proof=(*made.proof, made.proof[0])))
    assert "begins with that of 5" in broken(replace(made, earlier=checkpoint(5).signed(PRIVATE)))
    assert "the earlier checkpoint has 7 leaves, the later only 4" in broken(
        replace(made, earlier=made.later, later=made.earlier)
    )
    assert "the earlier checkpoint is not one to trust: none" in broken(
        replace(made, earlier=checkpoint(4).signed(OTHER))
    )
    assert "the later checkpoint is not one to trust: none" in broken(replace(made, later=checkpoint().signed(OTHER)))
    assert "the later checkpoint is not one to trust: none" in broken(replace(made, later=by_both))
    with pytest.raises(ReceiptError, match="the later checkpoint is not one to trust: none"):
        replace(made, later=sign(elsewhere.text, (ORIGIN, PRIVATE))).check([KEY])
    with pytest.raises(ReceiptError, match=r"of two logs, quota\.example/ledger and elsewhere"):
        replace(made, later=elsewhere.signed(PRIVATE)).check([KEY, VerifierKey.of("elsewhere", PRIVATE)])


def test_a_statement_is_no_receipt() -> None:
    """Each format is told by its name; a statement says nothing but its three parts."""
    made = statement(4, 7)

    assert "not of the format" in fault(made.text)
    with pytest.raises(ReceiptError, match="not of the format"):
        Consistency.of_text(GOOD.text)
    with pytest.raises(ReceiptError, match="too much or too little: 'leaf'"):
        Consistency.of_text(made.text.replace('"proof"', '"leaf": 1, "proof"'))
