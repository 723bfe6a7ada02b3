"""The views as of a legal day and as of a checkpoint, for a report: read-only, on a handle of their own.

What the views read is shadowed by temporary views and tables of the same names, which are seen on that handle alone and
gone when the report is made. Ledger tables are append-only, so the first rows of each are what was recorded then.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

import duckdb

from ledger.core.errors import InputRejected, WrongUsage
from ledger.core.text import visible
from ledger.store.contributions import balances_query
from ledger.store.derived import expected_rows, latest_date
from ledger.store.file import LedgerFile
from ledger.store.insert import insert
from ledger.store.query import first, rows
from ledger.store.seeds import parse_rulebook
from ledger.store.views import body, view_files

_ROWS_AT_ONCE: Final = 10_000
_BEFORE: Final[Mapping[str, str]] = {
    "batch": "last_leaf < {leaves}",
    "batch_file": "batch <= {batch}",
    "checkpoint": "batch <= {batch}",
    "migration": "true",
}
"""Which rows of a ledger table were recorded before so many leaves; of the others, those with a smaller leaf."""


class Snapshot:
    """The views as of a day. Queries can be named, and are then views for the queries after them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def name(self, name: str, query: str) -> None:
        """Let later queries read a query by name. Raises InputRejected for SQL that is not one query."""
        self._check(name, query)
        self._run(name, f"CREATE TEMP VIEW {name} AS {query}")

    def keep(self, name: str, query: str) -> None:
        """Work a query out once, so that it can be read by name. Raises InputRejected for SQL that is not one query."""
        self._check(name, query)
        columns = self.columns_of(name, query)
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise InputRejected(f"the query {name} gives two columns {twice[0]}; name one of them otherwise with AS")
        self._run(name, f"CREATE TEMP TABLE {name} AS {query}")

    def columns(self, name: str) -> list[str]:
        """Give the columns of what is read by name."""
        return self.columns_of(name, f"FROM {name}")

    def columns_of(self, name: str, query: str) -> list[str]:
        """Give the columns of a query, which is not answered for it. Raises InputRejected if it cannot be."""
        try:
            return list(self._connection.sql(query).columns)
        except duckdb.Error as error:
            raise _rejected(name, error) from None

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

    def reader(self, name: str, query: str) -> Any:
        """Give what reads a query's rows as Arrow batches, with the types that they have; read all of them."""
        self._check(name, query)
        try:
            return self._connection.sql(query).to_arrow_reader(_ROWS_AT_ONCE)
        except duckdb.Error as error:
            raise _rejected(name, error) from None

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
def snapshot(ledger: LedgerFile, day: date | None = None, leaves: int | None = None) -> Iterator[Snapshot]:
    """Give the views as they are, as of a legal day, or as the ledger stood when its log had so many leaves.

    As of a day, records dated later are left out everywhere. The views are this software's, also on a ledger that an
    earlier version made. Raises WrongUsage if there is no checkpoint of so many leaves.
    """
    connection = ledger.connection.cursor()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        _shadow(connection, day, leaves)
        for name, text in view_files().items():
            connection.execute(f"CREATE TEMP VIEW {name} AS {body(text)}")
        yield Snapshot(connection)
    finally:
        connection.close()


def _shadow(connection: duckdb.DuckDBPyConnection, day: date | None, leaves: int | None) -> None:
    """Put what was recorded by then, and is dated by then, in the place of the tables."""
    now, latest = first(connection, "SELECT leaf, latest_date FROM head") or (0, date.min)
    is_past = leaves is not None and leaves != now
    if not is_past and day is None:
        return
    ((catalog,),) = rows(connection, "SELECT '\"' || replace(current_database(), '\"', '\"\"') || '\"'")
    conditions = dict.fromkeys(("entry",), f"date <= DATE '{day}'") if day is not None and day < latest else {}
    if is_past:
        conditions = _conditions(connection, int(leaves or 0), conditions.get("entry", "true"))
    for name, condition in conditions.items():
        connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {catalog}.main.{name} WHERE {condition}")
    if conditions:
        connection.execute(f"CREATE TEMP TABLE balance AS {balances_query('true')}")
    if is_past:
        latest = _shadow_derived(connection, catalog)
    shown = day if day is not None else latest
    connection.execute(
        "CREATE TEMP TABLE head AS SELECT max(last_sequence) AS sequence, max(last_leaf) + 1 AS leaf,"
        f" max(batch) AS batch, ''::BLOB AS peaks, DATE '{shown}' AS latest_date FROM batch"
    )


def _conditions(connection: duckdb.DuckDBPyConnection, leaves: int, dated: str) -> dict[str, str]:
    """Give, for each ledger table, which rows there were when the log had so many leaves."""
    found = first(connection, "SELECT batch FROM checkpoint WHERE size = ?", [leaves])
    if found is None:
        raise WrongUsage(
            f"there is no checkpoint of {leaves:,} leaves; `quotaledger sql 'FROM checkpoints'` lists them"
        )
    tables = [name for (name,) in rows(connection, _LEDGER_TABLES)]
    before = {name: _BEFORE.get(name, "leaf < {leaves}").format(leaves=leaves, batch=found[0]) for name in tables}
    return before | {"entry": f"{before['entry']} AND {dated}"}


_LEDGER_TABLES: Final = "SELECT DISTINCT table_name FROM duckdb_triggers() ORDER BY table_name"
"""They are append-only: there are triggers on them, and on no others."""


def _shadow_derived(connection: duckdb.DuckDBPyConnection, catalog: str) -> date:
    """Put what followed from the rulebooks adopted by then in place, and give the latest date recorded by then."""
    query = "SELECT texts FROM {} ORDER BY leaf"
    adopted = [parse_rulebook(json.loads(texts)) for (texts,) in rows(connection, query.format("rulebook_row"))]
    ((all_of_them,),) = rows(connection, f"SELECT count(*) FROM {catalog}.main.rulebook_row")
    if len(adopted) < all_of_them:
        for name, found in expected_rows(adopted).items():
            connection.execute(f"CREATE TEMP TABLE {name} AS FROM {catalog}.main.{name} LIMIT 0")
            insert(connection, name, {column: [row[column] for row in found] for column in found[0]})
    return latest_date(connection, adopted)


def _rejected(name: str, error: duckdb.Error) -> InputRejected:
    words = str(error).partition("\nLINE ")[0].split("\n")
    reason = visible(" ".join(line.strip() for line in words if line.strip()))
    return InputRejected(f"the query {name} cannot be answered: {reason}")
