"""Sealing: what closes each batch in the log, in the transaction that recorded it.

The batch's own leaf follows the leaves of what it recorded; the tree grows by all of them, and a signed checkpoint says
how many leaves there are now and what their root is. Only then the head moves.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from ledger.core.columns import Column, concatenate
from ledger.core.errors import QuotaledgerError
from ledger.store.arrow import dictionary
from ledger.store.file import LedgerFile
from ledger.store.insert import insert, insert_rows
from ledger.store.query import first
from ledger.tlog.leaf import HASH_BYTES, INSTANT, SALT_BYTES, Value, leaf_bytes, leaf_hash
from ledger.tlog.tree import Frontier, Tiles

_FEW = 64


@dataclass(frozen=True, slots=True)
class Head:
    """Where the ledger stands: the last record's sequence, the number of leaves, the last batch, the log's peaks."""

    sequence: int
    leaf: int
    batch: int
    peaks: bytes = b""


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


def head(connection: duckdb.DuckDBPyConnection) -> Head:
    """Give where the ledger stands."""
    row = first(connection, "SELECT sequence, leaf, batch, peaks FROM head")
    return Head(*row) if row else Head(0, 0, 0)


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
    of each. Raises QuotaledgerError if the ledger does not stand where whoever decided believed.
    """
    connection, number = ledger.connection, at.batch + 1
    values = asdict(batch) | {"batch": number}
    rows = [{"file": file, "sha256": digest, "records": records} for file, digest, records in files]
    grown.add_leaf("batch", values | {"recorded_at": instant(batch.recorded_at), "files": rows or None})
    to = Head(sequence, grown.frontier.size, number, grown.frontier.peaks)
    append_leaves(connection, grown.taken())
    insert_rows(connection, "batch", values | {"last_sequence": sequence, "last_leaf": to.leaf - 1})
    if rows:
        numbered = [{"batch": number, "number": place} | row for place, row in enumerate(rows, 1)]
        insert_rows(connection, "batch_file", *numbered)
    root = grown.frontier.root()
    note = ledger.sign(to.leaf, root)
    insert_rows(connection, "checkpoint", {"batch": number, "size": to.leaf, "root": root, "note": note})
    _move_head(connection, at, to, latest)
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


def append_leaves(connection: duckdb.DuckDBPyConnection, grown: Growth) -> None:
    """Append leaves, and the tiles that they complete."""
    start = grown.start
    kinds, salts, hashes = concatenate(grown.kinds), b"".join(grown.salts), b"".join(grown.hashes)
    if len(kinds) <= _FEW:
        rows = [
            {"leaf": start + place, "kind": kind, "salt": salt, "hash": digest}
            for place, (kind, salt, digest) in enumerate(
                zip(kinds.items(), _cut(salts, SALT_BYTES), _cut(hashes, HASH_BYTES), strict=True)
            )
        ]
        insert_rows(connection, "leaf", *rows)
    else:
        columns = {
            "leaf": np.arange(start, start + len(kinds)),
            "kind": dictionary(kinds),
            "salt": _octets(salts, SALT_BYTES),
            "hash": _octets(hashes, HASH_BYTES),
        }
        insert(connection, "leaf", columns)
    append_tiles(connection, grown.tiles)


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


def _move_head(connection: duckdb.DuckDBPyConnection, at: Head, to: Head, latest: date | None) -> None:
    """Move the head of the log in the transaction that appends.

    Raises QuotaledgerError if the ledger does not stand where whoever decided believed.
    """
    values = asdict(to) | {"latest_date": latest}
    if not at.batch:
        insert_rows(connection, "head", values)
        return
    query = """
        UPDATE head SET sequence = ?, leaf = ?, batch = ?, peaks = ?, latest_date = greatest(latest_date, ?)
        WHERE sequence = ? AND leaf = ? AND batch = ?
    """
    found = connection.execute(query, [*values.values(), at.sequence, at.leaf, at.batch]).fetchall()
    if found != [(1,)]:
        raise QuotaledgerError("the ledger has moved since this was decided; nothing was recorded, try again")
