"""The result of a query as bytes: JSON, CSV, an Arrow stream or Parquet."""

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq


def _plain(value: Any) -> Any:
    """Give a value as JSON has it: whole numbers and decimals with all their digits."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, timedelta | UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _json(table: pa.Table, types: Sequence[str]) -> bytes:
    columns = [{"name": name, "type": kind} for name, kind in zip(table.column_names, types, strict=True)]
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    said = {"columns": columns, "rows": [[_plain(value) for value in row] for row in rows]}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _csv(table: pa.Table, _: Sequence[str]) -> bytes:
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow(["" if value is None else _text(value) for value in row])
    return written.getvalue().encode("utf-8", "replace")


def _text(value: Any) -> Any:
    plain = _plain(value)
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, list | dict) else plain


def _arrow(table: pa.Table, _: Sequence[str]) -> bytes:
    written = BytesIO()
    with pa.ipc.new_stream(written, table.schema) as stream:
        stream.write_table(table)
    return written.getvalue()


def _parquet(table: pa.Table, _: Sequence[str]) -> bytes:
    written = BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


WRITERS: Final[Mapping[str, Callable[[pa.Table, Sequence[str]], bytes]]] = {
    "json": _json,
    "csv": _csv,
    "arrow": _arrow,
    "parquet": _parquet,
}
"""What writes a table, of DuckDB's types, in each format."""
