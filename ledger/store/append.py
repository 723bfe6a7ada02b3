"""The only INSERT into ledger tables: a batch with its entries or register rows, their leaves, and the head.

Everything here runs inside the caller's transaction.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import pyarrow as pa

from ledger.core.dates import FOREVER
from ledger.rulebook.registers import Assurance, Authorization, Chip, Party, Row
from ledger.rulebook.rulebook import Rulebook
from ledger.store import contributions
from ledger.store.query import first
from ledger.tlog.leaf import FIELDS, SALT_BYTES, Value, leaf_bytes, leaf_hash

_LEAVES_AT_ONCE: Final = 20_000
"""Leaves are large; so many at a time bound the memory that a large import takes."""

_DAYS: Final = ("date", "expires", "valid_from", "valid_to")
_LEAF_KINDS: Final = {Party: "party", Authorization: "authorization", Assurance: "assurance", Chip: "chip"}


@dataclass(frozen=True, slots=True)
class Head:
    """Where the ledger stands: the last record's sequence, the number of leaves, the last batch."""

    sequence: int
    leaf: int
    batch: int


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


Columns = Mapping[str, Sequence[Any]]


def head(connection: duckdb.DuckDBPyConnection) -> Head:
    """Give where the ledger stands."""
    row = first(connection, "SELECT sequence, leaf, batch FROM head")
    return Head(*row) if row else Head(0, 0, 0)


def append_records(
    connection: duckdb.DuckDBPyConnection,
    batch: BatchRow,
    files: Sequence[tuple[str, str, int]],
    columns: Columns,
) -> int:
    """Append an import: `columns` has those of `entry` but its numbers of leaf and batch. Gives the batch's number."""
    at = head(connection)
    count, number = len(columns["sequence"]), at.batch + 1
    extra: dict[str, Value] = {
        "batch": number,
        "recorded_at": _instant(batch.recorded_at),
        "rulebook_digest": batch.rulebook_digest,
    }
    for start in range(0, count, _LEAVES_AT_ONCE):
        leaves = _decision_leaves(columns, extra, start, min(start + _LEAVES_AT_ONCE, count))
        _append_leaves(connection, at.leaf + start, leaves)
    entry = dict(columns) | {"leaf": range(at.leaf, at.leaf + count), "batch": [number] * count}
    latest = max(columns["date"], default=None)
    insert(connection, "entry", entry)
    last_sequence = at.sequence + count
    _append_batch(connection, number, batch, last_sequence, at.leaf + count)
    insert(
        connection,
        "batch_file",
        {
            "batch": [number] * len(files),
            "number": range(1, len(files) + 1),
            "file": [file for file, _, _ in files],
            "sha256": [digest for _, digest, _ in files],
            "records": [records for _, _, records in files],
        },
    )
    contributions.add_to_balances(connection, at.sequence)
    _move_head(connection, Head(last_sequence, at.leaf + count, number), latest)
    return number


def _decision_leaves(columns: Columns, extra: Mapping[str, Value], start: int, stop: int) -> list[tuple[str, bytes]]:
    """Write the leaves of some of the decisions."""
    names = [name for name in FIELDS["decision"] if name in columns]
    lists = [_leaf_values(name, columns[name][start:stop]) for name in names]
    return [
        (
            "decision",
            leaf_bytes("decision", {**dict(zip(names, values, strict=True)), **extra, "salt": _salt()}),
        )
        for values in zip(*lists, strict=True)
    ]


def append_rows(connection: duckdb.DuckDBPyConnection, batch: BatchRow, rows: Sequence[Row]) -> int:
    """Append register rows, each a leaf. Gives the batch's number."""
    at = head(connection)
    number = at.batch + 1
    leaves: list[tuple[str, bytes]] = []
    tables: dict[str, list[dict[str, Any]]] = {}
    for place, row in enumerate(rows):
        kind = _LEAF_KINDS[type(row)]
        values = {name: _register_value(name, value) for name, value in asdict(row).items()}
        texts = {name: _leaf_values(name, [value])[0] for name, value in values.items()}
        extra: dict[str, Value] = {"batch": number, "recorded_at": _instant(batch.recorded_at), "salt": _salt()}
        leaves.append((kind, leaf_bytes(kind, texts | extra)))
        tables.setdefault(f"{kind}_row", []).append(values | {"leaf": at.leaf + place, "batch": number})
    _append_leaves(connection, at.leaf, leaves)
    for table, dicts in tables.items():
        insert(connection, table, {name: [values[name] for values in dicts] for name in dicts[0]})
    _append_batch(connection, number, batch, at.sequence, at.leaf + len(rows))
    _move_head(connection, Head(at.sequence, at.leaf + len(rows), number), None)
    return number


