"""Parquet and Arrow files as sheets, some rows at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.core.columns import Column, concatenate, distinct
from ledger.core.text import shown
from ledger.store.arrow_messages import check_plain, limited
from ledger.store.sheet import Content, FileFault, Sheet, check_names, nested_column

ARROW_FILE: Final = b"ARROW1"
_SAMPLE: Final = 1000
_READ_AT_ONCE: Final = 65_536
"""Rows that are read of a Parquet file at a time."""
_FEW: Final = 1_024
"""So many, where each text may repeat the one before it and so be much longer than what is in the file."""


def arrow_parts(kind: str, file: Content, rows: int, rows_max: int | None = None) -> Iterator[Sheet]:
    """Read a `parquet` or `arrow` file, so many rows at a time, at least one part.

    One that is not one's own, which has `rows_max`, may be made to become much larger in memory than it is.
    Raises FileFault if it is no such file, at the part in which that shows.
    """
    file.seek(0)
    with _readable("Parquet" if kind == "parquet" else "Arrow"):
        schema, batches = _parquet(file, rows_max is None) if kind == "parquet" else _arrow(file, rows_max)
        check_names(schema.names)
        for table in _gathered(schema, batches, rows):
            # Arrow trusts what a file says of itself; without this, one made by hand could crash the process.
            table.validate(full=True)
            yield Sheet("", "", table.num_rows, dict(_columns(table)))


def parquet_rows(file: Content) -> int:
    """Give how many rows a Parquet file says that it has. Raises FileFault if it is none."""
    file.seek(0)
    with _readable("Parquet"):
        return int(pq.ParquetFile(file).metadata.num_rows)


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Turn what a library raises into a fault of the file."""
    try:
        yield
    except (FileFault, MemoryError):  # too little memory is no fault of the file
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise FileFault("malformed", f"the file is not whole or not {what}: {reason}") from None


def _parquet(file: Content, is_own: bool) -> tuple[Any, Iterator[Any]]:
    """Give the schema of a Parquet file, and its rows some at a time."""
    if is_own:
        read = pq.ParquetFile(file)
        return read.schema_arrow, read.iter_batches(_READ_AT_ONCE)
    metadata = pq.read_metadata(file)
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    # As a dictionary, which takes longer, a text that a few bytes repeat in a million rows stays one text.
    texts = {chunk.path_in_schema for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"}
    grows = any("DELTA_BYTE_ARRAY" in chunk.encodings for chunk in chunks)
    file.seek(0)
    read = pq.ParquetFile(file, read_dictionary=sorted(texts))
    return read.schema_arrow, read.iter_batches(_FEW if grows else _READ_AT_ONCE)


def _arrow(file: Content, rows_max: int | None) -> tuple[Any, Iterator[Any]]:
    """Give the schema of an Arrow file or stream, and its rows as they were written."""
    if rows_max is not None:
        check_plain(file)
        file.seek(0)
        stream = pa.ipc.open_stream(file)
        return stream.schema, limited(stream, rows_max)
    if file.read(len(ARROW_FILE)) == ARROW_FILE:
        whole = pa.ipc.open_file(file)
        return whole.schema, map(whole.get_batch, range(whole.num_record_batches))
    file.seek(0)
    stream = pa.ipc.open_stream(file)
    return stream.schema, iter(stream)


def _gathered(schema: Any, batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """Give tables of so many rows, the last one of fewer; one at least."""
    waiting: list[Any] = []
    count, given = 0, False
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= rows:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, rows)
            given, count = True, count - rows
            waiting = table.slice(rows).to_batches()
    if count or not given:
        yield pa.Table.from_batches(waiting, schema)


def _columns(table: Any) -> Iterator[tuple[str, Column]]:
    for name in table.column_names:
        try:
            yield name, _column(table[name])
        except (ValueError, OverflowError, LookupError) as error:
            # A day after the year 9999, a time zone that is not there.
            reason = str(error).splitlines()[0]
            message = f"the column {shown(name)} has a {table[name].type} that cannot be read: {reason}"
            raise FileFault("malformed", message, name) from None


def _column(chunks: Any) -> Column:
    if pa.types.is_timestamp(chunks.type) and chunks.type.unit == "ns":
        # Nanoseconds have no Python value; a day's timestamp loses nothing as microseconds.
        chunks = chunks.cast(pa.timestamp("us", tz=chunks.type.tz), safe=False)
    if pa.types.is_null(chunks.type):
        return Column.blank(len(chunks))
    if pa.types.is_string(chunks.type) and _mostly_distinct(chunks):
        return Column.of_texts(chunks.to_pylist())
    try:
        encoded = chunks if pa.types.is_dictionary(chunks.type) else chunks.dictionary_encode()
        return concatenate([_of_dictionary(chunk) for chunk in encoded.chunks] or [Column([], np.zeros(0, np.int64))])
    except (pa.ArrowException, AttributeError):
        return nested_column(chunks.to_pylist())


def _of_dictionary(chunk: Any) -> Column:
    """Give a column of what a dictionary's rows have, without what else is in the dictionary."""
    blank = len(chunk.dictionary)
    # In 64 bits first: a full dictionary of 128 values has no 8-bit number left for a blank.
    used, codes = distinct(chunk.indices.cast(pa.int64()).fill_null(blank).to_numpy(zero_copy_only=False))
    values = chunk.dictionary.take(pa.array(used[used < blank])).to_pylist()
    return Column([*values, None] if blank in used[-1:] else values, codes)


def _mostly_distinct(chunks: Any) -> bool:
    """Say if most texts seem to differ, as references do: then Python finds equal ones quicker than Arrow."""
    first = chunks.slice(0, _SAMPLE)
    return len(first) == _SAMPLE and len(first.unique()) > _SAMPLE // 2
