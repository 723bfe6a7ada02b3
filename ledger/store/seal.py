"""Sealing: what closes each batch in the log, in the transaction that recorded it.

The batch's own leaf follows the leaves of what it recorded; the tree grows by all of them, and a signed checkpoint says
how many leaves there are now and what their root is. All of that, and the move of the head, waits for the end of the
transaction, so that several batches share statements.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from ledger.core.columns import Column, concatenate
from ledger.store.arrow import dictionary
from ledger.store.file import LedgerFile
from ledger.store.head import Head, Move
from ledger.store.insert import insert, insert_rows
from ledger.tlog.leaf import HASH_BYTES, INSTANT, SALT_BYTES, Value, leaf_bytes, leaf_hash
from ledger.tlog.tree import Frontier, Tiles

_FEW = 64


@dataclass(frozen=True, slots=True)
class BatchRow:
    """What a batch is, but for its numbers, which the ledger gives."""

    kind: str
    provider: str | None
    filed_by: str
    recorded_at: datetime
    records: int
    admitted: int
    refused: int
    breached: int
    rejected: int
    duplicates: int
    rulebook_digest: str
    software_version: str


_BATCH_COLUMNS: Final = tuple(field.name for field in fields(BatchRow))


@dataclass
class Growth:
    """The tree as a batch grows it, and those leaves that it has added and that are not in the table yet."""

    frontier: Frontier
    start: int
    """The number of the first of those."""
    kinds: list[Column] = field(default_factory=list)
    salts: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    tiles: list[Tiles] = field(default_factory=list)

    def add(self, kinds: Column, salts: bytes, hashes: bytes) -> None:
        """Add leaves: their kinds, and the salts and hashes one after another."""
        self.frontier, tiles = self.frontier.extended(hashes)
        self.kinds.append(kinds)
        self.salts.append(salts)
        self.hashes.append(hashes)
        self.tiles += tiles

    def add_leaf(self, kind: str, fields: Mapping[str, Value]) -> None:
        """Add one leaf of all its fields but the salt, which is made here."""
        salt = os.urandom(SALT_BYTES)
        leaf = leaf_bytes(kind, {**fields, "salt": salt.hex()})
        self.add(Column.constant(kind, 1), salt, leaf_hash(leaf))

    def taken(self) -> "Growth":
        """Take the leaves out that are to go into the table."""
        taken = replace(self)
        self.start, self.kinds, self.salts, self.hashes, self.tiles = self.frontier.size, [], [], [], []
        return taken


def growth(at: Head) -> Growth:
    """Give the log where the ledger stands, to add leaves to."""
    return Growth(Frontier(at.leaf, at.peaks), at.leaf)


def close_batch(
    ledger: LedgerFile,
    at: Head,
    batch: BatchRow,
    grown: Growth,
    *,
    sequence: int,
    latest: date | None = None,
    files: Sequence[tuple[str, str, int]] = (),
) -> Head:
    """Close a batch whose rows are appended, and give where the ledger stands then.

    `sequence` is the last record's, `latest` the latest date of a record of the batch, `files` name, SHA-256 and rows
    of each. If the ledger does not stand where whoever decided believed, the transaction ends with QuotaledgerError.
    """
    number = at.batch + 1
    values = {name: getattr(batch, name) for name in _BATCH_COLUMNS} | {"batch": number}
    rows = [{"file": file, "sha256": digest, "records": records} for file, digest, records in files]
    grown.add_leaf("batch", values | {"recorded_at": instant(batch.recorded_at), "files": rows or None})
    to = Head(sequence, grown.frontier.size, number, grown.frontier.peaks)
    _let_wait(ledger, grown.taken())
    ledger.gathered.add("batch", values | {"last_sequence": sequence, "last_leaf": to.leaf - 1})
    if rows:
        ledger.gathered.add(
            "batch_file", *({"batch": number, "number": place} | row for place, row in enumerate(rows, 1))
        )
    root = grown.frontier.root()
    note = ledger.sign(to.leaf, root)
    ledger.gathered.add("checkpoint", {"batch": number, "size": to.leaf, "root": root, "note": note})
    ledger.gathered.move(Move(at, to, latest))
    return to


def instant(value: datetime) -> str:
    """Write an instant as leaves have it."""
    return value.astimezone(UTC).strftime(INSTANT)


def leaf_value(name: str, value: Any) -> Value:
    """Give a value of a row as leaves have it: amounts in TPP, days and instants are texts."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date) or (isinstance(value, int) and name.endswith("tpp")):
        return str(value)
    return value  # type: ignore[no-any-return]


def _let_wait(ledger: LedgerFile, grown: Growth) -> None:
    """Let a few leaves wait for the end of the transaction, with the tiles they complete; many are appended now."""
    if sum(map(len, grown.kinds)) > _FEW:
        append_leaves(ledger.connection, grown)
        return
    ledger.gathered.add("leaf", *_leaf_rows(grown))
    # Not as Arrow: its first table is what loads pandas, where that is installed, and one request would wait for it.
    for tiles in grown.tiles:
        hashes = enumerate(_cut(tiles.hashes, HASH_BYTES), tiles.start)
        rows = ({"level": tiles.level, "number": number, "hash": digest} for number, digest in hashes)
        ledger.gathered.add("tile", *rows)


def append_leaves(connection: duckdb.DuckDBPyConnection, grown: Growth) -> None:
    """Append leaves, and the tiles that they complete."""
    kinds, salts, hashes = concatenate(grown.kinds), b"".join(grown.salts), b"".join(grown.hashes)
    if len(kinds) <= _FEW:
        insert_rows(connection, "leaf", *_leaf_rows(grown))
    else:
        columns = {
            "leaf": np.arange(grown.start, grown.start + len(kinds)),
            "kind": dictionary(kinds),
            "salt": _octets(salts, SALT_BYTES),
            "hash": _octets(hashes, HASH_BYTES),
        }
        insert(connection, "leaf", columns)
    append_tiles(connection, grown.tiles)


def _leaf_rows(grown: Growth) -> list[dict[str, Any]]:
    kinds = (kind for column in grown.kinds for kind in column.items())
    salts, hashes = _cut(b"".join(grown.salts), SALT_BYTES), _cut(b"".join(grown.hashes), HASH_BYTES)
    return [
        {"leaf": leaf, "kind": kind, "salt": salt, "hash": digest}
        for leaf, (kind, salt, digest) in enumerate(zip(kinds, salts, hashes, strict=True), grown.start)
    ]


def append_tiles(connection: duckdb.DuckDBPyConnection, completed: Sequence[Tiles]) -> None:
    """Append tiles of the tree."""
    for tiles in completed:
        count = len(tiles.hashes) // HASH_BYTES
        numbers = np.arange(tiles.start, tiles.start + count)
        column = {"level": np.full(count, tiles.level), "number": numbers, "hash": _octets(tiles.hashes, HASH_BYTES)}
        insert(connection, "tile", column)


def _octets(joined: bytes, width: int) -> Any:
    """Give an array of bytes of one width that lie one after another."""
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(joined) // width, [None, pa.py_buffer(joined)])


def _cut(joined: bytes, width: int) -> list[bytes]:
    return [joined[at : at + width] for at in range(0, len(joined), width)]