def append_rulebook(connection: duckdb.DuckDBPyConnection, batch: BatchRow, rulebook: Rulebook, note: str) -> int:
    """Append the adoption of a rulebook, a leaf. Gives the batch's number."""
    at = head(connection)
    number = at.batch + 1
    values: dict[str, Value] = {
        "rulebook": rulebook.id,
        "digest": rulebook.digest,
        "note": note,
        "batch": number,
    }
    leaf = leaf_bytes("rulebook", values | {"recorded_at": _instant(batch.recorded_at), "salt": _salt()})
    _append_leaves(connection, at.leaf, [("rulebook", leaf)])
    texts = json.dumps(dict(rulebook.texts), ensure_ascii=False)
    row = values | {"leaf": at.leaf, "texts": texts}
    insert(connection, "rulebook_row", {name: [value] for name, value in row.items()})
    _append_batch(connection, number, batch, at.sequence, at.leaf + 1)
    # Without a record there is no latest date; the count's first day stands in for it.
    _move_head(connection, Head(at.sequence, at.leaf + 1, number), rulebook.figure("counting_start"))
    return number


def _append_leaves(connection: duckdb.DuckDBPyConnection, start: int, leaves: Sequence[tuple[str, bytes]]) -> None:
    columns = {
        "leaf": range(start, start + len(leaves)),
        "kind": [kind for kind, _ in leaves],
        "content": pa.array([leaf for _, leaf in leaves], pa.binary()),
        "hash": pa.array([leaf_hash(leaf) for _, leaf in leaves], pa.binary()),
    }
    insert(connection, "leaf", columns)


def _append_batch(
    connection: duckdb.DuckDBPyConnection, number: int, batch: BatchRow, last_sequence: int, leaves: int
) -> None:
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    row = values | {"batch": number, "last_sequence": last_sequence, "last_leaf": leaves - 1}
    insert(connection, "batch", {name: [value] for name, value in row.items()})


def _move_head(connection: duckdb.DuckDBPyConnection, to: Head, latest: Any) -> None:
    """Move the head of the log in the transaction that appends; `latest` is the latest date of a record, if any."""
    known = first(connection, "SELECT latest_date FROM head")
    if known and (latest is None or latest < known[0]):
        latest = known[0]
    connection.execute("DELETE FROM head")
    connection.execute("INSERT INTO head VALUES (?, ?, ?, ?)", [to.sequence, to.leaf, to.batch, latest])


def insert(connection: duckdb.DuckDBPyConnection, table: str, columns: Columns) -> None:
    """Insert columns, given by name, as Arrow: nothing is lost and no value becomes SQL text."""
    names = list(columns)
    arrays = [_array(columns[name]) for name in names]
    if not len(arrays[0]):
        return
    connection.register("appended", pa.table(dict(zip(names, arrays, strict=True))))
    try:
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM appended")
    finally:
        connection.unregister("appended")


def _array(values: Any) -> Any:
    if isinstance(values, pa.Array):
        return values
    array = pa.array(values)
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def _register_value(name: str, value: Any) -> Any:
    """Give a register's value as a table has it: days as dates, what is blank as None."""
    if name in ("valid_from", "valid_to"):
        return None if value == FOREVER else datetime.fromordinal(value).date()
    return None if value == "" else value


def _leaf_values(name: str, values: Sequence[Any]) -> Sequence[Value]:
    """Give a column as leaves have it: amounts in TPP and days are texts."""
    if name.endswith("tpp") or name in _DAYS:
        return [None if value is None else str(value) for value in values]
    return values


def _salt() -> str:
    return os.urandom(SALT_BYTES).hex()


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
