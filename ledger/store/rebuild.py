"""A ledger's file made from the rows of its ledger tables: for restores and copies. What is derived is derived anew."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ledger.core.errors import QuotaledgerError, VerificationFailed
from ledger.store import contributions, derived
from ledger.store.expected import adopted_rulebooks
from ledger.store.file import LedgerFile
from ledger.store.frozen import TABLES, pieces
from ledger.store.insert import insert, insert_rows
from ledger.store.query import first
from ledger.store.seal import append_tiles
from ledger.tlog.tree import Frontier

Source = Callable[[str, Any], Iterator[pa.Table]]
"""Gives the rows of a table, which are to have an Arrow schema, some at a time."""


def rebuild(path: Path, source: Source) -> LedgerFile:
    """Make a ledger's file of rows.

    Raises VerificationFailed if they cannot be the rows of a ledger, QuotaledgerError if it cannot be written.
    """
    try:
        ledger = LedgerFile.blank(path)
        try:
            for table in TABLES:
                schema = ledger.connection.sql(f"FROM {table} LIMIT 0").to_arrow_table().schema
                for piece in source(table, schema):
                    insert(ledger.connection, table, dict(zip(piece.column_names, piece.columns, strict=True)))
            _derive(ledger.connection)
        except BaseException:
            ledger.close()
            raise
    except (duckdb.ConstraintException, duckdb.ConversionException, duckdb.OutOfRangeException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise VerificationFailed(f"the tables have rows that no ledger has ({reason}); nothing was made") from None
    except duckdb.Error as error:
        raise QuotaledgerError(f"{path} cannot be written: {str(error).splitlines()[0]}") from None
    return ledger


def _derive(connection: duckdb.DuckDBPyConnection) -> None:
    """Derive all that is derived: the tree and its tiles, head, balances, views, and the texts of rulebooks."""
    grown = Frontier()
    for piece in pieces(connection, "leaf"):
        grown, tiles = grown.extended(b"".join(piece.column("hash").to_pylist()))
        append_tiles(connection, tiles)
    (sequence, batch) = first(
        connection,
        "SELECT (SELECT coalesce(max(sequence), 0) FROM entry), (SELECT coalesce(max(batch), 0) FROM batch)",
    ) or (0, 0)
    values = {"sequence": sequence, "leaf": grown.size, "batch": batch, "peaks": grown.peaks}
    insert_rows(
        connection, "head", values | {"latest_date": derived.latest_date(connection, adopted_rulebooks(connection))}
    )
    contributions.add_to_balances(connection, 0)
    derived.derive_again(connection)
