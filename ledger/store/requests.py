"""The requests to the import API that batches answer, found again, and the decisions that answer them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.store.query import first, rows
from ledger.store.read import Connection

_COUNTS: Final = ("records", "admitted", "refused", "breached", "rejected", "duplicates")
_COLUMNS: Final = ("request", "idempotency_key", "sha256", "unrecorded", "batch", "provider", "recorded_at", *_COUNTS)
_QUERY: Final = f"SELECT {', '.join(_COLUMNS)} FROM request_row JOIN batch USING (batch, provider)"
_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that a batch answers."""

    request: str
    idempotency_key: str | None
    sha256: str
    batch: int
    provider: str
    recorded_at: datetime
    counts: Mapping[str, int]
    """How many rows the batch has, and what became of them."""
    unrecorded: Sequence[Mapping[str, Any]]
    """The rows that were not recorded: `row`, and the `sequence` that it repeats or `field`, `code`, `message`."""


def answered(connection: Connection, request: str) -> Answered | None:
    """Give a request by its id, None if no batch answers it."""
    return _answered(first(connection, f"{_QUERY} WHERE request = ?", [request]))


def answered_key(connection: Connection, provider: str, idempotency_key: str) -> Answered | None:
    """Give a provider's request by its idempotency key, None if no batch answers it."""
    query = f"{_QUERY} WHERE idempotency_key = ? AND provider = ?"
    return _answered(first(connection, query, [idempotency_key, provider]))


def answered_keys(connection: Connection) -> Iterator[tuple[str, str]]:
    """Give provider and idempotency key of every request that has one."""
    found = connection.sql("SELECT provider, idempotency_key FROM request_row WHERE idempotency_key IS NOT NULL")
    for some in found.to_arrow_reader(_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in some.columns), strict=True)


def decisions(
    connection: Connection, batch: int, names: Sequence[str], after_row: int, limit: int
) -> list[dict[str, Any]]:
    """Give `row` and columns of the view `decisions` of what a batch recorded, in order of rows, from behind a row."""
    query = f"""
        SELECT e.row, {", ".join(f"d.{name}" for name in names)}
        FROM (SELECT sequence, row FROM entry WHERE batch = ? AND row > ? ORDER BY row LIMIT ?) AS e
        JOIN decisions AS d USING (sequence) ORDER BY e.row
    """
    found = rows(connection, query, [batch, after_row, limit])
    return [dict(zip(("row", *names), row, strict=True)) for row in found]


def _answered(row: tuple[Any, ...] | None) -> Answered | None:
    if row is None:
        return None
    found = dict(zip(_COLUMNS, row, strict=True))
    counts = {name: found.pop(name) for name in _COUNTS}
    return Answered(**found | {"counts": counts, "unrecorded": json.loads(found["unrecorded"] or "[]")})
