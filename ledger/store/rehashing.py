"""The leaves hashed again from the rows that they stand for, and the tree over them, some 65,536 at a time.

Apart from `log`, because it goes through everything: SQL writes the bytes of decisions, Python hashes them, and what is
found of one span of leaves needs nothing of another, so that processes share the work.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from ledger.core.columns import Numbers
from ledger.core.errors import VerificationFailed
from ledger.core.text import shown
from ledger.store.arrow import numbers as numbers_of
from ledger.store.blame import KEEP, differing, named, strange
from ledger.store.leaves import hashed
from ledger.store.log import fields_of
from ledger.store.query import rows
from ledger.store.read import REFERENCE_HASH
from ledger.store.stored_leaves import stored_decisions
from ledger.tlog.leaf import FIELDS, HASH_BYTES, SALT_BYTES, leaf_bytes, leaf_hash
from ledger.tlog.tree import TILE_LEVELS, Frontier

SPAN: Final = 1 << 2 * TILE_LEVELS
"""Leaves of a span; the root of a whole one is a tile."""
_NONE: Final = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Span:
    """What was found of some leaves from `start`, a multiple of `SPAN`: they are what their rows give."""

    start: int
    size: int
    peaks: bytes
    """Of the tree over these leaves alone."""
    checkpoints: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Of each batch that one of these closes: its number, the leaves of the log then, the peaks over these by then."""
    sequences: tuple[int, int] | None = None
    """The first and last sequence of the decisions among them."""


@dataclass(frozen=True, slots=True)
class _Leaves:
    """The stored leaves of a span; `hashes` has a row for each, as `_hash_rows` gives them."""

    start: int
    kinds: Any
    hashes: Any

    def of(self, kind: str) -> Numbers:
        """Give the numbers of the leaves of a kind."""
        known = self.kinds.dictionary.to_pylist()
        return (
            np.flatnonzero(numbers_of(self.kinds.indices) == (known.index(kind) if kind in known else -1)) + self.start
        )


def rehash(connection: duckdb.DuckDBPyConnection, start: int, end: int) -> Span:
    """Write and hash the leaves from `start` to before `end` again.

    Raises VerificationFailed for the first that differs. `start` is a multiple of `SPAN`, `end` at most the next.
    """
    leaves = _leaves(connection, start, end)
    again = np.zeros_like(leaves.hashes)
    sequences = _decisions(connection, leaves, again)
    for kind in FIELDS:
        if kind != "decision" and len(leaves.of(kind)):
            found = [
                (leaf, leaf_hash(leaf_bytes(kind, fields))) for leaf, fields in fields_of(connection, kind, start, end)
            ]
            numbers = np.array([leaf for leaf, _ in found], np.int64)
            _match(connection, kind, leaves.of(kind), numbers)
            again[numbers - start] = _hash_rows(b"".join(digest for _, digest in found))
    wrong = np.flatnonzero((again != leaves.hashes).any(axis=1))
    if len(wrong):
        raise VerificationFailed(differing(connection, start + int(wrong[0])))
    return _span(connection, start, end, again.tobytes(), sequences)


def _leaves(connection: duckdb.DuckDBPyConnection, start: int, end: int) -> _Leaves:
    """Read the stored leaves of a span, in order."""
    query = f"SELECT leaf, kind, salt, hash FROM leaf WHERE leaf >= {start:d} AND leaf < {end:d}"
    table = connection.sql(query).to_arrow_table()
    numbers = numbers_of(table.column("leaf"))
    if (np.diff(numbers) < 0).any():
        table = table.sort_by("leaf")
        numbers = numbers_of(table.column("leaf"))
    if len(numbers) != end - start or (numbers != np.arange(start, end)).any():
        missing = sorted(set(range(start, end)) - set(numbers.tolist()))
        raise VerificationFailed(
            f"leaf {missing[0]:,} of the log is missing: leaves are numbered without gaps; {KEEP}"
            if missing
            else f"a leaf between {start:,} and {end:,} is there twice; {KEEP}"
        )
    kinds = table.column("kind").combine_chunks().dictionary_encode()
    for code, kind in enumerate(kinds.dictionary.to_pylist()):
        if kind not in FIELDS:
            leaf = start + int(np.flatnonzero(numbers_of(kinds.indices) == code)[0])
            raise VerificationFailed(f"leaf {leaf:,} is of a kind that there is not, {shown(kind)}; {KEEP}")
    _octets(table.column("salt"), SALT_BYTES, start, "salt")
    hashes = _octets(table.column("hash"), HASH_BYTES, start, "hash")
    return _Leaves(start, kinds, _hash_rows(hashes))


