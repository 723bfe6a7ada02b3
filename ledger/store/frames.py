"""Tables for whoever asks from Python: Arrow, or pandas without loss; whole numbers stay whole."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final

import duckdb
import pyarrow as pa

from ledger.core.errors import WrongUsage
from ledger.core.text import did_you_mean, nearest, shown

FRAMES: Final = ("arrow", "pandas")


def check_frames(frames: str) -> None:
    """Raise WrongUsage if there are no such frames, or if what they need is not installed."""
    if frames not in FRAMES:
        hint = did_you_mean(nearest(str(frames), FRAMES))
        raise WrongUsage(f"there are no frames {shown(frames)}; give {' or '.join(FRAMES)}{hint}")
    if frames == "pandas" and find_spec("pandas") is None:
        raise WrongUsage("pandas is not installed; install quotaledger[pandas], or leave frames out for Arrow tables")


def framed(table: pa.Table, frames: str) -> Any:
    """Give a table in the frames asked for."""
    if frames == "arrow":
        return table
    import pandas as pd  # noqa: PLC0415 -- only those who ask for it need it

    # pandas' own types would make floats of whole numbers with gaps, and objects of days and decimals.
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def whole_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give a column of DuckDB's 128-bit integers as one of 64 bits if all of them fit, else as exact decimals."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column


def view_table(connection: duckdb.DuckDBPyConnection, view: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Give rows as a table with the columns and types of a view, also where there are none."""
    schema = connection.sql(f"FROM {view} LIMIT 0").to_arrow_table().schema
    return pa.Table.from_pylist([dict(row) for row in rows], schema)
