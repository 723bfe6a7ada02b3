"""The decisions that are recorded, as the view `decisions` has them."""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from ledger.store.query import lent, rows


def recorded_answers(
    connection: duckdb.DuckDBPyConnection, sequences: Iterable[int], names: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """Give columns of the view `decisions`, by sequence."""
    listed = sorted(sequences)
    if not listed:
        return {}
    with lent(connection, "wanted", pa.table({"sequence": pa.array(listed, pa.int64())})):
        query = f"SELECT sequence, {', '.join(names)} FROM decisions JOIN wanted USING (sequence)"
        found = rows(connection, query)
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}
