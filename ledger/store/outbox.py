"""The deliveries in the operational store: what report goes to whom, how often that was tried, when it came there.

A delivery is planned before the run of its report is recorded, and due only when that is: a crash in between loses
none, and sends nothing that does not count.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ledger.store.ops import Ops, damaged

_COLUMNS: Final = "id, report, period, recipient, planned_at, attempts, next_at, delivered_at, error"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A report of a period that is to go to a recipient. Instants are UTC."""

    id: str
    """The same for every attempt."""
    report: str
    period: str
    recipient: str
    """As it is written in `report.toml` or `schedule.toml`."""
    planned_at: datetime
    attempts: int
    next_at: datetime
    """From when on it may be tried."""
    delivered_at: datetime | None
    error: str | None
    """Why the last attempt came to nothing."""


def plan_delivery(ops: Ops, name: str, report: str, period: str, recipient: str, now: datetime) -> bool:
    """Plan a delivery; False if one of that id is planned or done already."""
    statement = f"INSERT INTO delivery ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, 0, ?, NULL, NULL) ON CONFLICT DO NOTHING"
    return bool(ops.write(statement, [name, report, period, recipient, _text(now), _text(now)]))


def due_deliveries(ops: Ops, now: datetime) -> list[Delivery]:
    """Give what is not delivered and may be tried now, the oldest first."""
    return _found(ops, "WHERE delivered_at IS NULL AND next_at <= ? ORDER BY planned_at, id", [_text(now)])


def all_deliveries(ops: Ops) -> list[Delivery]:
    """Give every delivery, the oldest first."""
    return _found(ops, "ORDER BY planned_at, id", [])


def take(ops: Ops, delivery: Delivery, until: datetime) -> bool:
    """Keep others from trying a delivery until an instant; False if somebody was quicker."""
    statement = "UPDATE delivery SET next_at = ? WHERE id = ? AND next_at = ? AND delivered_at IS NULL"
    return bool(ops.write(statement, [_text(until), delivery.id, _text(delivery.next_at)]))


def delivered(ops: Ops, delivery: Delivery, now: datetime) -> None:
    """Keep that a delivery has come to its recipient."""
    statement = "UPDATE delivery SET delivered_at = ?, attempts = attempts + 1, error = NULL WHERE id = ?"
    ops.write(statement, [_text(now), delivery.id])


def postponed(ops: Ops, delivery: Delivery, until: datetime, error: str) -> None:
    """Keep why a delivery came to nothing, and from when on it is tried again."""
    statement = "UPDATE delivery SET next_at = ?, attempts = attempts + 1, error = ? WHERE id = ?"
    ops.write(statement, [_text(until), error, delivery.id])


def _found(ops: Ops, where: str, values: list[str]) -> list[Delivery]:
    try:
        return [_delivery(*row) for row in ops.rows(f"SELECT {_COLUMNS} FROM delivery {where}", values)]
    except (ValueError, TypeError):
        raise damaged(ops.path) from None


def _delivery(name: str, report: str, period: str, recipient: str, planned_at: str, *rest: Any) -> Delivery:
    attempts, next_at, delivered_at, error = rest
    came = _instant(delivered_at) if delivered_at else None
    return Delivery(
        name, report, period, recipient, _instant(planned_at), int(attempts), _instant(next_at), came, error
    )


def _text(instant: datetime) -> str:
    """Write an instant so that later ones are greater texts, too."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
