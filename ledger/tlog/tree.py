"""The Merkle tree of RFC 6962 over the leaves: its right edge, which is all that an append needs, and its tiles.

The *frontier* of a tree is the roots of the perfect subtrees that it is made of, the largest first: one for each bit
that is set in its size. A *tile* is the root of a perfect subtree of 256, 65,536, ... leaves; keeping those makes any
proof a matter of a few hundred hashes, however large the ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from struct import iter_unpack
from typing import Final

from ledger.tlog.leaf import HASH_BYTES

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, 2.1)."""
TILE_LEVELS: Final = 8
"""Every so many levels the nodes are kept: a tile stands for 256 nodes of the kept level below it."""
_INNER: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tiles of one level, one after another: the first has number `start`; `hashes` has 32 bytes for each."""

    level: int
    start: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree of `size` leaves; `peaks` has 32 bytes for each perfect subtree, the largest first."""

    size: int = 0
    peaks: bytes = b""

    def __post_init__(self) -> None:
        """Raise ValueError where the number of peaks is not that of the bits in the size."""
        if self.size < 0 or len(self.peaks) != HASH_BYTES * self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} peaks")

    def extended(self, leaves: bytes) -> tuple["Frontier", list[Tiles]]:
        """Give the frontier after more leaf hashes, 32 bytes each, and the tiles that they complete.

        Raises ValueError for a part of a hash.
        """
        if len(leaves) % HASH_BYTES:
            raise ValueError(f"leaf hashes have {HASH_BYTES} bytes each, which {len(leaves)} bytes are not")
        peaks, tiles = dict(self._peaks()), []
        size, level = self.size + len(leaves) // HASH_BYTES, 0
        grown = leaves  # the nodes of a level that are new
        while grown:
            if level and not level % TILE_LEVELS:
                tiles.append(Tiles(level, self.size >> level, grown))
            if level in peaks:
                grown = peaks.pop(level) + grown
            if len(grown) // HASH_BYTES % 2:
                peaks[level], grown = grown[-HASH_BYTES:], grown[:-HASH_BYTES]
            grown = parents(grown)
            level += 1
        return Frontier(size, b"".join(peaks[level] for level in sorted(peaks, reverse=True))), tiles

    def root(self) -> bytes:
        """Give the root of the tree (RFC 6962, 2.1)."""
        peaks = [peak for _, peak in self._peaks()]
        if not peaks:
            return EMPTY_ROOT
        root = peaks.pop()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root

    def _peaks(self) -> Iterator[tuple[int, bytes]]:
        """Give each peak with its level, the largest first."""
        levels = [level for level in reversed(range(self.size.bit_length())) if self.size >> level & 1]
        for place, level in enumerate(levels):
            yield level, self.peaks[HASH_BYTES * place : HASH_BYTES * (place + 1)]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node: SHA-256 of a one byte and its two halves (RFC 6962, 2.1)."""
    return sha256(_INNER + left + right).digest()


def parents(hashes: bytes) -> bytes:
    """Give the nodes above an even number of neighbours, 32 bytes each, the first of them a left one."""
    begun, found = sha256(_INNER), []
    for (pair,) in iter_unpack(f"{2 * HASH_BYTES}s", hashes):
        node = begun.copy()  # quicker than to begin anew
        node.update(pair)
        found.append(node.digest())
    return b"".join(found)
