"""Claiming a report for a period, and recording what became of it: so that each period has one report, and no more.

A claim is a record like any other, decided where all records are: whoever asks first has it, until its lease ends. What
is made is recorded only for the last claim. So of two schedulers, or of one that was thought dead, one report counts;
and because every later attempt is made from the state and with the day of the first, it is the same report.
"""

from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Final

from ledger.core.text import visible
from ledger.sequencer.desk import Desk
from ledger.store import append
from ledger.store.claims import FAILED, Claim, Run, Standing, standings

_REASON_MAX: Final = 1000
_DOUBLED_MAX: Final = 10


def may_claim(standing: Standing | None, now: datetime, pause: timedelta, longest: timedelta) -> bool:
    """Say if a report may be claimed for a period, by how it stands there.

    What failed is tried again after a pause that doubles with each attempt, up to the `longest`.
    """
    if standing is None:
        return True
    if standing.is_made:
        return False
    if standing.ended_at is None:
        return standing.claim.lease_until <= now
    return now - standing.ended_at >= min(_doubled(pause, standing.claim.attempt), longest)


def claim(
    desk: Desk,
    report: str,
    period: str,
    *,
    today: date,
    definition: str,
    holder: str,
    lease: timedelta,
    pause: timedelta = timedelta(0),
    longest: timedelta = timedelta(0),
) -> Claim | None:
    """Claim a report for a period, at the desk's instant; None if it is made, or another one's, or must still wait.

    The lease doubles with each attempt: what takes longer than one is not made over and over.
    """
    with desk.ledger.transaction():
        found = standings(desk.ledger.connection, report, period).get((report, period))
        if not may_claim(found, desk.now, pause, longest):
            return None
        until = desk.now + _doubled(lease, found.claim.attempt + 1 if found else 1)
        if found:
            attempt = found.claim.attempt + 1
            made = replace(found.claim, definition=definition, attempt=attempt, holder=holder, lease_until=until)
        else:
            made = Claim(report, period, today, desk.head().leaf, definition, 1, holder, until)
        append.append_rows(desk.ledger, desk.batch("report", 1), [append.LeafRow("claim", asdict(made))])
    desk.has_moved()
    return made


def record_run(desk: Desk, claim: Claim, run: Run) -> bool:
    """Record what became of a claim. False, and nothing is recorded, if it is not the last one for its period."""
    with desk.ledger.transaction():
        found = standings(desk.ledger.connection, claim.report, claim.period).get((claim.report, claim.period))
        if found is None or found.run is not None or found.claim != claim:
            return False
        values = {"report": claim.report, "period": claim.period, "attempt": claim.attempt} | asdict(run)
        values["reason"] = visible(run.reason)[:_REASON_MAX] if run.reason and run.outcome == FAILED else None
        append.append_rows(desk.ledger, desk.batch("report", 1), [append.LeafRow("run", values)])
    desk.has_moved()
    return True


def _doubled(first: timedelta, attempt: int) -> timedelta:
    return first * int(2 ** min(attempt - 1, _DOUBLED_MAX))
