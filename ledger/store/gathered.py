"""What the batches of a transaction append, gathered: few rows are inserted with those of other batches, at its end.

A statement takes DuckDB about a hundred times as long as a row more in it, and a batch of one decision is a row or two
in each of six tables.
"""

from collections.abc import Mapping
from typing import Any

import duckdb

from ledger.store.head import Move, moved
from ledger.store.insert import insert_before, insert_rows


class Gathered:
    """Rows by table, and the move of the head, that are not in the file yet."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Mapping[str, Any]]] = {}
        self._move: Move | None = None
        self.recorded: set[int] = set()
        """Hashes of the references of the entries that were let wait in this transaction."""
        self.unknown: set[int] = set()
        """Hashes of references that no entry had when they were asked for, and since then only `recorded` ones."""

    def add(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Let rows wait, given by column; all of a table have the same columns."""
        if rows:
            self._rows.setdefault(table, []).extend(rows)
        if table == "entry":
            self.recorded.update(row["reference_hash"] for row in rows)

    def move(self, move: Move) -> None:
        """Let the head wait for a move. Raises QuotaledgerError if it does not go on where the one before ended."""
        self._move = self._move.then(move) if self._move else move

    def insert(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Insert what waits, and move the head. Raises duckdb.Error, or QuotaledgerError if the ledger has moved."""
        rows, move = self._rows, self._move
        self._rows, self._move = {}, None
        if not move:  # a batch is not closed yet
            for table, waiting in rows.items():
                insert_rows(connection, table, *waiting)
        elif insert_before(connection, rows, *move.sql()) != 1:
            raise moved()

    def forget(self) -> None:
        """Forget what waits, and what is known of references: the transaction has ended."""
        self._rows, self._move, self.recorded, self.unknown = {}, None, set(), set()
