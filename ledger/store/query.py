"""Asking the ledger's file: every result is fetched whole, because an unfinished one blocks the connection."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import duckdb

CONFINED: Final = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
"""Settings of every connection to a ledger or copy: it sees that file and nothing else."""

_PARSED_MAX: Final = 256
_PARSED: Final[dict[str, duckdb.Statement]] = {}


def parsed(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """Give a statement that comes again and again, parsed once: of a small one that is a third of its time.

    It belongs to no connection: each plans it anew.
    """
    if (known := _PARSED.get(query)) is not None:
        return known
    (statement,) = connection.extract_statements(query)
    if len(_PARSED) >= _PARSED_MAX:  # of several threads, each may have seen room for one more
        _PARSED.clear()
    _PARSED[query] = statement
    return statement


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


@contextmanager
def lent(connection: duckdb.DuckDBPyConnection, name: str, columns: Any) -> Iterator[None]:
    """Let queries read an Arrow table by name."""
    loan = _Loan(columns)
    connection.register(name, loan)
    try:
        yield
    finally:
        connection.unregister(name)
        loan.columns = None


class _Loan:
    """A table that is given back: DuckDB keeps what is registered within a transaction until that ends."""

    def __init__(self, columns: Any) -> None:
        self.columns = columns

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.columns.__arrow_c_stream__(requested_schema)
