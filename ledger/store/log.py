"""Reading the log: what is in a leaf, the nodes of the tree for proofs, and the checkpoints."""

from typing import Any, Final

import duckdb

from ledger.core.errors import QuotaledgerError
from ledger.store.query import first, rows, table
from ledger.store.seal import leaf_value
from ledger.tlog.leaf import FIELDS, HASH_BYTES, Value
from ledger.tlog.note import VerifierKey
from ledger.tlog.proofs import Node
from ledger.tlog.tree import TILE_LEVELS, Frontier

_TABLES: Final = {"decision": "entry", "batch": "batch"}
"""Where the row that a leaf stands for is; the others are in `{kind}_row`."""


def last_checkpoint(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Give the last checkpoint: `sequence` of the last record under it, `leaves`, `root` in hex, `recorded_at`."""
    query = """
        SELECT b.last_sequence AS sequence, c.size AS leaves, lower(hex(c.root)) AS root, b.recorded_at
        FROM checkpoint AS c JOIN batch AS b ON b.batch = c.batch WHERE c.batch = (SELECT batch FROM head)
    """
    return table(connection, query)[0]


def newest_key(connection: duckdb.DuckDBPyConnection) -> str:
    """Give the verifier key in use."""
    (key,) = first(connection, "SELECT key FROM key_row ORDER BY leaf DESC LIMIT 1") or ("",)
    return str(key)


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


def key_at(connection: duckdb.DuckDBPyConnection, size: int) -> VerifierKey:
    """Give the key in use for the checkpoint of so many leaves. Raises NoteError if it cannot be read."""
    (key,) = first(connection, "SELECT key FROM key_row WHERE leaf < ? ORDER BY leaf DESC LIMIT 1", [size]) or ("",)
    return VerifierKey.parse(key)


def leaf_of(connection: duckdb.DuckDBPyConnection, sequence: int) -> int | None:
    """Give the leaf of a record, None if there is no such record."""
    row = first(connection, "SELECT leaf FROM entry WHERE sequence = ?", [sequence])
    return row[0] if row else None


def message_of(connection: duckdb.DuckDBPyConnection, leaf: int) -> str | None:
    """Give the sentence of the decision that a leaf is."""
    sequence = first(connection, "SELECT sequence FROM entry WHERE leaf = ?", [leaf]) or (None,)
    row = first(connection, "SELECT message FROM decisions WHERE sequence = ?", sequence)
    return row[0] if row else None


def leaf_fields(connection: duckdb.DuckDBPyConnection, leaf: int) -> tuple[str, dict[str, Value]]:
    """Give the kind of a leaf and all its fields, None where blank, from the row that it stands for.

    Raises QuotaledgerError if there is no such leaf, or no row to it.
    """
    found = first(connection, "SELECT kind, lower(hex(salt)) FROM leaf WHERE leaf = ?", [leaf])
    if found is None:
        raise QuotaledgerError(f"there is no leaf {leaf:,}")
    kind, salt = found
    place = "last_leaf" if kind == "batch" else "leaf"
    query = f"SELECT t.*, b.recorded_at, b.rulebook_digest FROM {_TABLES.get(kind, f'{kind}_row')} AS t"
    if kind == "batch":
        query = "SELECT * FROM batch AS t"
    else:
        query += " JOIN batch AS b ON b.batch = t.batch"
    cursor = connection.execute(f"{query} WHERE t.{place} = ?", [leaf])
    names = [column[0] for column in cursor.description or ()]
    row = cursor.fetchone()
    if row is None:
        raise QuotaledgerError(f"leaf {leaf:,} is there, but not the row that it stands for: the ledger was changed")
    values = dict(zip(names, row, strict=True)) | {"salt": salt}
    if kind == "batch":
        values["files"] = batch_files(connection, values["batch"])
    return kind, {name: leaf_value(name, values[name]) for name in FIELDS[kind]}


def batch_files(connection: duckdb.DuckDBPyConnection, batch: int) -> list[dict[str, Any]] | None:
    """Give the files of a batch as its leaf has them."""
    files = rows(connection, "SELECT file, sha256, records FROM batch_file WHERE batch = ? ORDER BY number", [batch])
    return [{"file": file, "sha256": digest, "records": records} for file, digest, records in files] or None


def frontier(connection: duckdb.DuckDBPyConnection) -> Frontier:
    """Give the right edge of the log."""
    size, peaks = first(connection, "SELECT leaf, peaks FROM head") or (0, b"")
    return Frontier(size, peaks)


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
