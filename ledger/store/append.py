"""What is recorded, in the ledger tables: entries, register rows, rulebooks and signing keys, each batch sealed.

Everything here runs inside the caller's transaction.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, Self, TypeVar

import duckdb
import numpy as np

from ledger.core.columns import Column, Numbers
from ledger.core.dates import FOREVER
from ledger.rulebook.registers import Assurance, Authorization, Chip, Party, Row
from ledger.rulebook.rulebook import Rulebook
from ledger.store import contributions
from ledger.store.arrow import entry_array, entry_value
from ledger.store.file import LedgerFile
from ledger.store.head import Head, head
from ledger.store.insert import insert
from ledger.store.leaves import decision_hashes
from ledger.store.read import REFERENCE_HASH, reference_hash
from ledger.store.seal import BatchRow, append_leaves, close_batch, growth, instant, leaf_value
from ledger.tlog.leaf import SALT_BYTES, Value
from ledger.tlog.note import VerifierKey

_T = TypeVar("_T")
_LOTS_WAITING_MAX: Final = 2
"""Of so many lots the entries or leaves are on their way into the table while the next one is decided."""
_LEAF_KINDS: Final = {Party: "party", Authorization: "authorization", Assurance: "assurance", Chip: "chip"}


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A row of `party_row`, `rulebook_row` or their like: what its leaf has, and what the table has besides."""

    kind: str
    values: Mapping[str, Any]
    besides: Mapping[str, Any] = field(default_factory=dict)


