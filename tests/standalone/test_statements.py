"""Receipts and consistency statements, as the stand-alone verifier reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import sign
from ledger.tlog.proofs import consistency_proof, inclusion_proof
from ledger.tlog.receipt import Consistency, Receipt
from tests.standalone.exports import FIRST, ORIGIN, SECOND, STRANGER, Log, base64s, rotated_log
from tests.standalone.forging import letter, signed
from tests.standalone.running import stated


def receipt_of(log: Log, leaf: int) -> Receipt:
    kind, fields, _ = log.leaves[leaf]
    size = len(log.leaves)
    return Receipt(leaf, kind, fields, tuple(inclusion_proof(leaf, size, log.node)), log.notes[-1], "Admitted.")


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
        ({"leaf": 7}, "leaf 7 (decision 1 'ACME' 'PO-1') is not under the root of the first 14 leaves"),
        ({"leaf": 14}, "leaf 14 (decision 1 'ACME' 'PO-1') is not among the first 14 leaves"),
        ({"leaf": -1}, "is not among the first 14 leaves"),
        ({"leaf": True}, "the file does not say 'leaf'"),
        ({"leaf": 2**70}, "is no number that every reader knows exactly"),
        ({"kind": "party"}, "or says it as no leaf of its kind does"),
        ({"kind": "{9}"}, "is not among the first 14 leaves"),
        ({"fields": other(rotated_log().leaves[6][1])}, "is not under the root"),
        ({"fields": {**rotated_log().leaves[6][1], "cap_tpp": "0"}}, "says 'cap_tpp', or says it as no"),
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
