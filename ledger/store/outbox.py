"""The deliveries in the operational store: what goes to whom, how often that was tried, when it came there.

The delivery of a report is planned before its run is recorded, and due only when that is: a crash in between loses
none, and sends nothing that does not count. That of alerts is planned as they are raised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.store.instants import instant_of, text_of
from ledger.store.ops import Ops, damaged

_COLUMNS: Final = "id, report, period, bulletin, recipient, planned_at, attempts, next_at, delivered_at, error"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A report of a period, or a bulletin of alerts, that is to go to a recipient. Instants are UTC."""

    id: str
    """The same for every attempt."""
    report: str | None
    period: str | None
    bulletin: int | None
    """Of alerts, which have neither report nor period."""
    recipient: str
    """As it is written in `report.toml` or `schedule.toml`."""
    planned_at: datetime
    attempts: int
    next_at: datetime
    """From when on it may be tried."""
    delivered_at: datetime | None
    error: str | None
    """Why the last attempt came to nothing."""


def plan_report(ops: Ops, name: str, report: str, period: str, recipient: str, now: datetime) -> bool:
    """Plan the delivery of a report; False if one of that id is planned or done already."""
    return _plan(ops, name, [report, period, None], recipient, now)


def plan_bulletin(ops: Ops, name: str, bulletin: int, recipient: str, now: datetime) -> bool:
    """Plan the delivery of alerts; False if one of that id is planned or done already."""
    return _plan(ops, name, [None, None, bulletin], recipient, now)


def _plan(ops: Ops, name: str, what: list[str | int | None], recipient: str, now: datetime) -> bool:
    statement = f"INSERT INTO delivery ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 0, ?, NULL, NULL) ON CONFLICT DO NOTHING"
    return bool(ops.write(statement, [name, *what, recipient, text_of(now), text_of(now)]))


def due_deliveries(ops: Ops, now: datetime) -> list[Delivery]:
    """Give what is not delivered and may be tried now, the oldest first."""
    return _found(ops, "WHERE delivered_at IS NULL AND next_at <= ? ORDER BY planned_at, id", [text_of(now)])


def all_deliveries(ops: Ops) -> list[Delivery]:
    """Give every delivery, the oldest first."""
    return _found(ops, "ORDER BY planned_at, id", [])


def progress(deliveries: Sequence[Delivery]) -> str | None:
    """Say in words what came of deliveries, with the newest reason why one has not come there; None without any."""
    waiting = [one for one in deliveries if one.delivered_at is None]
    why = next((one.error for one in reversed(waiting) if one.error), None)
    done = f"{len(deliveries) - len(waiting)} of {len(deliveries)}"
    return (f"{done}: {why}" if why else done) if deliveries else None


def take(ops: Ops, delivery: Delivery, until: datetime) -> bool:
    """Keep others from trying a delivery until an instant; False if somebody was quicker."""
    statement = "UPDATE delivery SET next_at = ? WHERE id = ? AND next_at = ? AND delivered_at IS NULL"
    return bool(ops.write(statement, [text_of(until), delivery.id, text_of(delivery.next_at)]))


def delivered(ops: Ops, delivery: Delivery, now: datetime) -> None:
    """Keep that a delivery has come to its recipient."""
    statement = "UPDATE delivery SET delivered_at = ?, attempts = attempts + 1, error = NULL WHERE id = ?"
    ops.write(statement, [text_of(now), delivery.id])


def postponed(ops: Ops, delivery: Delivery, until: datetime, error: str, left: str) -> None:
    """Keep why a delivery came to nothing, and from when on it is tried again with the recipient that is left."""
    statement = "UPDATE delivery SET next_at = ?, attempts = attempts + 1, error = ?, recipient = ? WHERE id = ?"
    ops.write(statement, [text_of(until), error, left, delivery.id])


def _found(ops: Ops, where: str, values: list[str]) -> list[Delivery]:
    try:
        return [_delivery(*row) for row in ops.rows(f"SELECT {_COLUMNS} FROM delivery {where}", values)]
    except (ValueError, TypeError):
        raise damaged(ops.path) from None


def _delivery(name: str, report: str | None, period: str | None, bulletin: int | None, *rest: Any) -> Delivery:
    recipient, planned_at, attempts, next_at, delivered_at, error = rest
    came = instant_of(delivered_at) if delivered_at else None
    times = instant_of(planned_at), int(attempts), instant_of(next_at)
    return Delivery(name, report, period, bulletin, recipient, *times, came, error)
