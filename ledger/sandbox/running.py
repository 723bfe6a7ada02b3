"""One query on the copy: parsed, run to limits, and written; and the facts that go with the answer."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Final

import duckdb
import pyarrow as pa

from ledger.sandbox.judging import Catalogue, Refused, parse
from ledger.sandbox.reproducing import is_deterministic, order_names, wider
from ledger.sandbox.writing import WRITERS
from ledger.store.frames import whole_numbers

COLUMNS_MAX: Final = 1_000
_WIDE: Final = re.compile("UHUGEINT|BIGNUM")
"""Types that Arrow has not: it makes other numbers of them."""
_AT_ONCE: Final = 2_048
_IN_MEMORY: Final = 4
"""So many times as large may a result be before it is written."""


@dataclass(frozen=True)
class Limits:
    """What one query may take."""

    rows: int = 100_000
    bytes: int = 64 << 20
    """Of its result, as it is written."""
    seconds: float = 30
    memory: int = 1 << 30
    """Bytes."""


def run(
    connection: duckdb.DuckDBPyConnection,
    known: Catalogue,
    text: str,
    parameters: Sequence[Any] | Mapping[str, Any],
    form: str,
    limits: Limits,
    about: Mapping[str, str],
) -> tuple[dict[str, Any], bytes]:
    """Answer a query: facts, and its result in a format, with what the copy is in the metadata of Arrow and Parquet.

    Raises Refused, duckdb.Error, and ArrowException.
    """
    began = time.monotonic()
    query = parse(connection, known, text)
    values = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
    relation = connection.sql(query.text, params=values)
    if relation is None:
        raise Refused("the statement gives no rows; ask with SELECT or FROM")
    if len(relation.columns) > COLUMNS_MAX:
        raise Refused(f"the answer has {len(relation.columns):,} columns, and may have {COLUMNS_MAX:,}")
    wide = [name for name, kind in zip(relation.columns, relation.types, strict=True) if _WIDE.search(str(kind))]
    if wide:
        raise Refused(f"the column {wide[0]} has whole numbers that are not written; cast it to HUGEINT or to VARCHAR")
    types, names = [str(kind) for kind in relation.types], _distinct(relation.columns)
    ordered = order_names(query, names) if is_deterministic(known, query) else None
    is_total = ordered is not None and set(ordered) == set(names)
    cut = None
    if ordered and not is_total and query.is_cut and (cut := wider(query)):
        relation = connection.sql(_text(connection, cut.tree), params=values)
    table = _table(relation, types, names, limits)
    if ordered is not None and not is_total and (cut or not query.is_cut):
        is_total = _are_unique(table, ordered)
    table = table.slice(cut.before, cut.rows) if cut else table
    content = WRITERS[form](table.replace_schema_metadata(dict(about)), types)
    if len(content) > limits.bytes:
        raise Refused(
            f"the answer has more than {limits.bytes:,} bytes; ask for fewer columns or rows, or for sums of them"
        )
    facts = {
        "rows": table.num_rows,
        "reproducible": is_total,
        "seconds": round(time.monotonic() - began, 3),
    }
    return facts, content


def _table(relation: duckdb.DuckDBPyRelation, types: Sequence[str], names: Sequence[str], limits: Limits) -> pa.Table:
    reader = relation.to_arrow_reader(_AT_ONCE)
    batches, rows, size = [], 0, 0
    for batch in reader:
        batches.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows > limits.rows:
            raise Refused(
                f"the answer has more than {limits.rows:,} rows; ask for sums, or for some at a time with WHERE"
            )
        if size > _IN_MEMORY * limits.bytes:
            raise Refused(f"the answer has more than {limits.bytes:,} bytes; ask for fewer columns or rows")
    table = pa.Table.from_batches(batches, reader.schema)
    columns = [
        whole_numbers(column) if kind == "HUGEINT" else column
        for column, kind in zip(table.columns, types, strict=True)
    ]
    return pa.table(columns, list(names))


def _distinct(names: Sequence[str]) -> list[str]:
    """Number the second and later columns of the same name."""
    distinct: list[str] = []
    for name in names:
        free = (f"{name}_{n}" for n in count(1))
        distinct.append(next(other for other in chain([name], free) if other not in distinct))
    return distinct


def _are_unique(table: pa.Table, names: Sequence[str]) -> bool:
    """Say if no two rows are ordered alike; what is ordered by expressions alone is not known to be."""
    if not names:
        return bool(table.num_rows <= 1)
    keys = list(zip(*(table.column(name).to_pylist() for name in dict.fromkeys(names)), strict=True))
    return len(set(map(repr, keys))) == len(keys)


def _text(connection: duckdb.DuckDBPyConnection, tree: Mapping[str, Any]) -> str:
    """Give the SQL of a tree."""
    ((text,),) = connection.execute("SELECT json_deserialize_sql(json(?))", [json.dumps(tree)]).fetchall()
    return str(text)
