"""INSERT, of many rows as Arrow or of a few as values: nothing is lost and no value becomes SQL text."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[Any]], select: str = "*"
) -> None:
    """Insert columns, given by name; `select` is what is inserted of them."""
    arrays = {name: _array(values) for name, values in columns.items()}
    if not len(next(iter(arrays.values()))):
        return
    connection.register("appended", pa.table(arrays))
    try:
        connection.execute(f"INSERT INTO {table} BY NAME SELECT {select} FROM appended")
    finally:
        connection.unregister("appended")


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
