"""Delivering what was made, and alerts: at least once to each recipient, under the same id, until it has come there."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from ledger.core.text import visible
from ledger.schedule.archive import SUMMARY, Archive
from ledger.schedule.message import Message, NotDelivered
from ledger.schedule.plans import Plan
from ledger.schedule.recipients import parse_recipient
from ledger.schedule.sending import send
from ledger.schedule.settings import DeliverySettings, ScheduleSettings, settings_of
from ledger.store.alerts import Alert, bulletin_of
from ledger.store.claims import Standing
from ledger.store.ops import Ops
from ledger.store.outbox import Delivery, delivered, due_deliveries, plan_report, postponed, take

_LOG: Final = structlog.get_logger("quotaledger.schedule")
_TAKEN: Final = timedelta(minutes=10)
"""So long nobody else tries what one is sending."""
_DOUBLED_MAX: Final = 10
_ID_LENGTH: Final = 32
_ALERTS_TOLD: Final = 100
"""So many stand in a message; beyond, it says how many more there are."""


class Deliverer:
    """Delivers the reports of a ledger to those who are to get them."""

    def __init__(self, ledger: Path, archive: Archive, settings: ScheduleSettings) -> None:
        self._ledger, self._archive, self._settings = ledger, archive, settings

    def plan(self, plan: Plan, period: str, origin: str, now: datetime) -> None:
        """Plan who is to get a report that is about to be recorded. Planned again, it is planned once.

        `origin` is the name of the ledger's log: another ledger's report for the same period is another message.
        """
        if plan.report.recipients:
            with Ops.open(self._ledger) as ops:
                name = plan.report.name
                for recipient in plan.report.recipients:
                    plan_report(ops, _id(origin, name, period, recipient), name, period, recipient, now)

    def deliver(self, standings: Mapping[tuple[str, str], Standing], now: Callable[[], datetime]) -> None:
        """Deliver what is due of the reports that are made, and alerts. What does not come there is tried again."""
        settings = settings_of(DeliverySettings)
        with Ops.found(self._ledger) as ops:
            for delivery in due_deliveries(ops, now()) if ops else ():
                standing = standings.get((delivery.report or "", delivery.period or ""))
                is_ready = delivery.bulletin is not None or (standing is not None and standing.is_made)
                if is_ready and ops and take(ops, delivery, now() + _TAKEN):
                    self._deliver(ops, delivery, standing, settings, now)

    def _deliver(
        self,
        ops: Ops,
        delivery: Delivery,
        standing: Standing | None,
        settings: DeliverySettings,
        now: Callable[[], datetime],
    ) -> None:
        try:
            message = self._report(delivery, standing) if standing else _alerts(delivery, ops)
            send(message, parse_recipient(delivery.recipient), settings, now())
        except (NotDelivered, ValueError, OSError) as error:
            pause = timedelta(seconds=self._settings.pause_seconds) * int(2 ** min(delivery.attempts, _DOUBLED_MAX))
            longest = timedelta(seconds=self._settings.pause_seconds_max)
            # The other addresses of a mail have it: only those that were refused are tried again.
            refused = error.refused if isinstance(error, NotDelivered) else ()
            left = f"mailto:{','.join(refused)}" if refused else delivery.recipient
            postponed(ops, delivery, now() + min(pause, longest), str(error), left)
            _LOG.error("not delivered", **_about(delivery), reason=str(error))
        else:
            delivered(ops, delivery, now())
            _LOG.info("delivered", **_about(delivery))

    def _report(self, delivery: Delivery, standing: Standing) -> Message:
        """Give what a recipient gets of a report. Raises OSError if its files are not in the archive any more."""
        claim, run = standing.claim, standing.run
        place = self._archive.place(claim.report, claim.period)
        title, _, *sentences = (place / SUMMARY).read_text("utf-8").splitlines()
        files = sorted(path for path in place.iterdir() if path.name != SUMMARY)
        page = place / f"{claim.report}.html"
        return Message(
            id=delivery.id,
            subject=f"{title}: {claim.period}",
            sentences=(title, f"Period {claim.period}.", *sentences),
            page=page if page in files else None,
            files=tuple(files),
            facts={
                "report": claim.report,
                "period": claim.period,
                "today": claim.today,
                "checkpoint_leaves": claim.leaves,
                "sha256": run.sha256 if run else None,
            },
            place=f"{claim.report}/{claim.period}",
        )


def _alerts(delivery: Delivery, ops: Ops) -> Message:
    """Give what a recipient gets of alerts. Raises ValueError if they are gone."""
    alerts = bulletin_of(ops, delivery.bulletin or 0)
    if not alerts:
        raise ValueError("the alerts of the message are not in the operational store any more")
    headline = visible(f"{alerts[0].subject.replace(':', ' ', 1)} is {alerts[0].level}")
    others = f" and {len(alerts) - 1:,} more" if len(alerts) > 1 else ""
    numbered = [f"{alert.number}. {alert.sentence}" for alert in alerts]
    if len(numbered) > _ALERTS_TOLD:
        numbered[_ALERTS_TOLD:] = [f"And {len(numbered) - _ALERTS_TOLD:,} more: `quotaledger alert list`."]
    return Message(
        id=delivery.id,
        subject=f"Alert: {headline}{others}",
        sentences=(*numbered, "Acknowledge with `quotaledger alert ack NUMBER`, mute with `quotaledger alert mute`."),
        page=None,
        files=(),
        facts={"alerts": [_facts(alert) for alert in alerts]},
        place="",
    )


def _facts(alert: Alert) -> dict[str, str | int]:
    stated = {"subject": alert.subject, "level": alert.level, "sentence": alert.sentence}
    return {"number": alert.number, **stated, "raised_at": alert.raised_at.isoformat()}


def _about(delivery: Delivery) -> dict[str, str | int | None]:
    """Give what the log says of a delivery."""
    what = {"report": delivery.report, "period": delivery.period} if delivery.report else {"alerts": delivery.bulletin}
    return {**what, "id": delivery.id}


def _id(*parts: str) -> str:
    """Give the id of a message, the same whoever sends it, of what it is about."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_ID_LENGTH]
