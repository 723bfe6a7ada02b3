"""The page for verifiers in other languages: its example is what the code makes, and its lists leave nothing out."""

import json
import re
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.tlog.checkpoint import read_checkpoint
from ledger.tlog.leaf import FIELDS, leaf_bytes, leaf_hash
from ledger.tlog.note import VerifierKey
from ledger.tlog.receipt import CONSISTENCY, RECEIPT, Consistency, Receipt
from ledger.tlog.tree import Frontier, node_hash

ROOT: Final = Path(__file__).parent.parent.parent
PAGE: Final = (ROOT / "docs/log.md").read_text("utf-8")
EXAMPLE: Final = PAGE.partition("\n## A full example\n")[2]
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def block(after: str) -> str:
    """Give the indented text after a sentence of the example."""
    found = re.search(re.escape(after) + r"[^\n]*\n\n((?:(?:    [^\n]*)?\n)+)", EXAMPLE)
    assert found, after
    return re.sub(r"^    ", "", found[1].rstrip("\n") + "\n", flags=re.MULTILINE)


KEY: Final = VerifierKey.parse(block("Its public key is"))
LEAVES: Final = re.findall(r"    (quotaledger/1 (\w+)\n)    (\{.*\})\n", EXAMPLE)


def test_the_example_is_what_the_code_makes() -> None:
    """Leaves, hashes, node, root and checkpoint on the page are those that its fields and its key give."""
    hashes = dict(re.findall(r"^(leaf \d|node|root) +([0-9a-f]{64})$", block("Their hashes"), re.MULTILINE))
    made = []
    for line, kind, body in LEAVES:
        leaf = leaf_bytes(kind, dict.fromkeys(FIELDS[kind]) | json.loads(body))
        assert leaf == (line + body).encode()
        made.append(leaf_hash(leaf))
    checkpoint = read_checkpoint(block("The checkpoint:"), [KEY])

    assert VerifierKey.of("quota.example/ledger", PRIVATE) == KEY
    assert [hashes[f"leaf {n}"] for n in range(3)] == [found.hex() for found in made]
    assert hashes["node"] == node_hash(*made[:2]).hex()
    assert hashes["root"] == Frontier().extended(b"".join(made))[0].root().hex() == checkpoint.root.hex()
    assert (checkpoint.origin, checkpoint.size) == ("quota.example/ledger", 3)
    assert checkpoint.signed(PRIVATE) == block("The checkpoint:")


def test_the_receipt_and_the_statement_of_the_example_hold() -> None:
    """Both are checked with the key on the page, and written as the ledger writes them."""
    receipt = Receipt.of_text(block("The receipt of leaf 1"))
    statement = Consistency.of_text(block("The consistency statement from"))

    assert receipt.check([KEY]).size == 3
    assert [checkpoint.size for checkpoint in statement.check([KEY])] == [2, 3]
    assert receipt.text == block("The receipt of leaf 1")
    assert statement.text == block("The consistency statement from")


def test_the_kinds_of_the_log_are_on_the_page() -> None:
    """Every field of key and batch leaves stands on the page, and the formats are those of the code."""
    for kind in ("key", "batch"):
        (row,) = re.findall(rf"^\| {kind} \| (.*) \|$", PAGE, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == set(FIELDS[kind]) - {"batch", "recorded_at", "salt"}
    assert all(f'"{form}"' in PAGE for form in (RECEIPT, CONSISTENCY, "quotaledger export 1"))


@pytest.mark.parametrize("name", ["manifest.json", "checkpoints.txt", "leaves.ndjson", "verify.py"])
def test_the_files_of_an_export_are_on_the_page(name: str) -> None:
    """Each file that the verifier knows is told of."""
    assert f"| `{name}` |" in PAGE
