"""What is recorded, in the ledger tables: entries, register rows, rulebooks and signing keys, each batch sealed.

Everything here runs inside the caller's transaction.
"""

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Final

import duckdb
import numpy as np

from ledger.core.columns import Column, Numbers
from ledger.core.dates import FOREVER
from ledger.rulebook.registers import Assurance, Authorization, Chip, Party, Row
from ledger.rulebook.rulebook import Rulebook
from ledger.store import contributions
from ledger.store.arrow import entry_array, entry_value
from ledger.store.file import LedgerFile
from ledger.store.insert import insert, insert_rows
from ledger.store.leaves import decision_hashes
from ledger.store.read import REFERENCE_HASH, reference_hash
from ledger.store.seal import BatchRow, Growth, Head, close_batch, growth, head, instant, leaf_value
from ledger.tlog.leaf import SALT_BYTES, Value
from ledger.tlog.note import VerifierKey

_LEAF_KINDS: Final = {Party: "party", Authorization: "authorization", Assurance: "assurance", Chip: "chip"}


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A row of `party_row`, `rulebook_row` or their like: what its leaf has, and what the table has besides."""

    kind: str
    values: Mapping[str, Any]
    besides: Mapping[str, Any] = field(default_factory=dict)


def append_records(
    ledger: LedgerFile,
    at: Head,
    batch: BatchRow,
    files: Sequence[tuple[str, str, int]],
    columns: Mapping[str, Column | Numbers],
) -> Head:
    """Append an import where the ledger stands, and give where it stands then.

    `columns` are those of `entry` but what the ledger numbers; `files` name, SHA-256 and rows of each.
    """
    count, number, grown = len(columns["sequence"]), at.batch + 1, growth(at)
    numbers = {"leaf": np.arange(at.leaf, at.leaf + count), "batch": np.full(count, number, np.int64)}
    if count:
        _append_entries(ledger.connection, at, grown, batch, dict(columns) | numbers)
    latest = _latest(columns["date"])
    return close_batch(ledger, at, batch, grown, sequence=at.sequence + count, latest=latest, files=files)


def _append_entries(
    connection: duckdb.DuckDBPyConnection,
    at: Head,
    grown: Growth,
    batch: BatchRow,
    columns: Mapping[str, Column | Numbers],
) -> None:
    """Append entries with what they count, and add their leaves."""
    count = len(columns["sequence"])
    constants: dict[str, Value] = {
        "batch": at.batch + 1,
        "recorded_at": instant(batch.recorded_at),
        "rulebook_digest": batch.rulebook_digest,
    }
    salts, kinds = os.urandom(SALT_BYTES * count), Column.constant("decision", count)
    if count == 1:
        entry = {name: entry_value(name, column, 0) for name, column in columns.items()}
        number = reference_hash(entry["provider"], entry["reference"])
        insert_rows(connection, "entry", entry | {"reference_hash": number})
        contributions.add_one_to_balances(connection, entry)
        grown.add(kinds, salts, decision_hashes(columns, constants, salts))
        return
    with ThreadPoolExecutor(1) as other:
        # DuckDB writes while Python hashes.
        inserted = other.submit(_insert_entries, connection, columns)
        grown.add(kinds, salts, decision_hashes(columns, constants, salts))
        inserted.result()
    contributions.add_to_balances(connection, at.sequence)


def _latest(dates: Column | Numbers) -> date | None:
    """Give the latest of the days of records, None if there is none."""
    assert isinstance(dates, Column)  # noqa: S101 -- days are a column of days
    return max((dates.values[code] for code in np.unique(dates.codes)), default=None)


def _insert_entries(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Column | Numbers]) -> None:
    """Insert entries, each with the number by which its reference is found again."""
    arrays = {name: entry_array(name, column) for name, column in columns.items()}
    insert(connection, "entry", arrays, f"*, {REFERENCE_HASH} AS reference_hash")


def append_rows(ledger: LedgerFile, batch: BatchRow, rows: Sequence[LeafRow], latest: date | None = None) -> int:
    """Append register rows, adoptions and keys, each a leaf, as one batch. Gives the batch's number."""
    at = head(ledger.connection)
    grown, number = growth(at), at.batch + 1
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        numbers = {"leaf": grown.frontier.size, "batch": number}
        tables.setdefault(f"{row.kind}_row", []).append({**row.values, **row.besides, **numbers})
        texts = {name: leaf_value(name, value) for name, value in row.values.items()}
        grown.add_leaf(row.kind, texts | {"batch": number, "recorded_at": instant(batch.recorded_at)})
    for table, dicts in tables.items():
        insert(ledger.connection, table, {name: [values[name] for values in dicts] for name in dicts[0]})
    return close_batch(ledger, at, batch, grown, sequence=at.sequence, latest=latest).batch


def register_row(row: Row) -> LeafRow:
    """Give a register row as it is appended."""
    return LeafRow(_LEAF_KINDS[type(row)], {name: _register_value(name, value) for name, value in asdict(row).items()})


def rulebook_row(rulebook: Rulebook, note: str) -> LeafRow:
    """Give the adoption of a rulebook as it is appended."""
    texts = json.dumps(dict(rulebook.texts), ensure_ascii=False)
    return LeafRow("rulebook", {"rulebook": rulebook.id, "digest": rulebook.digest, "note": note}, {"texts": texts})


def key_row(key: VerifierKey, note: str) -> LeafRow:
    """Give a signing key that is put in use as it is appended."""
    return LeafRow("key", {"key": str(key), "note": note})


def _register_value(name: str, value: Any) -> Any:
    """Give a register's value as a table has it: days as dates, what is blank as None."""
    if name in ("valid_from", "valid_to"):
        return None if value == FOREVER else datetime.fromordinal(value).date()
    return None if value == "" else value