class Appending:
    """An import that is being appended where the ledger stands, some records at a time.

    The entries of some are inserted and their leaves hashed while the caller decides the next. Use as a context manager
    inside of a transaction, whose connection is taken until it ends.
    """

    def __init__(self, ledger: LedgerFile, at: Head, batch: BatchRow) -> None:
        """Begin a batch of which all is known but the counts."""
        self._ledger, self._at, self._batch = ledger, at, batch
        self._grown, self._number = growth(at), at.batch + 1
        self._constants: dict[str, Value] = {
            "batch": self._number,
            "recorded_at": instant(batch.recorded_at),
            "rulebook_digest": batch.rulebook_digest,
        }
        self._count = 0
        self._uncounted = at.sequence
        """The last record that is on the balances."""
        self._latest: date | None = None
        self._inserting, self._hashing = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._running: deque[Callable[[], object]] = deque()
        """What waits for the end of those of some records, and raises what went wrong with them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in (self._hashing, self._inserting):
            worker.shutdown(cancel_futures=True)

    def add(self, columns: Mapping[str, Column | Numbers], *, sealed: bool = True) -> None:
        """Append records; `columns` are those of `entry` but what the ledger numbers. Raises duckdb.Error.

        They get no leaves unless they are to be `sealed`: they will be taken back, and are only to be found till then.
        """
        count = len(columns["sequence"])
        if not count:
            return
        leaf = self._at.leaf + self._count
        columns = dict(columns) | {"leaf": np.arange(leaf, leaf + count), "batch": np.full(count, self._number)}
        latest = _latest(columns["date"])
        self._latest = max(self._latest or latest, latest)
        if count == 1 and not self._count:
            self._append_one(columns)
        else:
            self._ledger.gathered.unknown = set()  # what is inserted past it may have them
            self._wait(_LOTS_WAITING_MAX - 1)
            inserted = self._inserting.submit(_insert_entries, self._ledger.connection, columns)
            self._running.append(inserted.result)
            if sealed:
                hashed = self._hashing.submit(self._seal, columns)
                self._running[-1] = lambda: (inserted.result(), hashed.result().result())
        self._count += count

    def ask(self, question: Callable[[], _T]) -> _T:
        """Have a question answered with all that was added before. Raises duckdb.Error."""
        asked = self._inserting.submit(question)
        try:
            return asked.result()
        except duckdb.Error:
            self._wait(0)  # what went wrong before it is the reason
            raise

    def close(
        self, counts: Mapping[str, int], files: Sequence[tuple[str, str, int]], rows: Sequence[LeafRow] = ()
    ) -> Head:
        """Close the batch, and give where the ledger stands then; `files` name, SHA-256 and rows of each.

        `rows` are those of other tables, each a leaf behind the decisions.
        """
        self._wait(0)
        sequence, batch = self._at.sequence + self._count, replace(self._batch, **dict[str, Any](counts))
        if sequence > self._uncounted:
            contributions.add_to_balances(self._ledger.connection, self._uncounted)
        for row in rows:
            numbers = {"leaf": self._grown.frontier.size, "batch": self._number}
            self._ledger.gathered.add(f"{row.kind}_row", {**row.values, **row.besides, **numbers})
            self._grown.add_leaf(row.kind, leaf_fields(row, self._number, batch.recorded_at))
        return close_batch(
            self._ledger, self._at, batch, self._grown, sequence=sequence, latest=self._latest, files=files
        )

    def _wait(self, most: int) -> None:
        """Wait until no more than so many lots are on their way, however fast they come."""
        while len(self._running) > most:
            self._running.popleft()()

    def _seal(self, columns: Mapping[str, Column | Numbers]) -> Future[None]:
        """Add the leaves of some records to the log, and let them be inserted."""
        count = len(columns["sequence"])
        salts = os.urandom(SALT_BYTES * count)
        self._grown.add(Column.constant("decision", count), salts, decision_hashes(columns, self._constants, salts))
        return self._inserting.submit(append_leaves, self._ledger.connection, self._grown.taken())

    def _append_one(self, columns: Mapping[str, Column | Numbers]) -> None:
        """Append the first record by itself: while it stays the only one, it can wait for those of other batches."""
        gathered = self._ledger.gathered
        entry = {name: entry_value(name, column, 0) for name, column in columns.items()}
        number = reference_hash(entry["provider"], entry["reference"])
        gathered.add("entry", entry | {"reference_hash": number})
        gathered.add("balance", *contributions.balance_rows(entry))
        self._uncounted += 1
        salt = os.urandom(SALT_BYTES)
        self._grown.add(Column.constant("decision", 1), salt, decision_hashes(columns, self._constants, salt))


def _latest(dates: Column | Numbers) -> date:
    """Give the latest of the days of records."""
    assert isinstance(dates, Column)  # noqa: S101 -- days are a column of days
    found: list[date] = [dates.values[code] for code in np.unique(dates.codes)]
    return max(found)


def _insert_entries(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Column | Numbers]) -> None:
    """Insert entries, each with the number by which its reference is found again."""
    arrays = {name: entry_array(name, column) for name, column in columns.items()}
    insert(connection, "entry", arrays, {"reference_hash": REFERENCE_HASH})


def append_rows(ledger: LedgerFile, batch: BatchRow, rows: Sequence[LeafRow], latest: date | None = None) -> int:
    """Append register rows, adoptions and keys, each a leaf, as one batch. Gives the batch's number."""
    at = head(ledger.connection)
    grown, number = growth(at), at.batch + 1
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        numbers = {"leaf": grown.frontier.size, "batch": number}
        tables.setdefault(f"{row.kind}_row", []).append({**row.values, **row.besides, **numbers})
        grown.add_leaf(row.kind, leaf_fields(row, number, batch.recorded_at))
    for table, dicts in tables.items():
        insert(ledger.connection, table, {name: [values[name] for values in dicts] for name in dicts[0]})
    return close_batch(ledger, at, batch, grown, sequence=at.sequence, latest=latest).batch


def leaf_fields(row: LeafRow, batch: int, recorded_at: datetime) -> dict[str, Value]:
    """Give the fields of a row's leaf but the salt."""
    texts = {name: leaf_value(name, value) for name, value in row.values.items()}
    return texts | {"batch": batch, "recorded_at": instant(recorded_at)}


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
