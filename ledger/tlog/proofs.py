"""Proofs of RFC 6962, 2.1: that a leaf is under a root, and that a tree is the beginning of a later one.

Making one needs the nodes of the tree, checking one needs nothing but the proof. The checks are those of RFC 9162,
2.1.3.2 and 2.1.4.2.
"""

from collections.abc import Callable, Sequence

from ledger.tlog.leaf import HASH_BYTES
from ledger.tlog.tree import EMPTY_ROOT, node_hash

Node = Callable[[int, int], bytes]
"""Gives the hash of a perfect subtree: of 2^level leaves, the index-th of them, from 0."""


def root_of(first: int, end: int, node: Node) -> bytes:
    """Give the root over the leaves from `first` to before `end`, where a subtree of the whole begins at `first`."""
    width = end - first
    if not width:
        return EMPTY_ROOT
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, first >> level)
    middle = first + _split(width)
    return node_hash(root_of(first, middle, node), root_of(middle, end, node))


def inclusion_proof(leaf: int, size: int, node: Node) -> list[bytes]:
    """Give the hashes that lead from a leaf to the root of the first `size` leaves. Raises ValueError if it is none."""
    if not 0 <= leaf < size:
        raise ValueError(f"leaf {leaf} is not in a tree of {size}")
    return _path(leaf, 0, size, node)


def consistency_proof(earlier: int, later: int, node: Node) -> list[bytes]:
    """Give the hashes that show the tree of `earlier` leaves to be the beginning of that of `later` leaves.

    Raises ValueError if it cannot be.
    """
    if not 0 <= earlier <= later:
        raise ValueError(f"a tree of {earlier} leaves is not the beginning of one of {later}")
    return _subproof(earlier, 0, later, node, whole=True) if 0 < earlier < later else []


def includes(leaf_hash: bytes, leaf: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say if a proof shows a leaf to be under the root of a tree of `size` leaves."""
    if not 0 <= leaf < size or not _are_hashes(leaf_hash, *proof):
        return False
    at, last, found = leaf, size - 1, leaf_hash
    for step in proof:
        if not last:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return not last and found == root


def is_consistent(earlier: int, later: int, earlier_root: bytes, later_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say if a proof shows the tree of `earlier` leaves to be the beginning of that of `later` leaves."""
    if not 0 <= earlier <= later or not _are_hashes(*proof):
        return False
    if earlier == later:
        return not proof and earlier_root == later_root
    if not earlier:
        return not proof and earlier_root == EMPTY_ROOT
    if not proof:
        return False
    steps = list(proof) if earlier & (earlier - 1) else [earlier_root, *proof]
    at, last = earlier - 1, later - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if not last:
            return False
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, step)
        at, last = at >> 1, last >> 1
    return not last and old == earlier_root and new == later_root


def _are_hashes(*hashes: bytes) -> bool:
    """Say if all have the length of hashes: the halves of a node are told apart by nothing else."""
    return all(len(found) == HASH_BYTES for found in hashes)


def _split(width: int) -> int:
    """Give the largest power of two below a width of at least 2."""
    return 1 << (width - 1).bit_length() - 1


def _path(leaf: int, first: int, end: int, node: Node) -> list[bytes]:
    """Give PATH of RFC 6962, 2.1.1, from the leaf upwards."""
    if end - first == 1:
        return []
    middle = first + _split(end - first)
    if leaf < middle:
        return [*_path(leaf, first, middle, node), root_of(middle, end, node)]
    return [*_path(leaf, middle, end, node), root_of(first, middle, node)]


def _subproof(earlier: int, first: int, end: int, node: Node, *, whole: bool) -> list[bytes]:
    """Give SUBPROOF of RFC 6962, 2.1.2; `whole` says that the earlier tree itself is still in sight."""
    if earlier == end:
        return [] if whole else [root_of(first, end, node)]
    middle = first + _split(end - first)
    if earlier <= middle:
        return [*_subproof(earlier, first, middle, node, whole=whole), root_of(middle, end, node)]
    return [*_subproof(earlier, middle, end, node, whole=False), root_of(first, middle, node)]
