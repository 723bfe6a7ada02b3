"""The ledger as it is at one moment, read while this process may go on recording: for exports and copies.

A cursor has a transaction of its own, and sees nothing of what is recorded after its first question.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb
import pyarrow as pa

from ledger.core.errors import QuotaledgerError
from ledger.store.file import LedgerFile
from ledger.store.query import first, rows
from schemas.tables import LEDGER_TABLES

_AT_ONCE: Final = 100_000
"""Rows that are in memory together."""

TABLES: Final = {str(table.__tablename__): tuple(table.model_fields)[:2] for table in LEDGER_TABLES}
"""The ledger tables, each with the columns that order its rows; the first of them says which rows are together."""


@contextmanager
def frozen(ledger: LedgerFile) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that sees the ledger as it is now, whatever this process records meanwhile.

    Raises QuotaledgerError where the file cannot be read.
    """
    connection = ledger.connection.cursor()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("BEGIN TRANSACTION READ ONLY")
        first(connection, "SELECT leaf FROM head")  # it is the first question that fixes the moment
        yield connection
    except duckdb.Error as error:
        raise QuotaledgerError(f"{ledger.path} cannot be read: {str(error).splitlines()[0]}") from None
    finally:
        connection.close()


def pieces(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[pa.Table]:
    """Give the rows of a ledger table in order, some at a time, exactly as they are; at least one piece, if empty."""
    place, beside = TABLES[table]
    ((low, high),) = rows(connection, f"SELECT coalesce(min({place}), 0), coalesce(max({place}), 0) FROM {table}")
    for start in range(low, high + 1, _AT_ONCE):
        piece = connection.sql(
            f"FROM {table} WHERE {place} >= {start} AND {place} < {start + _AT_ONCE} ORDER BY {place}, {beside}"
        ).to_arrow_table()
        if len(piece) or start == low:
            yield piece


def note_batches(connection: duckdb.DuckDBPyConnection) -> Iterator[list[str]]:
    """Give the signed checkpoints in order, some at a time."""
    for piece in pieces(connection, "checkpoint"):
        yield piece.column("note").to_pylist()


def count_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Give how many rows each ledger table has."""
    return {table: rows(connection, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
