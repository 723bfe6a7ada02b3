"""The ledger as it is at one moment, read while this process may go on recording: for exports and copies.

A cursor has a transaction of its own, and sees nothing of what is recorded after its first question.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb
import pyarrow as pa

from ledger.core.errors import QuotaledgerError, VerificationFailed
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile, beside
from ledger.store.guard import hold_outside
from ledger.store.outside import OutsideCheckpoints
from ledger.store.query import rows
from schemas.tables import LEDGER_TABLES

_AT_ONCE: Final = 100_000
"""Rows that are in memory together."""

TABLES: Final = {str(table.__tablename__): tuple(table.model_fields)[:2] for table in LEDGER_TABLES}
"""The ledger tables, each with the columns that order its rows; the first of them says which rows are together."""


@contextmanager
def frozen(ledger: LedgerFile) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that sees the ledger as it is now, whatever this process records meanwhile.

    Raises VerificationFailed for a ledger that is behind its outside checkpoints or disagrees with them: a copy would
    have others, which do not show that. Raises QuotaledgerError where the file cannot be read.
    """
    with ledger.aside() as now:
        try:
            hold_outside(now.connection, OutsideCheckpoints(beside(ledger.path, OUTSIDE_SUFFIX)), now.said)
        except QuotaledgerError as error:
            raise VerificationFailed(str(error)) from None
        yield now.connection


def pieces(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[pa.Table]:
    """Give the rows of a ledger table in order, some at a time, exactly as they are; at least one piece, if empty."""
    place, beside = TABLES[table]
    ((start,),) = rows(connection, f"SELECT coalesce(min({place}), 0) FROM {table}")
    while start is not None:
        end = start + _AT_ONCE
        yield connection.sql(
            f"FROM {table} WHERE {place} >= {start:d} AND {place} < {end:d} ORDER BY {place}, {beside}"
        ).to_arrow_table()
        # From the next number that is there: in a forged table they may be far apart.
        ((start,),) = rows(connection, f"SELECT min({place}) FROM {table} WHERE {place} >= {end:d}")


def note_batches(connection: duckdb.DuckDBPyConnection) -> Iterator[list[str]]:
    """Give the signed checkpoints in order, some at a time."""
    for piece in pieces(connection, "checkpoint"):
        yield piece.column("note").to_pylist()


def count_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Give how many rows each ledger table has."""
    return {table: rows(connection, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
