"""Writing rows to a file, in the format of its suffix: CSV, NDJSON, Parquet or an Arrow stream; whole or not at all."""

import csv
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.core.errors import QuotaledgerError, WrongUsage
from ledger.store.leftovers import give_name

_NUMBERS: Final = ("row", "tpp", "remaining_tpp", "sequence")
_ROWS_AT_ONCE: Final = 100_000
_AS_IT_IS: Final = frozenset({str, int, type(None)})
"""Types that a CSV file has as they are: most values are of one, and long files are written quicker for it."""

Rows = Iterable[dict[str, Any]]


def check_output(path: Path, inputs: Sequence[str] = ()) -> None:
    """Raise WrongUsage if rows cannot be written there; called before the work that the rows come from.

    `inputs` are the files that the rows come from: none of them is written over.
    """
    if path.suffix not in _WRITERS:
        raise WrongUsage(f"{path} has no known suffix; give a name that ends in {', '.join(_WRITERS)}")
    if not path.absolute().parent.is_dir():
        raise WrongUsage(f"there is no folder {path.absolute().parent} to write {path.name} into")
    if path.is_dir():
        raise WrongUsage(f"{path} is a folder; give the name of a file")
    if any(path.absolute() == Path(file).absolute() for file in inputs):
        raise WrongUsage(f"{path} is an input; give another name to write to")


def write_rows(path: Path, columns: Sequence[str], rows: Rows) -> None:
    """Write rows. The file appears when it is whole. Raises QuotaledgerError if it cannot be written."""
    with whole(path) as partial:
        _WRITERS[path.suffix](partial, columns, rows)


@contextmanager
def whole(path: Path, *, new: bool = False) -> Iterator[Path]:
    """Give where to write a file that appears at its own name when it is whole.

    Raises QuotaledgerError if it cannot be written; then what was there is there still. Raises WrongUsage for a file
    that is to be `new` and is there.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        if new:
            give_name(partial, path)
        else:
            partial.replace(path)
    except OSError as error:
        raise QuotaledgerError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_together(folder: Path, writers: Mapping[str, Callable[[Path], object]]) -> list[Path]:
    """Write files, each by what is given its path, into a folder, which is made if need be.

    None of them appears before all are whole.

    Raises WrongUsage if there can be no such folder, QuotaledgerError if a file cannot be written; then what was there
    is there still.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUsage(f"{folder} cannot be a folder to write into: {error.strerror or error}") from None
    with ExitStack() as unfinished:
        for name, write in writers.items():
            write(unfinished.enter_context(whole(folder / name)))
    return [folder / name for name in writers]


def plain(value: Any) -> Any:
    """Give a value as JSON has it: days and instants as text, decimals as numbers, bytes in hex, nothing for NaN."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def read_page(path: Path, after: int, limit: int) -> list[dict[str, Any]]:
    """Give rows of a Parquet file that `write_rows` has written, in order of `row`, those behind a row."""
    file = pq.ParquetFile(path)
    found: list[dict[str, Any]] = []
    for group in range(file.num_row_groups):
        last = file.metadata.row_group(group).column(file.schema_arrow.get_field_index("row")).statistics.max
        if last > after and len(found) < limit:
            rows = file.read_row_group(group).to_pylist()
            found += [row for row in rows if row["row"] > after][: limit - len(found)]
    return found


def write_csv(file: TextIO, columns: Sequence[str], rows: Rows) -> None:
    """Write rows as CSV: true and false in small letters, blanks empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = (row[name] for name in columns)
        writer.writerow([value if type(value) in _AS_IT_IS else _cell(value) for value in values])


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else plain(value)


def write_parquet(path: Path, batches: Any) -> None:
    """Write a reader of Arrow batches as Parquet, some rows at a time."""
    with pq.ParquetWriter(path, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _csv(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, columns, rows)


def _ndjson(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps({name: plain(row[name]) for name in columns}, ensure_ascii=False) + "\n")


def _parquet(path: Path, columns: Sequence[str], rows: Rows) -> None:
    schema = _schema(columns)
    with pq.ParquetWriter(path, schema) as writer:
        for table in _tables(schema, rows):
            writer.write_table(table)


def _arrow(path: Path, columns: Sequence[str], rows: Rows) -> None:
    schema = _schema(columns)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for table in _tables(schema, rows):
            writer.write_table(table)


def _schema(columns: Sequence[str]) -> Any:
    types = {name: pa.int64() for name in _NUMBERS} | {"duplicate": pa.bool_()}
    return pa.schema([(name, types.get(name, pa.string())) for name in columns])


def _tables(schema: Any, rows: Rows) -> Iterator[Any]:
    """Give rows as tables of Arrow, some rows at a time."""
    coming = iter(rows)
    while some := list(islice(coming, _ROWS_AT_ONCE)):
        yield pa.Table.from_pylist(some, schema)


_WRITERS: Final[dict[str, Callable[[Path, Sequence[str], Rows], None]]] = {
    ".csv": _csv,
    ".ndjson": _ndjson,
    ".parquet": _parquet,
    ".arrow": _arrow,
}
