"""SQL of an analyst: on a read-only handle without access to anything else, for the length of a statement.

What is asked is a ledger, or a published copy of one; the path tells which.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.core.errors import WrongUsage
from ledger.core.text import visible
from ledger.store.file import LedgerFile
from ledger.store.frames import whole_numbers
from ledger.store.outputs import whole
from ledger.store.publishing import is_copy, open_copy

_HALF = re.compile("[\\ud800-\\udfff]")
"""Half of a character: what Python makes of a byte of the command line that is no UTF-8."""

_COLUMNS: Final = """
    SELECT name, list(column_name ORDER BY column_index)
    FROM duckdb_columns() JOIN (
        SELECT view_name AS name FROM duckdb_views() WHERE NOT internal
        UNION ALL SELECT table_name FROM duckdb_tables() WHERE comment IS NOT NULL
    ) ON name = table_name GROUP BY name ORDER BY name
"""


@dataclass(frozen=True)
class Answer:
    """The result of a query."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


def ask(path: Path, query: str, out: Path | None = None) -> Answer:
    """Run a query on the views of a ledger or copy; with `out`, write the result as Parquet and give no rows.

    Raises WrongUsage for SQL that does not run, LedgerUnavailable if the ledger is held or not there.
    """
    if out is None:
        with _confined(path, query) as connection:
            result = connection.execute(query)
            return Answer(_distinct([column[0] for column in result.description or ()]), result.fetchall())
    with _confined(path, query) as connection:
        table = _table(connection, query)
    with whole(out) as partial:
        pq.write_table(table, partial)
    return Answer(table.column_names, ())


def ask_table(path: Path, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
    """Run a query and give its result as an Arrow table; whole numbers that fit 64 bits are integers.

    Raises as `ask` does; WrongUsage too for a statement without rows and for parameters that do not fit the query.
    """
    with _confined(path, query) as connection:
        return _table(connection, query, parameters)


@contextmanager
def _confined(path: Path, query: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that reads this ledger or copy and nothing else, and whose settings nobody can change."""
    if _HALF.search(query):
        raise WrongUsage("the query has bytes that are no UTF-8; write them anew")
    with _opened(path) as connection:
        connection.execute("SET lock_configuration = true")
        try:
            statements = len(connection.extract_statements(query))
            if not statements:
                raise WrongUsage("there is no query; try: quotaledger sql 'FROM country_positions'")
            if statements > 1:
                raise WrongUsage(f"the query has {statements:,} statements, and only one is answered; give each alone")
            yield connection
        except duckdb.Error as error:
            raise WrongUsage(f"the query cannot be answered: {_reason(error)}") from None


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    if is_copy(path):
        with open_copy(path) as copy:
            yield copy
    else:
        with LedgerFile.open(path) as ledger:
            yield ledger.connection


def names(path: Path) -> dict[str, list[str]]:
    """Give the columns of each view of a ledger or copy. Raises as `ask` does."""
    with _opened(path) as connection:
        found = connection.execute(_COLUMNS).fetchall()
    return dict(found)


def _table(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> pa.Table:
    values = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
    relation = connection.sql(query, params=values)
    if relation is None:
        raise WrongUsage("the statement gives no rows; ask with SELECT or FROM")
    kinds = [str(kind) for kind in relation.types]
    if "UHUGEINT" in kinds:
        name = relation.columns[kinds.index("UHUGEINT")]
        raise WrongUsage(f"no table holds the UHUGEINT of {visible(name)}; cast it to DECIMAL")
    table = relation.to_arrow_table()
    columns = [
        # What DuckDB makes of a sum of whole numbers, and Arrow has no integers for.
        whole_numbers(column) if kind == "HUGEINT" else column
        for column, kind in zip(table.columns, kinds, strict=True)
    ]
    return pa.table(columns, _distinct(table.column_names))


def _distinct(names: Sequence[str]) -> list[str]:
    """Number the second and later columns of the same name, so that none hides another."""
    distinct: list[str] = []
    for name in names:
        free = (f"{name}_{n}" for n in count(1))
        distinct.append(next(other for other in chain([name], free) if other not in distinct))
    return distinct


def _reason(error: duckdb.Error) -> str:
    """Give DuckDB's own words, hints included, on one line and without the picture of where."""
    words = str(error).partition("\nLINE ")[0].splitlines()
    return visible(" ".join(line.strip() for line in words if line.strip()))
