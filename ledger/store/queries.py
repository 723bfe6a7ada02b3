"""The log of queries in the operational store: who asked what, and what it took."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from ledger.store.instants import instant_of, text_of
from ledger.store.ops import Ops, damaged

KEPT: Final = 50_000
"""So many queries are kept, the newest."""
TEXT_KEPT: Final = 2_000
"""So many characters of each: the keys are on the same disk. Of what is longer, length and SHA-256 are kept as well."""
_COLUMNS: Final = "id, key, provider, asked_at, query, outcome, rows, bytes, seconds, sequence"


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """A query that was asked. Instants are UTC."""

    id: str
    key: str
    provider: str
    asked_at: datetime
    query: str
    outcome: str
    """answered, refused, stopped or unavailable"""
    rows: int | None
    bytes: int | None
    seconds: float
    sequence: int | None
    """The last record of the copy that was asked."""


def add_query(ops: Ops, asked: AskedQuery) -> None:
    """Keep a query; the oldest are forgotten."""
    values = [asked.id, asked.key, asked.provider, text_of(asked.asked_at), _kept(asked.query), asked.outcome]
    values += [asked.rows, asked.bytes, asked.seconds, asked.sequence]  # type: ignore[list-item]
    ops.write(f"INSERT INTO query ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    ops.write("DELETE FROM query WHERE number <= (SELECT max(number) FROM query) - ?", [KEPT])


def _kept(text: str) -> str:
    if len(text) <= TEXT_KEPT:
        return text
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:TEXT_KEPT]} … [{len(text):,} characters, SHA-256 {digest}]"


def newest_queries(ops: Ops, limit: int) -> list[AskedQuery]:
    """Give the newest queries, the newest first."""
    rows = ops.rows(f"SELECT {_COLUMNS} FROM query ORDER BY number DESC LIMIT ?", [limit])
    try:
        return [_asked(*row) for row in rows]
    except (ValueError, TypeError):
        raise damaged(ops.path) from None


def _asked(name: str, key: str, provider: str, asked_at: str, *rest: Any) -> AskedQuery:
    return AskedQuery(name, key, provider, instant_of(asked_at), *rest)
