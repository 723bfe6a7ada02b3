"""The claims to make a report for a period, and what became of them, as recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ledger.store.query import rows
from ledger.store.read import Connection

MADE: Final = "made"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True)
class Claim:
    """That somebody makes a report for a period, from a state of the ledger; instants are UTC."""

    report: str
    period: str
    """As `report run --period` takes it."""
    today: date
    """The day that the pages are stamped with."""
    leaves: int
    """Of the checkpoint as of which it is made."""
    definition: str
    """SHA-256 of the report's folder and settings, hex."""
    attempt: int
    holder: str
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a claim."""

    outcome: str
    """`MADE` or `FAILED`."""
    milliseconds: int
    sha256: str | None = None
    """Of the list of its files, if it was made."""
    reason: str | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a report stands for a period: its last claim, and what became of that."""

    claim: Claim
    run: Run | None = None
    ended_at: datetime | None = None

    @property
    def is_made(self) -> bool:
        """Whether the report is there."""
        return self.run is not None and self.run.outcome == MADE


_QUERY: Final = """
    SELECT c.report, c.period, c.today, c.leaves, c.definition, c.attempt, c.holder, c.lease_until,
        r.outcome, r.milliseconds, r.sha256, r.reason, b.recorded_at
    FROM (
        SELECT * FROM claim_row WHERE report = coalesce($report, report) AND period = coalesce($period, period)
        QUALIFY row_number() OVER (PARTITION BY report, period ORDER BY leaf DESC) = 1
    ) AS c
    LEFT JOIN run_row AS r ON r.report = c.report AND r.period = c.period AND r.attempt = c.attempt
    LEFT JOIN batch AS b ON b.batch = r.batch
"""


def standings(
    connection: Connection, report: str | None = None, period: str | None = None
) -> Mapping[tuple[str, str], Standing]:
    """Give how each report stands for each period that was ever claimed, by report and period."""
    found = rows(connection, _QUERY, {"report": report, "period": period})
    return {(row[0], row[1]): _standing(row) for row in found}


def founded_at(connection: Connection) -> datetime:
    """Give the instant at which the ledger was made, UTC."""
    ((instant,),) = rows(connection, "SELECT min(recorded_at) FROM batch")
    assert isinstance(instant, datetime)  # noqa: S101 -- a ledger has a first batch
    return instant


def _standing(row: tuple[object, ...]) -> Standing:
    claim = Claim(*row[:8])  # type: ignore[arg-type]
    run = None if row[8] is None else Run(*row[8:12])  # type: ignore[arg-type]
    return Standing(claim, run, row[12])  # type: ignore[arg-type]
