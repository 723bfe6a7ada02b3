"""SQL of an analyst: on a read-only handle without access to anything else, for the length of a statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from ledger.core.errors import WrongUsage
from ledger.store.file import LedgerFile


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
            result = ledger.connection.execute(query)
            names = [column[0] for column in result.description or ()]
            if out is not None:
                pq.write_table(result.to_arrow_table(), out)
                return Answer(names, ())
            return Answer(names, result.fetchall())
        except duckdb.Error as error:
            raise WrongUsage(f"the query cannot be answered: {str(error).strip()}") from None
