"""The tree and its proofs: every small size in full, against another implementation and the reference vectors."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from ledger.tlog.leaf import HASH_BYTES, leaf_hash
from ledger.tlog.proofs import Node, consistency_proof, includes, inclusion_proof, is_consistent, root_of
from ledger.tlog.tree import EMPTY_ROOT, TILE_LEVELS, Frontier, Tiles, node_hash, parents

SIZES: Final = range(65)
ENTRIES: Final = [f"leaf {n}".encode() for n in SIZES]
LEAVES: Final = [leaf_hash(entry) for entry in ENTRIES]
CHANGED: Final = 1 << 7

# The inputs and roots that the tests of certificate transparency have used since RFC 6962.
CT_ENTRIES: Final = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_LEAVES: Final = [leaf_hash(entry) for entry in CT_ENTRIES]
CT_ROOTS: Final = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
CT_INCLUSION: Final = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
CT_CONSISTENCY: Final = {
    (2, 8): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


def nodes_of(leaves: Sequence[bytes]) -> Node:
    """Give the perfect subtrees of leaves, each computed anew."""

    def node(level: int, index: int) -> bytes:
        if not level:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """Give MTH of RFC 6962, 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_subproof(earlier: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """Give SUBPROOF of RFC 6962, 2.1.2, word for word."""
    if earlier == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if earlier <= k:
        return [*naive_subproof(earlier, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_subproof(earlier - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def grown(chunks: Sequence[Sequence[bytes]]) -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    """Append chunk after chunk, and give the frontier with every tile by level and number."""
    frontier, tiles = Frontier(), list[Tiles]()
    for chunk in chunks:
        frontier, more = frontier.extended(b"".join(chunk))
        tiles += more
    numbered = [
        ((tile.level, tile.start + at // HASH_BYTES), tile.hashes[at : at + HASH_BYTES])
        for tile in tiles
        for at in range(0, len(tile.hashes), HASH_BYTES)
    ]
    assert len(dict(numbered)) == len(numbered)
    return frontier, dict(numbered)


def flipped(text: bytes) -> Iterator[bytes]:
    """Give a text with each of its bits changed."""
    for bit in range(8 * len(text)):
        changed = bytearray(text)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


@pytest.mark.parametrize("size", range(len(CT_ROOTS)))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    """The root of the first leaves of the reference data is the one that everyone has."""
    assert Frontier().extended(b"".join(CT_LEAVES[:size]))[0].root().hex() == CT_ROOTS[size]
    assert root_of(0, size, nodes_of(CT_LEAVES)).hex() == CT_ROOTS[size]


def test_proofs_are_those_of_certificate_transparency() -> None:
    """The proofs of the reference data are the ones that everyone has, and are accepted."""
    node = nodes_of(CT_LEAVES)
    for (leaf, size), known in CT_INCLUSION.items():
        proof = inclusion_proof(leaf, size, node)
        assert tuple(step.hex() for step in proof) == known
        assert includes(CT_LEAVES[leaf], leaf, size, proof, bytes.fromhex(CT_ROOTS[size]))
    for (earlier, later), steps in CT_CONSISTENCY.items():
        proof = consistency_proof(earlier, later, node)
        assert tuple(step.hex() for step in proof) == steps
        roots = bytes.fromhex(CT_ROOTS[earlier]), bytes.fromhex(CT_ROOTS[later])
        assert is_consistent(earlier, later, *roots, proof)


def test_every_small_tree_is_what_the_rfc_says_however_it_grows() -> None:
    """Appended one at a time or all at once, every size to 64 has the same frontier, and the root of the RFC."""
    one_by_one = Frontier()
    for size in SIZES:
        if size:
            one_by_one, tiles = one_by_one.extended(LEAVES[size - 1])
            assert not tiles
        at_once, _ = Frontier().extended(b"".join(LEAVES[:size]))
        assert one_by_one == at_once
        assert one_by_one.size == size
        assert one_by_one.root() == naive_root(LEAVES[:size]) == root_of(0, size, nodes_of(LEAVES))


def test_every_small_tree_and_proof_is_that_of_another_implementation() -> None:
    """Every root and proof of each size to 64 is that of pymerkle or of the RFC, and fits its own leaf only.

    The consistency proofs of pymerkle have another layout: they must show our roots to be consistent.
    """
    other = InmemoryTree()
    other.append_entries(ENTRIES)
    node = nodes_of(LEAVES)
    roots = [other.get_root(size) for size in SIZES]
    assert [Frontier().extended(b"".join(LEAVES[:size]))[0].root() for size in SIZES] == roots
    for size in SIZES:
        for leaf in range(size):
            proof = inclusion_proof(leaf, size, node)
            assert [LEAVES[leaf], *proof] == other.prove_inclusion(leaf + 1, size).path
            accepting = [n for n in range(-1, size + 1) if includes(LEAVES[leaf], n, size, proof, roots[size])]
            assert accepting == [leaf]
        for earlier in range(1, size):
            proof = consistency_proof(earlier, size, node)
            assert proof == naive_subproof(earlier, LEAVES[:size], whole=True)
            other.prove_consistency(earlier, size).verify(naive_root(LEAVES[:earlier]), naive_root(LEAVES[:size]))
            assert is_consistent(earlier, size, roots[earlier], roots[size], proof)
            assert not is_consistent(earlier, size, roots[earlier - 1], roots[size], proof)


def test_a_tree_is_the_beginning_of_itself_and_the_empty_one_of_any() -> None:
    """Of equal sizes and of no leaves the proof is empty, the roots must be right, and no step may be there."""
    node = nodes_of(LEAVES)
    for size in SIZES:
        root = root_of(0, size, node)
        assert consistency_proof(size, size, node) == consistency_proof(0, size, node) == []
        assert is_consistent(size, size, root, root, [])
        assert is_consistent(0, size, EMPTY_ROOT, root, [])
        assert not is_consistent(size, size, root, leaf_hash(b"other"), [])
        assert not is_consistent(size, size, root, root, [root])
        assert not is_consistent(0, size, EMPTY_ROOT, root, [root])
        assert not is_consistent(0, size + 1, root_of(0, 1, node), root, [])
    assert not is_consistent(-1, -1, EMPTY_ROOT, EMPTY_ROOT, [])
    assert not is_consistent(2, 1, EMPTY_ROOT, EMPTY_ROOT, [])


@pytest.mark.parametrize(("leaf", "size"), [(0, 1), (0, 8), (5, 8), (6, 7), (4, 5), (12, 13)])
def test_every_changed_bit_of_an_inclusion_is_found(leaf: int, size: int) -> None:
    """Whichever bit changes of leaf, step, root or number, the leaf is not included; so with a step more or less."""
    node = nodes_of(LEAVES)
    proof, root = inclusion_proof(leaf, size, node), root_of(0, size, node)
    assert includes(LEAVES[leaf], leaf, size, proof, root)
    assert not any(includes(changed, leaf, size, proof, root) for changed in flipped(LEAVES[leaf]))
    assert not any(includes(LEAVES[leaf], leaf, size, proof, changed) for changed in flipped(root))
    for place, step in enumerate(proof):
        for changed in flipped(step):
            assert not includes(LEAVES[leaf], leaf, size, [*proof[:place], changed, *proof[place + 1 :]], root)
        assert not includes(LEAVES[leaf], leaf, size, proof[:place] + proof[place + 1 :], root)
        assert not includes(LEAVES[leaf], leaf, size, [*proof[:place], step, *proof[place:]], root)
    assert not includes(LEAVES[leaf], leaf, size, [*proof, root], root)
    if len(proof) > 1:
        assert not includes(LEAVES[leaf], leaf, size, proof[::-1], root)
    for bit in range(20):
        assert not includes(LEAVES[leaf], leaf ^ 1 << bit, size, proof, root)


@pytest.mark.parametrize(("earlier", "later"), [(1, 2), (2, 8), (6, 8), (3, 7), (4, 7), (7, 8), (11, 13)])
def test_every_changed_bit_of_a_consistency_is_found(earlier: int, later: int) -> None:
    """Whichever bit changes of either root or a step, the trees are not consistent; so with a step more or less."""
    node = nodes_of(LEAVES)
    proof = consistency_proof(earlier, later, node)
    old, new = root_of(0, earlier, node), root_of(0, later, node)
    assert is_consistent(earlier, later, old, new, proof)
    assert not any(is_consistent(earlier, later, changed, new, proof) for changed in flipped(old))
    assert not any(is_consistent(earlier, later, old, changed, proof) for changed in flipped(new))
    for place, step in enumerate(proof):
        for changed in flipped(step):
            assert not is_consistent(earlier, later, old, new, [*proof[:place], changed, *proof[place + 1 :]])
        assert not is_consistent(earlier, later, old, new, proof[:place] + proof[place + 1 :])
        assert not is_consistent(earlier, later, old, new, [*proof[:place], step, *proof[place:]])
    assert not is_consistent(earlier, later, old, new, [*proof, new])
    assert not is_consistent(later, earlier, new, old, proof)


def test_another_size_is_found_where_the_path_is_another() -> None:
    """A proof is refused for a size that gives the leaf a path of other length, and for a size with its own root.

    Sizes that give a leaf the same path cannot be told apart by a proof: the signature binds size and root.
    """
    node = nodes_of(LEAVES)
    roots = [root_of(0, size, node) for size in range(18)]
    proofs = {(leaf, size): inclusion_proof(leaf, size, node) for size in range(1, 18) for leaf in range(size)}
    for (leaf, size), proof in proofs.items():
        for other in {*range(18)} - {size}:
            assert not includes(LEAVES[leaf], leaf, other, proof, roots[other])
            if len(proofs.get((leaf, other), ())) != len(proof):
                assert not includes(LEAVES[leaf], leaf, other, proof, roots[size])


def test_a_proof_that_ends_below_the_root_shows_nothing() -> None:
    """Where a root is signed for more leaves than it has, the proofs of the smaller tree are too short."""
    node = nodes_of(LEAVES)
    two, four = (root_of(0, size, node) for size in (2, 4))

    assert not includes(LEAVES[0], 0, 8, inclusion_proof(0, 4, node), four)
    assert not is_consistent(2, 8, two, four, consistency_proof(2, 4, node))


def test_halves_of_a_node_cannot_be_cut_elsewhere() -> None:
    """What is not 32 bytes long is no hash, even if the bytes of both halves are right when put together."""
    left, right = LEAVES[:2]
    root = node_hash(left, right)
    assert includes(left, 0, 2, [right], root)
    assert not includes(left[:-1], 0, 2, [left[-1:] + right], root)
    assert not includes(left + right[:1], 0, 2, [right[1:]], root)
    steps = consistency_proof(3, 4, nodes_of(LEAVES))
    old, new = (root_of(0, size, nodes_of(LEAVES)) for size in (3, 4))
    assert is_consistent(3, 4, old, new, steps)
    cut = [steps[0][1:], steps[1], steps[2] + steps[0][:1]]
    assert not is_consistent(3, 4, old, new, cut)


@pytest.mark.parametrize(("leaf", "size"), [(0, 0), (-1, 1), (1, 1), (8, 8)])
def test_no_proof_is_made_of_a_leaf_that_is_not_there(leaf: int, size: int) -> None:
    """A leaf beyond the tree has no proof, and none is accepted for it."""
    with pytest.raises(ValueError, match=f"leaf {leaf} is not in a tree of {size}"):
        inclusion_proof(leaf, size, nodes_of(LEAVES))
    assert not includes(LEAVES[0], leaf, size, [], LEAVES[0])


@pytest.mark.parametrize(("earlier", "later"), [(2, 1), (-1, 1)])
def test_no_proof_is_made_of_a_later_tree_for_an_earlier(earlier: int, later: int) -> None:
    """A larger tree is not the beginning of a smaller one."""
    with pytest.raises(ValueError, match="is not the beginning"):
        consistency_proof(earlier, later, nodes_of(LEAVES))


@given(st.lists(st.integers(0, 300), max_size=12))
def test_a_tree_does_not_depend_on_how_it_was_appended(counts: list[int]) -> None:
    """Appended in any chunks or all at once, leaves give equal frontiers, roots and tiles."""
    leaves = [leaf_hash(n.to_bytes(4)) for n in range(sum(counts))]
    chunks, at = [], 0
    for count in counts:
        chunks.append(leaves[at : at + count])
        at += count
    in_chunks, tiles = grown(chunks)
    at_once, expected = grown([leaves])

    assert in_chunks == at_once
    assert in_chunks.root() == naive_root(leaves)
    assert tiles == expected
    assert sorted(tiles) == [(TILE_LEVELS, number) for number in range(len(leaves) >> TILE_LEVELS)]
    assert all(tiles[level, n] == root_of(n << level, n + 1 << level, nodes_of(leaves)) for level, n in tiles)


@pytest.mark.parametrize("chunk", [1000, 65_536, 70_000])
def test_tiles_of_two_levels(chunk: int) -> None:
    """Just over 65,536 leaves have 256 tiles of 256 leaves, or one more, and one of 65,536, whatever the chunks."""
    count = 65_536 + 300
    leaves = [sha256(n.to_bytes(4)).digest() for n in range(count)]
    frontier, tiles = grown([leaves[at : at + chunk] for at in range(0, count, chunk)])
    levels = [b"".join(leaves)]
    while len(levels) <= 2 * TILE_LEVELS:
        whole = len(levels[-1]) // (2 * HASH_BYTES) * 2 * HASH_BYTES
        levels.append(parents(levels[-1][:whole]))

    assert sorted(tiles) == [*((8, number) for number in range(257)), (16, 0)]
    assert tiles[16, 0] == levels[16] == parents(parents(levels[14]))
    assert b"".join(tiles[8, number] for number in range(257)) == levels[8]
    assert frontier.root() == node_hash(tiles[16, 0], Frontier().extended(b"".join(leaves[65_536:]))[0].root())


@pytest.mark.parametrize(("size", "peaks"), [(1, b""), (0, b"x" * 32), (3, b"x" * 32), (2, b"x" * 31), (-1, b"x" * 32)])
def test_a_frontier_has_a_peak_for_each_bit(size: int, peaks: bytes) -> None:
    """A frontier whose peaks are not as many as its size has bits is a mistake."""
    with pytest.raises(ValueError, match=f"a tree of {size} leaves"):
        Frontier(size, peaks)


def test_a_part_of_a_hash_is_no_leaf() -> None:
    """Leaves that are not 32 bytes each are a mistake, not fewer leaves."""
    with pytest.raises(ValueError, match="32 bytes each"):
        Frontier().extended(b"x" * 33)


def test_an_append_of_nothing_changes_nothing() -> None:
    """No leaves leave the frontier as it was, and complete no tile."""
    frontier, _ = Frontier().extended(b"".join(LEAVES[:7]))

    assert frontier.extended(b"") == (frontier, [])
