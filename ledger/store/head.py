"""The head: where the ledger stands, in one row, which moves in the transaction that appends."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from ledger.core.errors import QuotaledgerError
from ledger.store.insert import insert_sql
from ledger.store.query import first


@dataclass(frozen=True, slots=True)
class Head:
    """Where the ledger stands: the last record's sequence, the number of leaves, the last batch, the log's peaks."""

    sequence: int
    leaf: int
    batch: int
    peaks: bytes = b""


@dataclass(frozen=True, slots=True)
class Move:
    """What a batch, or several, one upon the other, make of the head; `latest` is the latest date of their records."""

    at: Head
    to: Head
    latest: date | None

    def then(self, following: "Move") -> "Move":
        """Give this move and the next as one. Raises QuotaledgerError if that was decided somewhere else."""
        if following.at != self.to:
            raise moved()
        days = [day for day in (self.latest, following.latest) if day]
        return Move(self.at, following.to, max(days, default=None))

    def sql(self) -> tuple[str, list[Any]]:
        """Give the statement that moves the head, with its values: no row is changed if the ledger stands elsewhere."""
        at, to = self.at, self.to
        columns = {
            "sequence": to.sequence,
            "leaf": to.leaf,
            "batch": to.batch,
            "peaks": to.peaks,
            "latest_date": self.latest,
        }
        values = list(columns.values())
        if not at.batch:
            return insert_sql("head", [columns]), values
        query = """
            UPDATE head SET sequence = ?, leaf = ?, batch = ?, peaks = ?, latest_date = greatest(latest_date, ?)
            WHERE sequence = ? AND leaf = ? AND batch = ?
        """
        return query, [*values, at.sequence, at.leaf, at.batch]


def head(connection: duckdb.DuckDBPyConnection) -> Head:
    """Give where the ledger stands."""
    row = first(connection, "SELECT sequence, leaf, batch, peaks FROM head")
    return Head(*row) if row else Head(0, 0, 0)


def moved() -> QuotaledgerError:
    """Give what is raised where the ledger does not stand where whoever decided believed."""
    return QuotaledgerError("the ledger has moved since this was decided; nothing was recorded, try again")