def _hash_rows(hashes: bytes) -> Any:
    """Give a row for each hash; of four large numbers, which are compared sooner than bytes."""
    return np.frombuffer(hashes, np.uint64).reshape(-1, HASH_BYTES // 8)


def _octets(column: Any, width: int, start: int, name: str) -> bytes:
    """Give the bytes of a column, one after another, all of which must have one width."""
    array = column.combine_chunks().cast(pa.large_binary())
    ends = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    wrong = np.flatnonzero(np.diff(ends) != width)
    if len(wrong):
        raise VerificationFailed(f"the {name} of leaf {start + int(wrong[0]):,} has not {width} bytes; {KEEP}")
    return array.buffers()[2].to_pybytes()[ends[0] : ends[-1]]  # type: ignore[no-any-return]


def _match(connection: duckdb.DuckDBPyConnection, kind: str, expected: Numbers, found: Numbers) -> None:
    """See that there is a row for each leaf of a kind, and a leaf for each row; `found` is in order."""
    if np.array_equal(expected, found):
        return
    missing = sorted(set(expected.tolist()) - set(found.tolist()))
    if missing:
        raise VerificationFailed(
            f"leaf {missing[0]:,}, a {kind}, stands for a row that is not there: it was deleted, or its number changed;"
            f" {KEEP}"
        )
    surplus = next(
        leaf for place, leaf in enumerate(found.tolist()) if not place < len(expected) or leaf != expected[place]
    )
    raise VerificationFailed(strange(connection, kind, surplus))


def _decisions(connection: duckdb.DuckDBPyConnection, leaves: _Leaves, again: Any) -> tuple[int, int] | None:
    """Hash the decisions of a span again. Gives their first and last sequence."""
    start, end = leaves.start, leaves.start + len(leaves.kinds)
    found: list[tuple[Any, ...]] = [(_NONE, _NONE, _hash_rows(b""))]
    for lot in stored_decisions(connection, start, end):
        digests = _hash_rows(hashed(lot.column("written")))
        found.append((numbers_of(lot.column("leaf")), numbers_of(lot.column("sequence")), digests))
    numbers, sequences, digests = map(np.concatenate, zip(*found, strict=True))
    order = np.argsort(numbers, kind="stable")
    numbers, sequences = numbers[order], sequences[order]
    _match(connection, "decision", leaves.of("decision"), numbers)
    if not len(numbers):
        return None
    again[numbers - start] = digests[order]
    # What differs from its leaf is named first: only then does a number that is in no leaf, or a gap, say more.
    if (again[numbers - start] == leaves.hashes[numbers - start]).all():
        _check_sequences(sequences)
        _check_references(connection, start, end)
    return int(sequences[0]), int(sequences[-1])


def _check_sequences(sequences: Numbers) -> None:
    """See that sequences have no gaps in the order of leaves."""
    gaps = np.flatnonzero(np.diff(sequences) != 1)
    if len(gaps):
        before, after = sequences[gaps[0] : gaps[0] + 2].tolist()
        raise VerificationFailed(f"record {after:,} follows record {before:,}: sequences have no gaps; {KEEP}")


def _check_references(connection: duckdb.DuckDBPyConnection, start: int, end: int) -> None:
    """See that each record of a span is found by its reference."""
    query = f"""
        SELECT min(leaf) FROM entry
        WHERE leaf >= {start:d} AND leaf < {end:d} AND reference_hash IS DISTINCT FROM {REFERENCE_HASH}
    """
    ((leaf,),) = rows(connection, query)
    if leaf is not None:
        where = named(connection, "decision", leaf)
        raise VerificationFailed(
            f"{where} would not be found by its reference: its column reference_hash is not the hash of provider and"
            f" reference, so that the same record could be recorded twice; {KEEP}"
        )


def _span(
    connection: duckdb.DuckDBPyConnection, start: int, end: int, hashes: bytes, sequences: tuple[int, int] | None
) -> Span:
    """Grow the tree over the leaves of a span, from one checkpoint to the next, and hold its tiles against it."""
    query = "SELECT batch, last_leaf + 1 FROM batch WHERE last_leaf >= ? AND last_leaf < ? ORDER BY last_leaf"
    at, grown, checkpoints, tiles = start, Frontier(), [], b""
    for batch, size in [*rows(connection, query, [start, end]), (0, end)]:
        more = hashes[HASH_BYTES * (at - start) : HASH_BYTES * (size - start)]
        grown, completed = grown.extended(more)
        tiles += b"".join(tile.hashes for tile in completed if tile.level == TILE_LEVELS)
        checkpoints.append((batch, size, grown.peaks))
        at = size
    check_tiles(connection, TILE_LEVELS, start >> TILE_LEVELS, tiles)
    return Span(start, end - start, grown.peaks, checkpoints[:-1], sequences)


def check_tiles(connection: duckdb.DuckDBPyConnection, level: int, start: int, expected: bytes) -> None:
    """Hold the stored tiles of a level, from a number on, against those that follow from the leaves."""
    count = len(expected) // HASH_BYTES
    query = "SELECT number, hash FROM tile WHERE level = ? AND number >= ? AND number < ? ORDER BY number"
    found = rows(connection, query, [level, start, start + count])
    for place in range(count):
        wanted = start + place, expected[HASH_BYTES * place : HASH_BYTES * (place + 1)]
        if place >= len(found) or found[place] != wanted:
            raise VerificationFailed(
                f"the tree's tile {wanted[0]:,} of level {level} is not the root over its leaves, or missing: the"
                f" leaves themselves are good so far, but proofs made with it would not be; {KEEP}"
            )
