"""The views as of a legal day, for a report: read-only, on a handle of their own, gone when the report is made."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

import duckdb

from ledger.core.errors import InputRejected
from ledger.core.text import visible
from ledger.store.contributions import balances_query
from ledger.store.file import LedgerFile
from ledger.store.views import body, view_files

_ROWS_AT_ONCE: Final = 10_000


class Snapshot:
    """The views as of a day. Queries can be named, and are then views for the queries after them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def name(self, name: str, query: str) -> None:
        """Let later queries read a query by name. Raises InputRejected for SQL that is not one query."""
        self._check(name, query)
        self._run(name, f"CREATE TEMP VIEW {name} AS {query}")

    def ask(self, name: str, query: str) -> tuple[Sequence[str], Iterator[dict[str, Any]]]:
        """Give the columns of a query, and its rows a few at a time, however many they are; read them all.

        `name` is for the error. Raises InputRejected for SQL that is not one query or does not run.
        """
        self._check(name, query)
        found = self._run(name, query)
        columns = [column[0] for column in found.description or ()]
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise InputRejected(f"the query {name} gives two columns {twice[0]}; name one of them otherwise with AS")
        return columns, self._batches(name, columns)

    def _batches(self, name: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        try:
            while rows := self._connection.fetchmany(_ROWS_AT_ONCE):
                yield from (dict(zip(columns, row, strict=True)) for row in rows)
        except duckdb.Error as error:
            raise _rejected(name, error) from None

    def _check(self, name: str, query: str) -> None:
        try:
            statements = self._connection.extract_statements(query)
        except duckdb.Error as error:
            raise _rejected(name, error) from None
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise InputRejected(f"the query {name} must be one SELECT")

    def _run(self, name: str, query: str) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(query)
        except duckdb.Error as error:
            raise _rejected(name, error) from None


@contextmanager
def snapshot(ledger: LedgerFile, day: date | None = None) -> Iterator[Snapshot]:
    """Give the views as they are, or as of a legal day: then positions leave out records dated later.

    The views are this software's, also on a ledger that an earlier version made. What a position is made of is
    shadowed by temporary tables of the same names, which are seen on this handle alone.
    """
    connection = ledger.connection.cursor()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        if day is not None:
            shown = f"DATE '{day.isoformat()}'"
            connection.execute(f"CREATE TEMP TABLE balance AS {balances_query(f'date <= {shown}')}")
            connection.execute(f"CREATE TEMP TABLE head AS SELECT * REPLACE ({shown} AS latest_date) FROM head")
        for name, text in view_files().items():
            connection.execute(f"CREATE TEMP VIEW {name} AS {body(text)}")
        yield Snapshot(connection)
    finally:
        connection.close()


def _rejected(name: str, error: duckdb.Error) -> InputRejected:
    words = str(error).partition("\nLINE ")[0].split("\n")
    reason = visible(" ".join(line.strip() for line in words if line.strip()))
    return InputRejected(f"the query {name} cannot be answered: {reason}")
