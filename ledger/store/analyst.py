"""SQL of an analyst: on a read-only handle without access to anything else, for the length of a statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from ledger.core.errors import WrongUsage
from ledger.core.text import visible
from ledger.store.file import LedgerFile
from ledger.store.outputs import whole


@dataclass(frozen=True)
class Answer:
    """The result of a query."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


def ask(path: Path, query: str, out: Path | None = None) -> Answer:
    """Run a query on the views of a ledger; with `out`, write the result as Parquet and give no rows.

    Raises WrongUsage for SQL that does not run, LedgerUnavailable if the ledger is held or not there.
    """
    with LedgerFile.open(path) as ledger:
        ledger.connection.execute("SET lock_configuration = true")
        try:
            if not ledger.connection.extract_statements(query):
                raise WrongUsage("there is no query; try: quotaledger sql 'FROM country_positions'")
            if out is None:
                result = ledger.connection.execute(query)
                return Answer(_distinct([column[0] for column in result.description or ()]), result.fetchall())
            relation = ledger.connection.sql(query)
            if relation is None:
                raise WrongUsage(f"the query gives no rows to write to {out}")
            table = relation.to_arrow_table()
        except duckdb.Error as error:
            raise WrongUsage(f"the query cannot be answered: {_reason(error)}") from None
    names = _distinct(table.column_names)
    with whole(out) as partial:
        pq.write_table(table.rename_columns(names), partial)
    return Answer(names, ())


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
