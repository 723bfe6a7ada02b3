"""The leaves of the log written again from the rows that they stand for: to hash them, and to export them.

Apart from `leaves`, which writes those of new decisions from columns: here SQL writes decisions from the table, a few
thousand at a time, and Python the few leaves of other kinds, as the one writer of leaves does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from ledger.store.arrow import BLANKABLE, DAYS, TEXTS
from ledger.store.leaves import field_sql, leaf_sql, literal
from ledger.store.log import fields_of
from ledger.store.query import lent, rows
from ledger.tlog.leaf import COUNTS, FIELDS, INSTANT, LEAF_PREFIX, leaf_bytes

_AT_ONCE: Final = 2_048
"""So few leaves at a time that each lot is written where the one before it was."""
_OF_BATCH: Final = ("batch", "recorded_at", "rulebook_digest")
"""The fields of a decision's leaf that are those of its batch."""
_OF_ENTRY: Final = tuple(name for name in FIELDS["decision"] if name not in (*_OF_BATCH, "salt"))
_BATCHES: Final = f"""
    SELECT batch, concat('"batch":', batch) AS said_batch,
        concat(',"recorded_at":"', strftime(recorded_at, '{INSTANT}'), '"') AS said_recorded_at,
        concat(',"rulebook_digest":', to_json(rulebook_digest)) AS said_rulebook_digest
    FROM batch
"""


@dataclass(frozen=True, slots=True)
class _Survey:
    """What is to be known of some decisions to write their leaves with as little as they need."""

    count: int
    said: Mapping[str, int]
    """How many of them say a field that may be left out."""
    batch: tuple[str, ...] | None
    """The fields `_OF_BATCH`, written, where one batch recorded them all."""


def stored_decisions(connection: duckdb.DuckDBPyConnection, start: int, end: int) -> Iterator[Any]:
    """Give the decisions whose leaves are from `start` to before `end`, in any order, as record batches of Arrow.

    Columns: `leaf`, `sequence`, `provider` and `written` (the bytes that are hashed, as text; wrong where the leaf or
    the batch is not there).
    """
    within = f"e.leaf >= {start:d} AND e.leaf < {end:d}"
    survey = _surveyed(connection, within)
    query = f"""
        SELECT e.leaf, e.sequence, e.provider, {_written_sql(survey)} AS written
        FROM entry AS e LEFT JOIN salts AS l ON l.leaf = e.leaf
        {"" if survey.batch else f"LEFT JOIN ({_BATCHES}) AS b ON b.batch = e.batch"} WHERE {within}
    """
    with lent(connection, "salts", _salts(connection, start, end)):
        yield from connection.sql(query).to_arrow_reader(_AT_ONCE)


def stored_leaves(
    connection: duckdb.DuckDBPyConnection, start: int, end: int
) -> dict[int, tuple[str, str | None, bytes]]:
    """Give the leaves from `start` to before `end` as their rows have them: kind, who filed it, the bytes hashed.

    Who filed it is None but for decisions and imports.
    """
    found: dict[int, tuple[str, str | None, bytes]] = {}
    for kind in FIELDS:
        if kind != "decision":
            for leaf, fields in fields_of(connection, kind, start, end):
                provider = fields.get("provider")
                who = provider if isinstance(provider, str) else None
                found[leaf] = kind, who, LEAF_PREFIX + leaf_bytes(kind, fields)
    for lot in stored_decisions(connection, start, end):
        columns = (lot.column(name).to_pylist() for name in ("leaf", "provider", "written"))
        found |= {leaf: ("decision", who, (text or "").encode()) for leaf, who, text in zip(*columns, strict=True)}
    return found


def _salts(connection: duckdb.DuckDBPyConnection, start: int, end: int) -> Any:
    """Give the salts of leaves in hex, by leaf: Python writes all of them at once, SQL one by one."""
    table = connection.sql(f"SELECT leaf, salt FROM leaf WHERE leaf >= {start:d} AND leaf < {end:d}").to_arrow_table()
    salts = table.column("salt").combine_chunks().cast(pa.large_binary())
    ends = 2 * np.frombuffer(salts.buffers()[1], np.int64)[salts.offset : salts.offset + len(salts) + 1]
    written = pa.py_buffer(memoryview(salts.buffers()[2] or b"").hex().encode())
    hexes = pa.Array.from_buffers(pa.large_string(), len(salts), [None, pa.py_buffer(ends), written])
    return pa.Table.from_arrays([table.column("leaf"), hexes], ["leaf", "salt"])


def _surveyed(connection: duckdb.DuckDBPyConnection, within: str) -> _Survey:
    """Go through decisions to see what their leaves have in common."""
    asked = {name: f"count_if({_is_said(name)})" for name in _OF_ENTRY if name in COUNTS | BLANKABLE}
    query = f"SELECT count(*), min(e.batch), max(e.batch), {', '.join(asked.values())} FROM entry AS e WHERE {within}"
    ((count, first, last, *found),) = rows(connection, query)
    batches = rows(connection, f"SELECT * EXCLUDE batch FROM ({_BATCHES}) WHERE batch = ?", [first])
    is_one = first == last and len(batches) == 1
    return _Survey(count, dict(zip(asked, found, strict=True)), batches[0] if is_one else None)


def _is_said(name: str) -> str:
    """Give the SQL that says if a decision has a field in its leaf."""
    return f"e.{name} {'<> 0' if name in COUNTS else 'IS NOT NULL'}"


def _written_sql(survey: _Survey) -> str:
    """Give the SQL of the bytes that are hashed for a decision; columns that no decision says go unread."""
    of_batch = map(literal, survey.batch) if survey.batch else [f"b.said_{name}" for name in _OF_BATCH]
    written = dict(zip(_OF_BATCH, of_batch, strict=True))
    written["salt"] = field_sql("salt", "l.salt", quoted=True)
    written |= {name: _field(name, survey) for name in _OF_ENTRY if survey.said.get(name, survey.count)}
    return leaf_sql(written)


def _field(name: str, survey: _Survey) -> str:
    """Give the SQL of one field of a decision; texts may have escapes."""
    is_text = name in TEXTS
    value = f"to_json(e.{name})" if is_text else f"e.{name}"
    sql = field_sql(name, value, quoted=not is_text and (name.endswith("tpp") or name in DAYS))
    if survey.said.get(name, survey.count) == survey.count:  # to ask of each takes longer than to write it
        return sql
    return f"CASE WHEN {_is_said(name)} THEN concat({sql}) END"
