"""Writing rows to a file, in the format of its suffix: CSV, NDJSON or Parquet; whole or not at all."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.core.errors import QuotaledgerError, WrongUsage

_NUMBERS: Final = ("row", "tpp", "remaining_tpp", "sequence")
_ROWS_AT_ONCE: Final = 100_000

Rows = Iterable[dict[str, Any]]


def check_output(path: Path) -> None:
    """Raise WrongUsage if rows cannot be written there; called before the work that the rows come from."""
    if path.suffix not in _WRITERS:
        raise WrongUsage(f"{path} has no known suffix; give a name that ends in {', '.join(_WRITERS)}")
    if not path.absolute().parent.is_dir():
        raise WrongUsage(f"there is no folder {path.absolute().parent} to write {path.name} into")


def write_rows(path: Path, columns: Sequence[str], rows: Rows) -> None:
    """Write rows. The file appears when it is whole. Raises QuotaledgerError if it cannot be written."""
    partial = path.with_name(path.name + ".partial")
    try:
        _WRITERS[path.suffix](partial, columns, rows)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise QuotaledgerError(f"{path} cannot be written: {error.strerror or error}") from None


def plain(value: Any) -> Any:
    """Give a value as JSON has it: days and instants as text, decimals as numbers."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def write_csv(file: TextIO, columns: Sequence[str], rows: Rows) -> None:
    """Write rows as CSV: true and false in small letters, blanks empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = (row[name] for name in columns)
        writer.writerow([str(v).lower() if isinstance(v, bool) else plain(v) for v in values])


def _csv(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, columns, rows)


def _ndjson(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps({name: plain(row[name]) for name in columns}, ensure_ascii=False) + "\n")


def _parquet(path: Path, columns: Sequence[str], rows: Rows) -> None:
    types = {name: pa.int64() for name in _NUMBERS} | {"duplicate": pa.bool_()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns])
    listed = list(rows)
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(listed), _ROWS_AT_ONCE):
            writer.write_table(pa.Table.from_pylist(listed[start : start + _ROWS_AT_ONCE], schema))


_WRITERS: Final[dict[str, Callable[[Path, Sequence[str], Rows], None]]] = {
    ".csv": _csv,
    ".ndjson": _ndjson,
    ".parquet": _parquet,
}
