"""Reading the log: what is in a leaf, the nodes of the tree for proofs, and the checkpoints."""

from collections.abc import Iterator
from typing import Any, Final

import duckdb

from ledger.core.errors import QuotaledgerError, WrongUsage
from ledger.store.query import first, rows, table
from ledger.store.seal import leaf_value
from ledger.tlog.leaf import FIELDS, HASH_BYTES, Value
from ledger.tlog.proofs import Node
from ledger.tlog.tree import TILE_LEVELS, Frontier

Connection = duckdb.DuckDBPyConnection

_AT_ONCE: Final = 10_000
_TABLES: Final = {"decision": "entry", "batch": "batch"}
"""Where the row that a leaf stands for is; the others are in `{kind}_row`."""


_CHECKPOINT: Final = """
    SELECT b.last_sequence AS sequence, c.size AS leaves, lower(hex(c.root)) AS root, b.recorded_at
    FROM checkpoint AS c JOIN batch AS b ON b.batch = c.batch
"""


def checkpoint_of(connection: duckdb.DuckDBPyConnection, leaves: int | None) -> dict[str, Any]:
    """Give the checkpoint of so many leaves as `last_checkpoint` does, or the last one if None.

    Raises WrongUsage if there is none of so many.
    """
    if leaves is None:
        return last_checkpoint(connection)
    found = table(connection, f"{_CHECKPOINT} WHERE c.size = {leaves:d}")
    if not found:
        raise WrongUsage(
            f"there is no checkpoint of {leaves:,} leaves; `quotaledger sql 'FROM checkpoints'` lists those there are"
        )
    return found[0]


