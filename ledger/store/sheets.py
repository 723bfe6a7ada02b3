"""Reading input files: CSV, NDJSON, Parquet and Arrow, by content or suffix, into columns of given values.

Whatever is wrong with a file is a fault with a sentence, never an exception of a library.
"""

import codecs
import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from ledger.core.columns import Column
from ledger.core.form import RowFault
from ledger.core.text import did_you_mean, nearest, shown

_FORMATS: Final = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_ARROW_STREAM = b"\xff\xff\xff\xff"
WHOLE_FILE: Final = -1
"""The row of a fault that concerns the file as a whole."""

_UNKNOWN_SHOWN_MAX = 5
_DIGITS_MAX: Final = 20
_SAMPLE: Final = 1000
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


class FileFault(ValueError):
    """A file that cannot be read at all: a stable word, and one sentence."""

    def __init__(self, code: str, message: str, column: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.column = column


@dataclass(slots=True)
class Sheet:
    """One input file by column. `faults` has rows that could not be split into fields; they stay as blank rows."""

    file: str
    sha256: str
    rows: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    lines: Sequence[int] | None = None
    """Of each row, the row of the file, from 1, that it was made from, where an adapter made them."""


def read_sheet(file: str, content: bytes, known: Sequence[str] | None, always: Sequence[str]) -> Sheet:
    """Read a file. `known` are the columns it may have, any if None, `always` those it must have.

    A file that cannot be read has one fault, of the row `WHOLE_FILE`, and no rows.
    """
    # A file's name on disk is bytes; those that are no text cannot be recorded as they are.
    file = file.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    sheet = Sheet(file, sha256(content).hexdigest())
    try:
        kind = _format(file, content)
        if kind == "csv":
            _read_csv(sheet, _text(content))
        elif kind == "ndjson":
            _read_ndjson(sheet, _text(content))
        else:
            _read_arrow(sheet, kind, content)
        if sheet.columns or not sheet.faults:
            _check_columns(sheet.columns, known, always)
    except FileFault as fault:
        return Sheet(file, sheet.sha256, faults=[RowFault(WHOLE_FILE, fault.column, fault.code, str(fault))])
    return sheet


def _format(file: str, content: bytes) -> str:
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise FileFault("empty", "the file is empty; a file of records begins with a line of column names")
    if content.startswith(b"PAR1"):
        return "parquet"
    if content.startswith((b"ARROW1", _ARROW_STREAM)):
        return "arrow"
    suffix = file[file.rfind(".") :].lower() if "." in file else ""
    by_suffix = _FORMATS.get(suffix)
    if by_suffix:
        return by_suffix
    return "ndjson" if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"


def _text(content: bytes) -> str:
    if content.startswith(_UTF16_MARKS):
        raise FileFault("encoding", "the file is UTF-16; save it as UTF-8 (in a spreadsheet: CSV UTF-8)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[error.start]:02x}"
        raise FileFault(
            "encoding",
            f"the file is not UTF-8: line {line:,} has the byte {byte}; save it as UTF-8 (in a spreadsheet: CSV UTF-8)",
        ) from None


def _read_csv(sheet: Sheet, text: str) -> None:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[list[str]] = []
    begun = 1
    try:
        header = [name.strip() for name in next(line for line in reader if line)]
        _check_header(header)
        begun = reader.line_num + 1
        for line in reader:
            begun = reader.line_num + 1
            if not line:
                continue
            if len(line) != len(header):
                sheet.faults.append(_ragged(len(lines), len(line), len(header)))
                lines.append([""] * len(header))
            else:
                lines.append(line)
    except csv.Error as error:
        reason = str(error)
        if reason == "unexpected end of data" or reason.startswith("field larger"):
            reason = "a double quote that opens there is not closed, or a text is far too long"
        raise FileFault("malformed", f"line {begun:,} is not CSV: {reason}") from None
    sheet.rows = len(lines)
    by_column: Iterable[tuple[str, ...]] = zip(*lines, strict=True) if lines else [()] * len(header)
    sheet.columns = {name: Column.of(items) for name, items in zip(header, by_column, strict=True)}


def _ragged(row: int, found: int, expected: int) -> RowFault:
    hint = "; a text that has commas must stand in double quotes" if found > expected else ""
    return RowFault(
        row,
        "",
        "malformed",
        f"found {found:,} field{'' if found == 1 else 's'}, expected {expected:,} as in the line of column names{hint}",
    )


def _check_header(header: Sequence[str]) -> None:
    for separator, name in _SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            raise FileFault("malformed", f"the columns seem to be separated by {name}; save the file with commas")
    if "" in header:
        place = header.index("") + 1
        raise FileFault("malformed", f"column {place:,} has no name; give it one, or delete the column")
    _check_names(header)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no value of JSON; leave it out, or write null")


def _integer(text: str) -> int | str:
    """Give a whole number; one of more digits than any column takes stays a text, because Python limits them."""
    return int(text) if len(text) <= _DIGITS_MAX else text


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs. Raises ValueError where a key is there twice, which JSON does not forbid."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        name = key.strip()
        if name in found:
            raise ValueError(f"the key {shown(name)} is there twice")
        found[name] = value
    return found


def _parse_line(line: str) -> Any:
    """Give the value of a line of NDJSON. Raises ValueError with the reason for people."""
    try:
        return json.loads(line, parse_int=_integer, parse_constant=_no_constant, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos + 1:,}") from None


def _read_ndjson(sheet: Sheet, text: str) -> None:
    objects: list[dict[str, Any]] = []
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            value = _parse_line(line)
        except ValueError as error:
            sheet.faults.append(RowFault(len(objects), "", "malformed", f"the line is not JSON: {error}"))
            value = {}
        if not isinstance(value, dict):
            message = f"found {shown(line)}, expected one JSON object a line"
            sheet.faults.append(RowFault(len(objects), "", "malformed", message))
            value = {}
        objects.append(value)
    names = list(dict.fromkeys(name for value in objects for name in value))
    sheet.rows = len(objects)
    sheet.columns = {name: _column_of(value.get(name) for value in objects) for name in names}


def _column_of(items: Iterable[Any]) -> Column:
    """Make a column of values of any type; lists and objects, which are malformed anyway, become their text."""
    return Column.of(
        _Nested(json.dumps(item, default=str)) if isinstance(item, list | dict) else item for item in items
    )


class _Nested(tuple[str]):
    """A list or an object where a single value belongs: hashable, and no text, number or date."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        return super().__new__(cls, (text,))

    def __str__(self) -> str:
        return self[0]


def _read_arrow(sheet: Sheet, kind: str, content: bytes) -> None:
    source = pa.BufferReader(content)
    try:
        if kind == "parquet":
            table = pq.ParquetFile(source).read()
        elif content.startswith(b"ARROW1"):
            table = pyarrow.feather.read_table(source)
        else:
            table = pa.ipc.open_stream(source).read_all()
        # Arrow trusts what a file says of itself; without this, one made by hand could crash the process.
        table.validate(full=True)
        names = table.column_names
    except (pa.ArrowException, OSError, ValueError) as error:
        what = "Parquet" if kind == "parquet" else "Arrow"
        reason = str(error).splitlines()[0]
        raise FileFault("malformed", f"the file is not whole or not {what}: {reason}") from None
    _check_names(names)
    sheet.rows = table.num_rows
    sheet.columns = dict(_arrow_columns(table))


def _arrow_columns(table: Any) -> Iterator[tuple[str, Column]]:
    for name in table.column_names:
        try:
            yield name, _arrow_column(table[name])
        except (ValueError, OverflowError, LookupError) as error:
            # A day after the year 9999, a time zone that is not there.
            reason = str(error).splitlines()[0]
            message = f"the column {shown(name)} has a {table[name].type} that cannot be read: {reason}"
            raise FileFault("malformed", message, name) from None


def _arrow_column(chunks: Any) -> Column:
    if pa.types.is_timestamp(chunks.type) and chunks.type.unit == "ns":
        # Nanoseconds have no Python value; a day's timestamp loses nothing as microseconds.
        chunks = chunks.cast(pa.timestamp("us", tz=chunks.type.tz), safe=False)
    if pa.types.is_null(chunks.type):
        return Column.blank(len(chunks))
    if pa.types.is_string(chunks.type) and _mostly_distinct(chunks):
        return Column.of_texts(chunks.to_pylist())
    try:
        encoded = chunks if pa.types.is_dictionary(chunks.type) else chunks.dictionary_encode()
        encoded = encoded.unify_dictionaries().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], chunks.type).dictionary_encode()
    except (pa.ArrowException, AttributeError):
        return _column_of(chunks.to_pylist())
    values = [*encoded.dictionary.to_pylist(), None]
    codes = encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
    return Column(values, codes.astype(np.int64))


def _mostly_distinct(chunks: Any) -> bool:
    """Say if most texts seem to differ, as references do: then Python finds equal ones quicker than Arrow."""
    first = chunks.slice(0, _SAMPLE)
    return len(first) == _SAMPLE and len(first.unique()) > _SAMPLE // 2


def _check_names(names: Sequence[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise FileFault("malformed", f"the column {shown(twice[0])} is there twice", twice[0])


def _check_columns(columns: Iterable[str], known: Sequence[str] | None, always: Sequence[str]) -> None:
    unknown = [name for name in columns if known is not None and name not in known]
    if known is not None and unknown:
        names = ", ".join(
            shown(name) + did_you_mean(nearest(name, known)).replace(";", ",") for name in unknown[:_UNKNOWN_SHOWN_MAX]
        )
        more = f" and {len(unknown) - _UNKNOWN_SHOWN_MAX:,} more" if len(unknown) > _UNKNOWN_SHOWN_MAX else ""
        raise FileFault(
            "unknown-column",
            f"the file has the unknown column{'s' if len(unknown) > 1 else ''} {names}{more};"
            f" known are {', '.join(known)}",
            unknown[0],
        )
    missing = [name for name in always if name not in columns]
    if missing:
        raise FileFault("missing-column", f"the file lacks the column {shown(missing[0])}", missing[0])
