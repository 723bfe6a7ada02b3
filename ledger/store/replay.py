"""Recorded records in the order of the ledger, as columns to be decided again, and the moments when rules changed."""

from typing import Any, Final

import pyarrow as pa

from ledger.core.columns import ABSENT, Column, Numbers
from ledger.core.errors import VerificationFailed
from ledger.store.arrow import BLANKABLE, DAYS, TEXTS
from ledger.store.arrow import numbers as numbers_of
from ledger.store.blame import KEEP
from ledger.store.query import first, rows
from ledger.store.read import Connection
from schemas.tables import Entry

_UNREAD: Final = ("leaf", "batch", "file_number", "row", "provider", "reference_hash")
COLUMNS: Final = tuple(name for name in Entry.model_fields if name not in _UNREAD)
"""The columns of `entry` that are the record as given, or follow from it."""

_NAMES: Final = """
    SELECT e.sequence, e.under FROM entry AS e LEFT JOIN entry AS n ON n.sequence = e.under_sequence
    WHERE (e.under IS NOT NULL OR e.under_sequence IS NOT NULL) AND (n.sequence IS NULL OR n.provider <> e.provider
        OR n.reference IS DISTINCT FROM e.under OR n.sequence >= e.sequence)
    ORDER BY e.sequence LIMIT 1
"""
_TWICE: Final = """
    WITH often AS (SELECT reference_hash FROM entry GROUP BY reference_hash HAVING count(*) > 1)
    SELECT min(sequence), max(sequence) FROM entry WHERE reference_hash IN (FROM often)
    GROUP BY provider, reference HAVING count(*) > 1 ORDER BY max(sequence) LIMIT 1
"""


def check_names(connection: Connection) -> None:
    """See that each record names the right one before it, and that no reference is there twice.

    Raises VerificationFailed for the first record where that is not so.
    """
    if found := first(connection, _NAMES):
        raise VerificationFailed(
            f"record {found[0]:,} is recorded as drawing on another record than the one that it names, {found[1]};"
            f" {KEEP}"
        )
    if found := first(connection, _TWICE):
        raise VerificationFailed(
            f"record {found[1]:,} has the provider and reference of record {found[0]:,}, which are recorded only once;"
            f" {KEEP}"
        )


def segments(connection: Connection) -> list[tuple[int, int, int]]:
    """Give the runs of records between which a register or the rulebook changed.

    Of each, its first and last sequence, and the leaf before which everything is what its decisions knew.
    """
    return rows(
        connection,
        """
        SELECT last_sequence + 1 AS first, lead(last_sequence, 1, (SELECT max(last_sequence) FROM batch)) OVER in_order
            AS last, last_leaf + 1 FROM batch WHERE kind IN ('register', 'rulebook')
        WINDOW in_order AS (ORDER BY batch) QUALIFY last >= first ORDER BY first
        """,
    )


def recorded(connection: Connection, start: int, end: int) -> dict[str, Column | Numbers]:
    """Give `COLUMNS` of the records from a sequence to before another; numbers are `ABSENT` where blank."""
    query = f"SELECT {', '.join(map(_asked, COLUMNS))} FROM entry WHERE sequence >= {start:d} AND sequence < {end:d}"
    table = connection.sql(query).to_arrow_table().combine_chunks()
    if not _ascends(table.column("sequence")):
        table = table.sort_by("sequence")
    return {name: _column(name, table.column(name)) for name in COLUMNS}


def _asked(name: str) -> str:
    """Give the SQL of a column: that of numbers has no blanks."""
    return f"coalesce({name}, {ABSENT:d}) AS {name}" if name in BLANKABLE and not _has_values(name) else name


def _has_values(name: str) -> bool:
    """Say if a column is of texts or days, of which each is kept once."""
    return name in TEXTS or name in DAYS


def _ascends(numbers: Any) -> bool:
    array = numbers_of(numbers)
    return bool((array[1:] > array[:-1]).all())


def _column(name: str, chunks: Any) -> Column | Numbers:
    array = chunks.combine_chunks() if isinstance(chunks, pa.ChunkedArray) else chunks
    if not _has_values(name):
        return numbers_of(array)
    if array.null_count == len(array):
        return Column.blank(len(array))
    if name == "reference":
        return Column.of_texts(array.to_pylist())
    coded = array.dictionary_encode(null_encoding="encode")
    return Column(coded.dictionary.to_pylist(), numbers_of(coded.indices).astype("int64"))
