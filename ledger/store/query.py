"""Asking the ledger's file: every result is fetched whole, because an unfinished one blocks the connection."""

from collections.abc import Sequence
from typing import Any

import duckdb


def rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Give the rows of a query."""
    return connection.execute(query, list(parameters)).fetchall()


def first(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """Give the first row of a query, or None."""
    found = rows(connection, query, parameters)
    return found[0] if found else None
