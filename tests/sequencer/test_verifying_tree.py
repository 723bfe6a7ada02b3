"""Leaves, tree and checkpoints that somebody has written anew do not stand for one another."""

import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.sealing import change, own_key, seal_again
from tests.sequencer.sealed import FORGERY, fails


def test_a_forged_leaf_is_not_under_the_root(path: Path) -> None:
    """Whoever rewrites a record's leaf hash, too, has changed the root that was signed."""
    change(path, FORGERY)
    seal_again(path, own_key(path), leaves_only=True)

    assert re.search(r"tile 0 of level 8|checkpoint of batch 7 states another root", fails(path))


def test_a_forged_tree_is_not_signed_by_the_ledgers_key(path: Path) -> None:
    """Whoever rewrites leaves, tiles, peaks, checkpoints and the file outside still lacks the key."""
    change(path, FORGERY)
    seal_again(path, Ed25519PrivateKey.generate())

    assert re.search(r"checkpoint of batch 1 is not signed as it should be", fails(path))


def test_a_signature_of_something_else_is_none(path: Path) -> None:
    """A note that the key did sign, but for an earlier checkpoint, does not stand for a later one."""
    change(path, "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE batch = 1) WHERE batch = 11")

    assert re.search(r"checkpoint of batch 11 is not signed .*another number of leaves", fails(path))
