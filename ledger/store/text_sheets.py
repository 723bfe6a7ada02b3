"""Files of text as sheets, some rows at a time: CSV and NDJSON."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from itertools import islice
from typing import Any, Final

from ledger.core.columns import Column
from ledger.core.form import RowFault
from ledger.core.text import shown
from ledger.store.sheet import Content, FileFault, Sheet, check_names, nested_column

_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_COMPRESSED: Final = {b"\x1f\x8b": "gunzip -c", b"\x28\xb5\x2f\xfd": "zstdcat"}
"""How compressed files begin, and what makes them plain."""
_DIGITS_MAX: Final = 20
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


def text_parts(kind: str, file: Content, rows: int) -> Iterator[Sheet]:
    """Read a file of text, `csv` or `ndjson`, so many rows at a time, at least one part.

    Raises FileFault if it is no such file, at the part in which that shows.
    """
    file.seek(0)
    head = file.read(4)
    for begin, unpacked in _COMPRESSED.items():
        if head.startswith(begin):
            raise FileFault("encoding", f"the file is compressed; `{unpacked} FILE | quotaledger import -` reads it")
    if head[:2] in _UTF16_MARKS:
        raise FileFault("encoding", "the file is UTF-16; save it as UTF-8 (in a spreadsheet: CSV UTF-8)")
    file.seek(0)
    text = TextIOWrapper(file, "utf-8-sig", newline="" if kind == "csv" else "\n")
    try:
        yield from _PARTS[kind](text, rows)
    except UnicodeDecodeError:
        raise _not_utf8(file) from None
    finally:
        if not file.closed:  # as when a generator is ended by what has closed it
            text.detach()


def _not_utf8(file: Content) -> FileFault:
    """Look for the byte that is no UTF-8."""
    file.seek(0)
    for number, line in enumerate(file, 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"0x{line[error.start]:02x}"
            where = f"line {number:,} has the byte {byte}"
            break
    else:
        where = "it changed while it was read"
    return FileFault("encoding", f"the file is not UTF-8: {where}; save it as UTF-8 (in a spreadsheet: CSV UTF-8)")


def _csv_parts(text: TextIOWrapper, rows: int) -> Iterator[Sheet]:
    reader = csv.reader(text, strict=True)
    begun = 1
    try:
        header = [name.strip() for name in next(line for line in reader if line)]
        _check_header(header)
        first = True
        while True:
            begun = reader.line_num + 1
            lines = []
            for line in reader:
                begun = reader.line_num + 1
                if line:
                    lines.append(line)
                    if len(lines) == rows:
                        break
            if lines or first:
                yield _csv_part(header, lines)
            if len(lines) < rows:
                return
            first = False
    except csv.Error as error:
        reason = str(error)
        if reason == "unexpected end of data" or reason.startswith("field larger"):
            reason = "a double quote that opens there is not closed, or a text is far too long"
        raise FileFault("malformed", f"line {begun:,} is not CSV: {reason}") from None


def _csv_part(header: Sequence[str], lines: list[list[str]]) -> Sheet:
    """Give lines as a sheet; those of another number of fields are blank, and have that fault."""
    part = Sheet("", "", len(lines))
    width, blank = len(header), [""] * len(header)
    for row, line in enumerate(lines):
        if len(line) != width:
            part.faults.append(_ragged(row, len(line), width))
            lines[row] = blank
    by_column: Iterable[tuple[str, ...]] = zip(*lines, strict=True) if lines else [()] * width
    part.columns = {name: Column.of_texts(list(texts)) for name, texts in zip(header, by_column, strict=True)}
    return part


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
    check_names(header)


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


def _ndjson_parts(text: TextIOWrapper, rows: int) -> Iterator[Sheet]:
    lines = (line for line in text if line.strip())
    part = _ndjson_part(islice(lines, rows))
    yield part
    while part.rows == rows:
        part = _ndjson_part(islice(lines, rows))
        if part.rows:
            yield part


def _ndjson_part(lines: Iterable[str]) -> Sheet:
    """Give lines as a sheet; those that are no object are blank, and have that fault."""
    part = Sheet("", "")
    objects: list[dict[str, Any]] = []
    for line in lines:
        try:
            value = _parse_line(line.removesuffix("\n"))
        except ValueError as error:
            part.faults.append(RowFault(len(objects), "", "malformed", f"the line is not JSON: {error}"))
            value = {}
        if not isinstance(value, dict):
            message = f"found {shown(line.removesuffix(chr(10)))}, expected one JSON object a line"
            part.faults.append(RowFault(len(objects), "", "malformed", message))
            value = {}
        objects.append(value)
    names = list(dict.fromkeys(name for value in objects for name in value))
    part.rows = len(objects)
    part.columns = {name: nested_column(value.get(name) for value in objects) for name in names}
    return part


_PARTS: Final = {"csv": _csv_parts, "ndjson": _ndjson_parts}
