"""The leaves of the log written again from the rows that they stand for, many at a time: SQL writes their fields.

What `log.leaf_fields` and `tlog.leaf_bytes` give of one leaf, this gives of all, with little memory however many there
are: for exports, and to hold a ledger's rows against its hashes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import pyarrow as pa

from ledger.core.errors import QuotaledgerError
from ledger.store.query import first, rows
from ledger.tlog.leaf import COUNTS, FIELDS, first_line

_AT_ONCE: Final = 50_000
"""Leaves are large; so many at a time bound the memory."""
_MIDDLE: Final = "batch"
"""A field that every leaf has: the commas lie towards it."""
_SHORT: Final = (8, 9, 10, 12, 13)
"""The control characters that JSON escapes with a letter; the others with their number in hex."""
_ROWS_OF: Final = {"decision": "entry", "batch": "batch"}
"""Where the rows of a kind are; of the others in `{kind}_row`."""

LEAF_BYTES: Final = (
    f"concat(CASE kind {' '.join(f'''WHEN '{kind}' THEN '{first_line(kind)}' ''' for kind in FIELDS)} END, fields)"
)
"""SQL of a leaf's bytes, as text."""
LINE: Final = """concat('{"leaf": ', leaf, ', "kind": "', kind, '", "fields": ', fields, '}', chr(10))"""
"""SQL of a leaf's line in an export."""
_HASH_LINE: Final = (
    """concat('{"leaf": ', leaf, ', "kind": "', kind, '", "hash": "', lower(hex(hash)), '"}', chr(10))"""
)
"""SQL of the line of a leaf that is left out."""


