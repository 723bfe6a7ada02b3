"""The hashes of many decisions' leaves: SQL writes their bytes, as `tlog.leaf_bytes` would, without an object a field.

DuckDB writes texts many times faster than Python does; Python's SHA-256 is several times faster than DuckDB's.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from ledger.core.columns import Column, Numbers
from ledger.store.arrow import BLANKABLE, dictionary, entry_array, entry_value
from ledger.tlog.leaf import COUNTS, FIELDS, SALT_BYTES, Value, encode, first_line, leaf_bytes, leaf_hash

_AT_ONCE: Final = 50_000
"""Leaves are large; so many at a time bound the memory that a large import takes."""
_FEW: Final = 64
_ALWAYS: Final = "batch"
_ESCAPED: Final = re.compile(r'["\\\x00-\x1f]')
"""What JSON does not have as it is."""

Columns = Mapping[str, Column | Numbers]


def decision_hashes(columns: Columns, constants: Mapping[str, Value], salts: bytes) -> bytes:
    """Give the leaf hashes of decisions, 32 bytes each, one after another.

    `columns` are those of `entry`, `constants` the fields that all have alike; `salts` has 16 bytes for each.
    """
    if len(columns["sequence"]) <= _FEW:
        return b"".join(leaf_hash(leaf_bytes("decision", fields)) for fields in _fields(columns, constants, salts))
    return b"".join(_hashes(columns, constants, salts))


def _fields(columns: Columns, constants: Mapping[str, Value], salts: bytes) -> Iterator[dict[str, Value]]:
    """Give the fields of each leaf."""
    names = [name for name in FIELDS["decision"] if name in columns]
    for row in range(len(columns["sequence"])):
        salt = salts[SALT_BYTES * row : SALT_BYTES * (row + 1)].hex()
        yield {name: _value(name, columns[name], row) for name in names} | {**constants, "salt": salt}


def _value(name: str, column: Column | Numbers, row: int) -> Value:
    value = _text(entry_value(name, column, row))
    return str(value) if isinstance(value, int) and name.endswith("tpp") else value


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _hashes(columns: Columns, constants: Mapping[str, Value], salts: bytes) -> Iterator[bytes]:
    """Write the bytes some leaves at a time, and hash each where it lies."""
    rows = len(columns["sequence"])
    salt = pa.FixedSizeBinaryArray.from_buffers(pa.binary(SALT_BYTES), rows, [None, pa.py_buffer(salts)])
    arrays: dict[str, Any] = {"salt": salt.cast(pa.binary())}
    written = {"salt": field_sql("salt", "lower(hex(salt))", quoted=True)}
    written |= {name: literal(_said(name, value)) for name, value in constants.items()}
    for name in (name for name in FIELDS["decision"] if name in columns):
        column = columns[name]
        if isinstance(column, Column):
            column, written[name] = _text_sql(name, column)
            arrays[name] = dictionary(column)
        elif name not in COUNTS or column.any():
            arrays[name], written[name] = entry_array(name, column), _number_sql(name)
    table = pa.table(arrays)
    query = f"SELECT {leaf_sql(written)} AS leaf FROM given"
    with duckdb.connect(":memory:") as connection:
        for start in range(0, rows, _AT_ONCE):
            connection.register("given", table.slice(start, _AT_ONCE))
            leaves = connection.sql(query).to_arrow_table().column("leaf")
            yield from map(hashed, leaves.chunks)


def _text_sql(name: str, column: Column) -> tuple[Column, str]:
    """Give the SQL of a field that is a text, and the column that it needs."""
    texts = [_text(value) for value in column.values]
    known = [text for text in texts if text is not None]
    if len(known) > _FEW and len(known) == len(texts) and not _ESCAPED.search("".join(known)):
        return column, field_sql(name, name, quoted=True)
    said = [_said(name, text) for text in texts]
    return column.mapped(said), literal(said[0]) if len(said) == 1 else name


def _number_sql(name: str) -> str:
    """Give the SQL of a field that is a number: it comes out as nothing where blank, or a count of 0."""
    sql = field_sql(name, name, quoted=name.endswith("tpp"))
    if name in COUNTS or name in BLANKABLE:
        return f"CASE WHEN {name} {'<> 0' if name in COUNTS else 'IS NOT NULL'} THEN concat({sql}) END"
    return sql


def _said(name: str, value: Value) -> str:
    """Write a field with its comma, or nothing where it is blank."""
    before, after = _around(name)
    return "" if value is None else f"{before}{encode(value)}{after}"


def field_sql(name: str, value: str, *, quoted: bool) -> str:
    """Give what SQL is to write after one another; `value` is the SQL of a text or number without escapes."""
    before, after = _around(name)
    quote = '"' if quoted else ""
    return ", ".join((literal(before + quote), value, *([literal(quote + after)] if quote + after else [])))


def _around(name: str) -> tuple[str, str]:
    """Give what stands around a field's value: its commas lie towards `batch`, a field that every leaf has."""
    return f'{"," if name > _ALWAYS else ""}"{name}":', "," if name < _ALWAYS else ""


def leaf_sql(written: Mapping[str, str]) -> str:
    """Give the SQL of a leaf behind the zero byte that is hashed with it; `written` has the SQL of each field."""
    parts = ["chr(0)", literal(first_line("decision") + "{"), *(written[name] for name in sorted(written))]
    return f"concat({', '.join([*parts, literal('}')])})"


def literal(text: str) -> str:
    """Give the SQL of a text."""
    return "'" + text.replace("'", "''") + "'"


def hashed(leaves: Any) -> bytes:
    """Give the SHA-256 of each of some texts, one after another."""
    leaves = leaves.cast(pa.large_binary())
    ends = np.frombuffer(leaves.buffers()[1], np.int64)[leaves.offset : leaves.offset + len(leaves) + 1].tolist()
    written = memoryview(leaves.buffers()[2])
    begun, found = sha256(), []
    for start, end in pairwise(ends):
        leaf = begun.copy()  # quicker than to begin anew
        leaf.update(written[start:end])
        found.append(leaf.digest())
    return b"".join(found)
