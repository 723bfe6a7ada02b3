"""The leaves of the log written again from the rows that they stand for: to hash them, and to export them.

Apart from `leaves`, which writes those of new decisions from columns: here SQL writes decisions from the table, a few
thousand at a time, and Python the few leaves of other kinds, as the one writer of leaves does.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

import duckdb

from ledger.store.arrow import BLANKABLE, DAYS, TEXTS
from ledger.store.leaves import field_sql, leaf_sql
from ledger.store.log import fields_of
from ledger.store.query import first
from ledger.store.read import REFERENCE_HASH
from ledger.tlog.leaf import COUNTS, FIELDS, INSTANT, LEAF_PREFIX, leaf_bytes

_AT_ONCE: Final = 8_192
"""So few leaves at a time that each lot is written where the one before it was."""
_OMITTED: Final = sorted((BLANKABLE | COUNTS) - {"remaining_tpp", "limit_tpp", "limit_id", "basis", "account"})
"""The columns of decisions that are often blank, or 0, in a whole span."""
_OF_BATCH: Final = ("batch", "recorded_at", "rulebook_digest")
"""The fields of a decision's leaf that are those of its batch."""
_BATCHES: Final = f"""
    SELECT batch, concat('"batch":', batch) AS said_batch,
        concat(',"recorded_at":"', strftime(recorded_at, '{INSTANT}'), '"') AS said_recorded_at,
        concat(',"rulebook_digest":', to_json(rulebook_digest)) AS said_rulebook_digest
    FROM batch
"""


def stored_decisions(connection: duckdb.DuckDBPyConnection, start: int, end: int) -> Iterator[Any]:
    """Give the decisions whose leaves are from `start` to before `end`, in any order, as record batches of Arrow.

    Columns: `leaf`, `sequence`, `provider`, `written` (the bytes that are hashed, as text; NULL or wrong where the leaf
    or the batch is not there), and `lost`, whether the record would not be found by its reference.
    """
    within = f"e.leaf >= {start:d} AND e.leaf < {end:d}"
    query = f"""
        SELECT e.leaf, e.sequence, e.provider, {_written_sql(_blank(connection, within))} AS written,
            e.reference_hash IS DISTINCT FROM e.again AS lost
        FROM (SELECT *, {REFERENCE_HASH} AS again FROM entry) AS e
        LEFT JOIN (FROM leaf WHERE leaf >= {start:d} AND leaf < {end:d}) AS l ON l.leaf = e.leaf
        LEFT JOIN ({_BATCHES}) AS b ON b.batch = e.batch WHERE {within}
    """
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


def _written_sql(blank: Collection[str]) -> str:
    """Give the SQL of the bytes that are hashed for a decision; columns that are `blank` throughout go unread."""
    written = {name: f"b.said_{name}" for name in _OF_BATCH}
    written["salt"] = f"concat({field_sql('salt', 'lower(hex(l.salt))', quoted=True)})"
    written |= {name: _field(name) for name in FIELDS["decision"] if name not in written and name not in blank}
    return leaf_sql(written)


def _field(name: str) -> str:
    """Give the SQL of one field of a decision; texts may have escapes."""
    is_text = name in TEXTS
    value = f"to_json(e.{name})" if is_text else f"e.{name}"
    sql = f"concat({field_sql(name, value, quoted=not is_text and (name.endswith('tpp') or name in DAYS))})"
    if name in COUNTS or name in BLANKABLE:
        return f"CASE WHEN e.{name} {'<> 0' if name in COUNTS else 'IS NOT NULL'} THEN {sql} END"
    return sql


def _blank(connection: duckdb.DuckDBPyConnection, within: str) -> list[str]:
    """Give the columns that no decision of a span has: nothing is written for them, and they need not be read."""
    said = ", ".join(f"bool_or(e.{name} <> 0)" if name in COUNTS else f"count(e.{name}) > 0" for name in _OMITTED)
    found = first(connection, f"SELECT {said} FROM entry AS e WHERE {within}") or ()
    return [name for name, is_said in zip(_OMITTED, found, strict=True) if not is_said]
