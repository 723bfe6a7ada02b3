"""The sentences of decisions, made by the same SQL whether they are recorded or not."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from ledger.core.columns import Column, Numbers
from ledger.store.arrow import entry_array
from ledger.store.query import lent, rows

_VALUES = (
    *("kind", "quantity", "chip", "tpp", "destination", "consignee", "basis", "account", "remaining_tpp"),
    "limit_tpp",
)


def messages(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Column | Numbers], rulebook_digest: str
) -> list[str]:
    """Give the sentence of each decision; `columns` are those of `entry`, decided under one rulebook."""
    if not len(columns["sequence"]):
        return []
    names = (*_VALUES, "outcome", "limit_id")
    table = pa.table({name: entry_array(name, columns[name]) for name in names})
    with lent(connection, "decided", table.append_column("place", pa.array(range(table.num_rows), pa.int64()))):
        found = rows(
            connection,
            f"""
            SELECT decision_message(t.template, {", ".join(f"d.{name}" for name in _VALUES)}, t.citation,
                t.h100_equivalent_tpp)
            FROM decided AS d
            JOIN limit_text AS t ON t.rulebook_digest = ? AND t.limit_id = coalesce(d.limit_id, '')
                AND t.outcome = d.outcome
            ORDER BY d.place
            """,
            [rulebook_digest],
        )
    return [message for (message,) in found]


def recorded_answers(
    connection: duckdb.DuckDBPyConnection, sequences: Iterable[int], names: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """Give columns of the view `decisions`, by sequence."""
    listed = sorted(sequences)
    if not listed:
        return {}
    with lent(connection, "wanted", pa.table({"sequence": pa.array(listed, pa.int64())})):
        query = f"SELECT sequence, {', '.join(names)} FROM decisions JOIN wanted USING (sequence)"
        found = rows(connection, query)
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}
