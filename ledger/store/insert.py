"""INSERT, of many rows as Arrow or of a few as values: nothing is lost and no value becomes SQL text."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa


def insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, Sequence[Any]],
    made: Mapping[str, str] | None = None,
) -> None:
    """Insert columns, given by name, and those that are `made` of them by SQL. Raises ValueError for an unknown one."""
    arrays = {name: _array(values) for name, values in columns.items()}
    if not len(next(iter(arrays.values()))):
        return
    # A relation, not a registered name: that would stay, with all it holds, until the end of the transaction.
    given = connection.from_arrow(pa.table(arrays))
    sql = {name: name for name in arrays} | dict(made or {})
    order = connection.table(table).columns
    if strange := sorted(sql.keys() - set(order)):
        raise ValueError(f"the table {table} has no column {', '.join(strange)}")
    given.project(", ".join(f"{sql.get(name, 'NULL')} AS {name}" for name in order)).insert_into(table)


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, *rows: Mapping[str, Any]) -> None:
    """Insert a few rows, given by column; all have the same columns."""
    places = ", ".join([f"({', '.join(['?'] * len(rows[0]))})"] * len(rows))
    values = [value for row in rows for value in row.values()]
    connection.execute(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {places}", values)


def _array(values: Any) -> Any:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    array = pa.array(values)
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array
