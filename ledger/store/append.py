"""What is recorded, in the ledger tables: a batch with its entries or register rows, their leaves, and the head.

Everything here runs inside the caller's transaction.
"""

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from ledger.core.columns import Column, Numbers
from ledger.core.dates import FOREVER
from ledger.core.errors import QuotaledgerError
from ledger.rulebook.registers import Assurance, Authorization, Chip, Party, Row
from ledger.rulebook.rulebook import Rulebook
from ledger.store import contributions
from ledger.store.arrow import dictionary, entry_array, entry_value
from ledger.store.insert import insert, insert_row
from ledger.store.leaves import decision_hashes
from ledger.store.query import first
from ledger.store.read import REFERENCE_HASH, reference_hash
from ledger.tlog.leaf import HASH_BYTES, SALT_BYTES, Value, leaf_bytes, leaf_hash

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
    at: Head,
    batch: BatchRow,
    files: Sequence[tuple[str, str, int]],
    columns: Mapping[str, Column | Numbers],
) -> Head:
    """Append an import where the ledger stands, and give where it stands then.

    `columns` are those of `entry` but what the ledger numbers.
    """
    count, number = len(columns["sequence"]), at.batch + 1
    constants: dict[str, Value] = {
        "batch": number,
        "recorded_at": _instant(batch.recorded_at),
        "rulebook_digest": batch.rulebook_digest,
    }
    salts = os.urandom(SALT_BYTES * count)
    numbers = {"leaf": np.arange(at.leaf, at.leaf + count), "batch": np.full(count, number, np.int64)}
    if count == 1:
        entry = {name: entry_value(name, column, 0) for name, column in (dict(columns) | numbers).items()}
        insert_row(
            connection, "entry", entry | {"reference_hash": reference_hash(entry["provider"], entry["reference"])}
        )
        contributions.add_one_to_balances(connection, entry)
        hashes = decision_hashes(columns, constants, salts)
    elif count:
        with ThreadPoolExecutor(1) as other:
            # DuckDB writes while Python hashes.
            inserted = other.submit(_insert_entries, connection, dict(columns) | numbers)
            hashes = decision_hashes(columns, constants, salts)
            inserted.result()
        contributions.add_to_balances(connection, at.sequence)
    if count:
        _append_leaves(connection, at.leaf, Column.constant("decision", count), salts, hashes)
    last_sequence = at.sequence + count
    _append_batch(connection, number, batch, last_sequence, at.leaf + count)
    for place, (file, digest, records) in enumerate(files, 1):
        row = {"batch": number, "number": place, "file": file, "sha256": digest, "records": records}
        insert_row(connection, "batch_file", row)
    to = Head(last_sequence, at.leaf + count, number)
    _move_head(connection, at, to, _latest(columns["date"]))
    return to


def _latest(dates: Column | Numbers) -> Any:
    """Give the latest of the days of records, None if there is none."""
    assert isinstance(dates, Column)  # noqa: S101 -- days are a column of days
    return max((dates.values[code] for code in np.unique(dates.codes)), default=None)


def _insert_entries(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Column | Numbers]) -> None:
    """Insert entries, each with the number by which its reference is found again."""
    arrays = {name: entry_array(name, column) for name, column in columns.items()}
    insert(connection, "entry", arrays, f"*, {REFERENCE_HASH} AS reference_hash")


def append_rows(connection: duckdb.DuckDBPyConnection, batch: BatchRow, rows: Sequence[Row]) -> int:
    """Append register rows, each a leaf. Gives the batch's number."""
    at = head(connection)
    number = at.batch + 1
    kinds: list[str] = []
    salts: list[bytes] = []
    hashes: list[bytes] = []
    tables: dict[str, list[dict[str, Any]]] = {}
    for place, row in enumerate(rows):
        kind = _LEAF_KINDS[type(row)]
        values = {name: _register_value(name, value) for name, value in asdict(row).items()}
        texts = {name: _leaf_values(name, [value])[0] for name, value in values.items()}
        salts.append(os.urandom(SALT_BYTES))
        extra: dict[str, Value] = {"batch": number, "recorded_at": _instant(batch.recorded_at), "salt": salts[-1].hex()}
        kinds.append(kind)
        hashes.append(leaf_hash(leaf_bytes(kind, texts | extra)))
        tables.setdefault(f"{kind}_row", []).append(values | {"leaf": at.leaf + place, "batch": number})
    _append_leaves(connection, at.leaf, Column.of(kinds), b"".join(salts), b"".join(hashes))
    for table, dicts in tables.items():
        insert(connection, table, {name: [values[name] for values in dicts] for name in dicts[0]})
    _append_batch(connection, number, batch, at.sequence, at.leaf + len(rows))
    _move_head(connection, at, Head(at.sequence, at.leaf + len(rows), number), None)
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
    salt = os.urandom(SALT_BYTES)
    leaf = leaf_bytes("rulebook", values | {"recorded_at": _instant(batch.recorded_at), "salt": salt.hex()})
    _append_leaves(connection, at.leaf, Column.constant("rulebook", 1), salt, leaf_hash(leaf))
    texts = json.dumps(dict(rulebook.texts), ensure_ascii=False)
    row = values | {"leaf": at.leaf, "texts": texts}
    insert_row(connection, "rulebook_row", row)
    _append_batch(connection, number, batch, at.sequence, at.leaf + 1)
    # Without a record there is no latest date; the count's first day stands in for it.
    latest = None if at.sequence else rulebook.figure("counting_start")
    _move_head(connection, at, Head(at.sequence, at.leaf + 1, number), latest)
    return number


def _append_leaves(
    connection: duckdb.DuckDBPyConnection, start: int, kinds: Column, salts: bytes, hashes: bytes
) -> None:
    if len(kinds) == 1:
        insert_row(connection, "leaf", {"leaf": start, "kind": kinds.item(0), "salt": salts, "hash": hashes})
        return
    columns = {
        "leaf": np.arange(start, start + len(kinds)),
        "kind": dictionary(kinds),
        "salt": _octets(salts, SALT_BYTES),
        "hash": _octets(hashes, HASH_BYTES),
    }
    insert(connection, "leaf", columns)


def _octets(joined: bytes, width: int) -> Any:
    """Give an array of bytes of one width that lie one after another."""
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(joined) // width, [None, pa.py_buffer(joined)])


def _append_batch(
    connection: duckdb.DuckDBPyConnection, number: int, batch: BatchRow, last_sequence: int, leaves: int
) -> None:
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    row = values | {"batch": number, "last_sequence": last_sequence, "last_leaf": leaves - 1}
    insert_row(connection, "batch", row)


def _move_head(connection: duckdb.DuckDBPyConnection, at: Head, to: Head, latest: Any) -> None:
    """Move the head of the log in the transaction that appends; `latest` is the latest date of a record, if any.

    Raises QuotaledgerError if the ledger does not stand where whoever decided believed.
    """
    values = [to.sequence, to.leaf, to.batch, latest]
    if not at.batch:
        insert_row(connection, "head", dict(zip(("sequence", "leaf", "batch", "latest_date"), values, strict=True)))
        return
    query = """
        UPDATE head SET sequence = ?, leaf = ?, batch = ?, latest_date = greatest(latest_date, ?)
        WHERE sequence = ? AND leaf = ? AND batch = ?
    """
    if connection.execute(query, [*values, at.sequence, at.leaf, at.batch]).fetchall() != [(1,)]:
        raise QuotaledgerError("the ledger has moved since this was decided; nothing was recorded, try again")


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


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
