"""Asking the ledger's file: every result is fetched whole, because an unfinished one blocks the connection."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """Give the rows of a query."""
    values = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
    return connection.execute(query, values).fetchall()


def first(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """Give the first row of a query, or None."""
    found = rows(connection, query, parameters)
    return found[0] if found else None


def table(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Give the rows of a query as dicts by column."""
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