def leaf_texts(
    connection: duckdb.DuckDBPyConnection, select: str, parameters: Sequence[Any] = ()
) -> Iterator[pa.Table]:
    """Give SQL expressions of `leaf`, `kind`, `hash`, `fields` (canonical JSON) and `provider`, of all leaves in order.

    `provider` is who filed a decision or an import, NULL of other leaves. Raises QuotaledgerError if the row of a leaf
    is not there, or there twice.
    """
    queries = {kind: _query(connection, kind) for kind in FIELDS}
    (size,) = first(connection, "SELECT coalesce(max(leaf) + 1, 0) FROM leaf") or (0,)
    for start in range(0, size, _AT_ONCE):
        end = min(start + _AT_ONCE, size)
        places = _places(connection, start, end)
        written = " UNION ALL ".join(query.format(**places) for query in queries.values())
        found = connection.sql(
            f"""
            SELECT leaf, {select}
            FROM (SELECT * REPLACE ({_canonical("fields")} AS fields) FROM ({written}))
            JOIN (SELECT leaf, kind, hash FROM leaf WHERE leaf >= {start} AND leaf < {end}) USING (leaf, kind)
            ORDER BY leaf
            """,
            params=list(parameters),
        ).to_arrow_table()
        if not found.column("leaf").combine_chunks().equals(pa.array(range(start, end), pa.int64())):
            raise QuotaledgerError(
                f"of the leaves {start:,} to {end - 1:,} one or more have no row, or several: the ledger was changed;"
                " `quotaledger verify` tells more"
            )
        yield found.drop_columns(["leaf"])


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of `leaves.ndjson`: their bytes, how many, how many are hashes alone, how many name who is hidden."""

    texts: list[memoryview]
    count: int
    redacted: int
    mentions: int


def export_lines(connection: duckdb.DuckDBPyConnection, hidden: Sequence[str] = ()) -> Iterator[Lines]:
    """Give the lines of `leaves.ndjson`, some at a time: hashes alone of what the providers `hidden` have filed."""
    names = "CAST(? AS VARCHAR[])"
    select = f"""
        coalesce(list_contains({names}, provider), false) AS hidden,
        CASE WHEN kind IN ('decision', 'batch') THEN 0
            ELSE len(list_filter({names}, lambda name: contains(fields, name))) END > 0 AS mentions,
        CASE WHEN hidden THEN {_HASH_LINE} ELSE {LINE} END AS line
    """
    for found in leaf_texts(connection, select, [list(hidden)] * 2):
        redacted, mentions = (int(found.column(name).to_numpy().sum()) for name in ("hidden", "mentions"))
        yield Lines(list(text_bytes(found.column("line"))), len(found), redacted, mentions)


def text_bytes(texts: Any) -> Iterator[memoryview]:
    """Give the bytes of a column of texts, one after another, in as few pieces as they lie in."""
    for chunk in texts.chunks:
        large = chunk.cast(pa.large_string())
        if len(large):
            ends = memoryview(large.buffers()[1]).cast("q")
            # As unsigned bytes: of others, comparing takes a hundred times as long.
            yield memoryview(large.buffers()[2]).cast("B")[ends[large.offset] : ends[large.offset + len(large)]]


def _places(connection: duckdb.DuckDBPyConnection, start: int, end: int) -> dict[str, int]:
    """Give which leaves are meant, and which batches they are of."""
    query = "SELECT min(batch) FROM batch WHERE last_leaf >= ?"
    (low,), (high,) = (first(connection, query, [leaf]) or (None,) for leaf in (start, end - 1))
    return {"start": start, "end": end, "low": low or 0, "high": high or 0}


def _query(connection: duckdb.DuckDBPyConnection, kind: str) -> str:
    """Give the SQL of the leaves of a kind: leaf, kind, provider, fields."""
    table = _ROWS_OF.get(kind, f"{kind}_row")
    place, provider = ("last_leaf" if kind == "batch" else "leaf"), "NULL"
    types = _types(connection, table)
    columns = {name: f"r.{name}" for name in types} | {"salt": "s.salt"}
    types["salt"] = "BLOB"
    source = f"(SELECT * FROM {table} WHERE {place} >= {{start}} AND {place} < {{end}}) AS r"
    if kind == "batch":
        columns["files"], types["files"] = "f.files", "files"
        source += f" LEFT JOIN ({_files()}) AS f ON f.batch = r.batch"
    else:
        besides = {name: f"b.{name}" for name in ("recorded_at", "rulebook_digest")}
        columns |= besides
        types |= _types(connection, "batch", besides)
        source += " JOIN (SELECT * FROM batch WHERE batch BETWEEN {low} AND {high}) AS b ON b.batch = r.batch"
    if "provider" in types:
        provider = "r.provider"
    source += (
        f" JOIN (SELECT leaf, salt FROM leaf WHERE leaf >= {{start}} AND leaf < {{end}}) AS s ON s.leaf = r.{place}"
    )
    parts = ", ".join(_field(name, columns[name], types[name]) for name in sorted(FIELDS[kind]))
    return (
        f"SELECT r.{place} AS leaf, '{kind}' AS kind, {provider} AS provider, concat('{{{{', {parts}, '}}}}') AS fields"
        f" FROM {source}"
    )


def _types(
    connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str] | dict[str, str] = ()
) -> dict[str, str]:
    query = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND NOT internal"
    return {name: kind for name, kind in rows(connection, query, [table]) if not names or name in names}


def _field(name: str, column: str, kind: str) -> str:
    """Give the SQL of a field with its comma: NULL, which `concat` leaves out, where the leaf does not say it."""
    before, after = (f'"{name}":', ",") if name < _MIDDLE else (f',"{name}":', "")
    if name == _MIDDLE:
        before, after = f'"{name}":', ""
    value = f"CAST({column} AS VARCHAR)"
    if kind == "VARCHAR":
        value = _json(column)
    elif kind == "BLOB":
        value = f"lower(hex({column}))"
    elif kind == "TIMESTAMP WITH TIME ZONE":
        value = f"strftime({column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    elif kind == "files":
        value, before, after = column, before + "[", "]" + after
    if kind in ("BLOB", "DATE", "TIMESTAMP WITH TIME ZONE") or name.endswith("tpp"):
        before, after = before + '"', '"' + after
    said = f"'{before}' || {value} || '{after}'"
    return f"CASE WHEN {column} <> 0 THEN {said} END" if name in COUNTS else said


def _files() -> str:
    """Give the SQL of the files of batches, each as a text of objects."""
    said = f"""concat('{{{{"file":', {_json("file")}, ',"records":', records, ',"sha256":"', sha256, '"}}}}')"""
    return (
        f"SELECT batch, string_agg({said}, ',' ORDER BY number) AS files FROM batch_file"
        " WHERE batch BETWEEN {low} AND {high} GROUP BY batch"
    )


def _json(column: str) -> str:
    return f"CAST(to_json({column}) AS VARCHAR)"


def _canonical(written: str) -> str:
    """Give the SQL of JSON in canonical form: DuckDB writes the numbers of control characters in capitals."""
    small = f"replace({written}, '\\\\', chr(1))"  # a backslash that is said, which no number may be taken for
    for code in (code for code in range(32) if code not in _SHORT and f"{code:x}" != f"{code:X}"):
        small = f"replace({small}, '\\u{code:04X}', '\\u{code:04x}')"
    return f"CASE WHEN contains({written}, '\\u00') THEN replace({small}, chr(1), '\\\\') ELSE {written} END"
