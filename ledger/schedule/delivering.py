"""Delivering what was made: at least once to each recipient, each time under the same id, until it has come there."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from ledger.core.errors import WrongUsage
from ledger.schedule.archive import SUMMARY, Archive
from ledger.schedule.message import Message, NotDelivered
from ledger.schedule.plans import Plan
from ledger.schedule.recipients import parse_recipient
from ledger.schedule.sending import send
from ledger.schedule.settings import DeliverySettings, ScheduleSettings
from ledger.store.claims import Standing
from ledger.store.ops import Ops
from ledger.store.outbox import Delivery, delivered, due_deliveries, plan_delivery, postponed, take

_LOG: Final = structlog.get_logger("quotaledger.schedule")
_TAKEN: Final = timedelta(minutes=10)
"""So long nobody else tries what one is sending."""
_DOUBLED_MAX: Final = 10
_ID_LENGTH: Final = 32


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
                    plan_delivery(ops, _id(origin, name, period, recipient), name, period, recipient, now)

    def deliver(self, standings: Mapping[tuple[str, str], Standing], now: Callable[[], datetime]) -> None:
        """Deliver what is due of the reports that are made. What does not come there is tried again."""
        settings = _settings()
        with Ops.found(self._ledger) as ops:
            for delivery in due_deliveries(ops, now()) if ops else ():
                standing = standings.get((delivery.report, delivery.period))
                if standing and standing.is_made and ops and take(ops, delivery, now() + _TAKEN):
                    self._deliver(ops, delivery, standing, settings, now)

    def _deliver(
        self,
        ops: Ops,
        delivery: Delivery,
        standing: Standing,
        settings: DeliverySettings,
        now: Callable[[], datetime],
    ) -> None:
        try:
            send(self._message(delivery, standing), parse_recipient(delivery.recipient), settings, now())
        except (NotDelivered, ValueError, OSError) as error:
            pause = timedelta(seconds=self._settings.pause_seconds) * int(2 ** min(delivery.attempts, _DOUBLED_MAX))
            longest = timedelta(seconds=self._settings.pause_seconds_max)
            postponed(ops, delivery, now() + min(pause, longest), str(error))
            _LOG.error("not delivered", report=delivery.report, period=delivery.period, reason=str(error))
        else:
            delivered(ops, delivery, now())
            _LOG.info("delivered", report=delivery.report, period=delivery.period, id=delivery.id)

    def _message(self, delivery: Delivery, standing: Standing) -> Message:
        """Give what a recipient gets of a report. Raises OSError if its files are not in the archive any more."""
        place = self._archive.place(delivery.report, delivery.period)
        title, _, *sentences = (place / SUMMARY).read_text("utf-8").splitlines()
        files = sorted(path for path in place.iterdir() if path.name != SUMMARY)
        page = place / f"{delivery.report}.html"
        claim, run = standing.claim, standing.run
        return Message(
            id=delivery.id,
            subject=f"{title}: {delivery.period}",
            sentences=(title, f"Period {delivery.period}.", *sentences),
            page=page if page in files else None,
            files=tuple(files),
            facts={
                "report": delivery.report,
                "period": delivery.period,
                "today": claim.today,
                "checkpoint_leaves": claim.leaves,
                "sha256": run.sha256 if run else None,
            },
            place=f"{delivery.report}/{delivery.period}",
        )


def _id(*parts: str) -> str:
    """Give the id of a message, the same whoever sends it, of what it is about."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_ID_LENGTH]


def _settings() -> DeliverySettings:
    """Give the settings of deliveries. Raises WrongUsage for one that cannot be, without saying what it was."""
    try:
        return DeliverySettings()
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        name = "QUOTALEDGER_" + "_".join(map(str, fault["loc"])).upper()
        raise WrongUsage(f"the setting {name} cannot be: {fault['msg']}") from None
