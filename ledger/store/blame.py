"""Which record, and where it can be told which column, is not what was sealed: in words that a person can act on.

A hash says that something differs and not what. But where a single column was changed, to put back what it had gives
the hash again; what it may have had is tried out: blank, what the row has elsewhere, and what other rows have there.
"""

from collections.abc import Iterator
from typing import Any, Final

import duckdb

from ledger.core.text import shown
from ledger.store.log import leaf_fields, place_of
from ledger.store.query import first, rows
from ledger.store.seal import leaf_value
from ledger.tlog.leaf import FIELDS, Value, leaf_bytes, leaf_hash

KEEP: Final = (
    "the file was changed by another program, or the disk is failing; keep it as it is for whoever looks into that, and"
    " go back to the newest backup that verifies"
)
"""What a difference means, and what to do."""
_TRIED_MAX: Final = 2_000
"""So many values are tried for a column."""
_OF_BATCH: Final = ("recorded_at", "rulebook_digest")
_NAMES: Final = {
    "decision": ("provider", "reference"),
    "party": ("party",),
    "authorization": ("party", "basis"),
    "assurance": ("destination",),
    "chip": ("chip",),
    "rulebook": ("rulebook",),
    "key": (),
    "request": ("provider", "request"),
    "claim": ("report", "period"),
    "run": ("report", "period"),
    "batch": ("kind", "provider"),
}
"""The columns by which people know a row."""


def differing(connection: duckdb.DuckDBPyConnection, leaf: int) -> str:
    """Say what is known of a leaf whose hash is not that of its row; of its batch, where that is at fault."""
    kind, fields = leaf_fields(connection, leaf)
    if kind != "batch" and (closing := _closing(connection, fields["batch"])) is not None:
        batch_kind, batch_fields = leaf_fields(connection, closing)
        if not _is_sealed(connection, closing, batch_kind, batch_fields):
            leaf, kind, fields = closing, batch_kind, batch_fields
    where, restored = named(connection, kind, leaf), _restored(connection, leaf, kind, fields)
    if restored:
        column, before = restored
        what = f"its {column} is {_told(fields[column])} and was {_told(before)} when it was sealed"
    elif kind == "batch":
        what = "its row, its files (batch_file) or the leaf's own salt or hash were changed after that"
    else:
        what = "its row, or the leaf's own salt or hash, were changed after that; which column, the hash does not tell"
    return f"{where} is not what was sealed: {what}; {KEEP}"


def strange(connection: duckdb.DuckDBPyConnection, kind: str, leaf: int) -> str:
    """Say what is wrong with a row whose leaf stands for something else, or for another row as well."""
    found = first(connection, "SELECT kind FROM leaf WHERE leaf = ?", [leaf])
    other = (
        f"is a {found[0]}" if found and found[0] != kind else "stands for another row, too" if found else "is not there"
    )
    return (
        f"{named(connection, kind, leaf)} was never sealed: the leaf that its row names {other}; it was added, or its"
        f" number changed; {KEEP}"
    )


def named(connection: duckdb.DuckDBPyConnection, kind: str, leaf: int) -> str:
    """Name a row by its leaf, as people know it."""
    table_name, place = place_of(kind)
    number = {"decision": "sequence", "batch": "batch"}.get(kind, place)
    said = ", ".join((number, *_NAMES[kind]))
    row = first(connection, f"SELECT {said} FROM {table_name} WHERE {place} = ? ORDER BY ALL DESC", [leaf])
    if row is None:
        return f"leaf {leaf:,} ({kind})"
    names = " ".join(shown(value) for value in row[1:] if value is not None)
    if kind == "decision":
        return f"record {row[0]:,} (provider {shown(row[1])}, reference {shown(row[2])}; leaf {leaf:,})"
    if kind == "batch":
        return f"batch {row[0]:,} ({row[1]}; leaf {leaf:,})"
    return f"leaf {leaf:,} ({f'{kind} {names}'.strip()})"


def _closing(connection: duckdb.DuckDBPyConnection, batch: Value) -> int | None:
    """Give the leaf of a batch, None if there is no such batch."""
    query = (
        "SELECT b.last_leaf FROM batch AS b JOIN leaf AS l ON l.leaf = b.last_leaf AND l.kind = 'batch' WHERE batch = ?"
    )
    row = first(connection, query, [batch])
    return int(row[0]) if row else None


def _is_sealed(connection: duckdb.DuckDBPyConnection, leaf: int, kind: str, fields: dict[str, Value]) -> bool:
    """Say if a leaf's hash is that of these fields."""
    return first(connection, "SELECT hash FROM leaf WHERE leaf = ?", [leaf]) == (leaf_hash(leaf_bytes(kind, fields)),)


def _restored(
    connection: duckdb.DuckDBPyConnection, leaf: int, kind: str, fields: dict[str, Value]
) -> tuple[str, Value] | None:
    """Give the column that, put back to another value, gives the stored hash, and that value; None if none is found."""
    (stored,) = first(connection, "SELECT hash FROM leaf WHERE leaf = ?", [leaf]) or (b"",)
    for name in FIELDS[kind]:
        if name not in ("salt", "files"):
            for patch in _candidates(connection, kind, fields, name):
                if leaf_hash(leaf_bytes(kind, fields | patch)) == stored:
                    return name, patch[name]
    return None


def _candidates(
    connection: duckdb.DuckDBPyConnection, kind: str, fields: dict[str, Value], name: str
) -> Iterator[dict[str, Value]]:
    """Give what a column may have had; with another batch comes what a row has of its batch."""
    yield {name: None}
    amount = name.endswith("tpp")
    yield from ({name: value} for other, value in fields.items() if other.endswith("tpp") == amount)
    also: tuple[str, ...] = ()
    table_name = "batch" if name in _OF_BATCH else place_of(kind)[0]
    if name == "batch" and kind != "batch":
        table_name, also = "batch", tuple(column for column in _OF_BATCH if column in fields)
    columns = ", ".join((name, *also))
    query = f"SELECT {columns} FROM {table_name} WHERE {name} IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC LIMIT ?"
    for values in rows(connection, query, [_TRIED_MAX]):
        yield {column: leaf_value(column, value) for column, value in zip((name, *also), values, strict=True)}


def _told(value: Any) -> str:
    if value is None:
        return "blank"
    return f"{value:,}" if isinstance(value, int) else shown(value)