def last_checkpoint(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Give the last checkpoint: `sequence` of the last record under it, `leaves`, `root` in hex, `recorded_at`.

    Raises QuotaledgerError if the head is at none.
    """
    found = table(connection, f"{_CHECKPOINT} WHERE c.batch = (SELECT batch FROM head)")
    if len(found) != 1:
        raise QuotaledgerError(
            "the ledger does not stand at a checkpoint: it was changed; `quotaledger verify` tells more"
        )
    return found[0]


def providers(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Give everyone who has filed something."""
    query = "SELECT DISTINCT provider FROM batch WHERE provider IS NOT NULL ORDER BY provider"
    return [provider for (provider,) in rows(connection, query)]


def checkpoint_note(connection: duckdb.DuckDBPyConnection, size: int) -> str | None:
    """Give the signed checkpoint of so many leaves, None if there is none."""
    row = first(connection, "SELECT note FROM checkpoint WHERE size = ?", [size])
    return row[0] if row else None


def sizes_around(connection: duckdb.DuckDBPyConnection, size: int) -> list[int]:
    """Give the numbers of leaves of the checkpoints before and after a number."""
    query = """
        SELECT max(size) FROM checkpoint WHERE size < $size
        UNION ALL SELECT min(size) FROM checkpoint WHERE size > $size
    """
    return [near for (near,) in rows(connection, query, {"size": size}) if near is not None]


def leaf_of(connection: duckdb.DuckDBPyConnection, sequence: int) -> int | None:
    """Give the leaf of a record, None if there is no such record."""
    row = first(connection, "SELECT leaf FROM entry WHERE sequence = ?", [sequence])
    return row[0] if row else None


def message_of(connection: duckdb.DuckDBPyConnection, leaf: int) -> str | None:
    """Give the sentence of the decision that a leaf is."""
    sequence = first(connection, "SELECT sequence FROM entry WHERE leaf = ?", [leaf]) or (None,)
    row = first(connection, "SELECT message FROM decisions WHERE sequence = ?", sequence)
    return row[0] if row else None


def checkpoints_after(connection: duckdb.DuckDBPyConnection, batch: int) -> list[tuple[int, int, bytes, str]]:
    """Give the next of the checkpoints after a batch, in order: batch, number of leaves, root, note."""
    query = "SELECT batch, size, root, note FROM checkpoint WHERE batch > ? ORDER BY batch LIMIT ?"
    return rows(connection, query, [batch, _AT_ONCE])


def leaf_fields(connection: duckdb.DuckDBPyConnection, leaf: int) -> tuple[str, dict[str, Value]]:
    """Give the kind of a leaf and all its fields, None where blank, from the row that it stands for.

    Raises QuotaledgerError if there is no such leaf, or no row to it.
    """
    found = first(connection, "SELECT kind FROM leaf WHERE leaf = ?", [leaf])
    if found is None:
        raise QuotaledgerError(f"there is no leaf {leaf:,}")
    for _, fields in fields_of(connection, found[0], leaf, leaf + 1):
        return found[0], fields
    raise QuotaledgerError(f"leaf {leaf:,} is there, but not the row that it stands for: the ledger was changed")


def fields_of(
    connection: duckdb.DuckDBPyConnection, kind: str, start: int, end: int
) -> Iterator[tuple[int, dict[str, Value]]]:
    """Give the rows of a kind whose leaves are from `start` to before `end`, in that order: the leaf, all its fields.

    What a row lacks elsewhere, such as its batch or salt, is None.
    """
    table_name, place = place_of(kind)
    names = FIELDS[kind]
    files: dict[int, list[dict[str, Any]]] = {}
    condition = f"t.{place} >= {start:d} AND t.{place} < {end:d}"
    columns = ", ".join(f"{_OWNERS.get((kind == 'batch', name), 't')}.{name}" for name in names if name != "files")
    query = f"SELECT t.{place}, {columns} FROM {table_name} AS t LEFT JOIN leaf AS l ON l.leaf = t.{place}"
    if kind == "batch":
        files = _files_of(connection, condition)
    else:
        query += " LEFT JOIN batch AS b ON b.batch = t.batch"
    for leaf, *values in rows(connection, f"{query} WHERE {condition} ORDER BY t.{place}"):
        fields = dict(zip((name for name in names if name != "files"), values, strict=True))
        fields["salt"] = None if fields["salt"] is None else fields["salt"].hex()
        if kind == "batch":
            fields["files"] = files.get(fields["batch"])
        yield leaf, {name: leaf_value(name, value) for name, value in fields.items()}


_OWNERS: Final = {(False, "recorded_at"): "b", (False, "rulebook_digest"): "b"} | {
    (is_batch, "salt"): "l" for is_batch in (False, True)
}
"""Which table a field is read from, by whether the leaf is a batch's; the others are the row's own."""


def place_of(kind: str) -> tuple[str, str]:
    """Give the table of the rows that a kind of leaves stands for, and its column with the leaf's number."""
    return _TABLES.get(kind, f"{kind}_row"), "last_leaf" if kind == "batch" else "leaf"


def _files_of(connection: duckdb.DuckDBPyConnection, condition: str) -> dict[int, list[dict[str, Any]]]:
    """Give the files of batches as their leaves have them, by batch."""
    query = f"""
        SELECT f.batch, f.file, f.sha256, f.records FROM batch_file AS f JOIN batch AS t ON t.batch = f.batch
        WHERE {condition} ORDER BY f.batch, f.number
    """
    found: dict[int, list[dict[str, Any]]] = {}
    for batch, file, digest, records in rows(connection, query):
        found.setdefault(batch, []).append({"file": file, "sha256": digest, "records": records})
    return found


def nodes(connection: duckdb.DuckDBPyConnection) -> Node:
    """Give what gives the nodes of the log's perfect subtrees: from tiles and leaves, a few hundred at most."""

    def node(level: int, index: int) -> bytes:
        kept = level - level % TILE_LEVELS
        first_kept, last_kept = index << level - kept, (index + 1 << level - kept) - 1
        if kept:
            query, values = "SELECT hash FROM tile WHERE level = ? AND number BETWEEN ? AND ? ORDER BY number", [kept]
        else:
            query, values = "SELECT hash FROM leaf WHERE leaf BETWEEN ? AND ? ORDER BY leaf", []
        hashes = b"".join(row[0] for row in rows(connection, query, [*values, first_kept, last_kept]))
        if len(hashes) != HASH_BYTES << level - kept:
            raise QuotaledgerError(f"the log lacks hashes of level {kept}: the ledger was changed")
        return Frontier().extended(hashes)[0].root()

    return node
