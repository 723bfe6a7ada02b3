"""Doing all that is due: each report once for each period, then what is to be delivered, then alerts.

Nothing here knows when it is called. It may be called at any time, by any number of schedulers, and may be killed at
any step: what the ledger and the operational store say decides what is left to do.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog

from ledger.core.errors import QuotaledgerError
from ledger.core.text import visible
from ledger.reporting.running import Wanted, run_report
from ledger.reporting.thresholds import Crossed
from ledger.schedule.alerting import Alerter
from ledger.schedule.archive import Archive
from ledger.schedule.delivering import Deliverer
from ledger.schedule.ledgers import Ledger
from ledger.schedule.plans import Plan, Plans, read_plans
from ledger.schedule.settings import ScheduleSettings
from ledger.sequencer.claiming import claim, may_claim, record_run
from ledger.store.claims import FAILED, MADE, Claim, Run, Standing, founded_at, standings
from ledger.store.file import LedgerFile
from ledger.store.guard import key_in_use

_LOG: Final = structlog.get_logger("quotaledger.schedule")


@dataclass(frozen=True)
class Done:
    """A report that was made or failed just now."""

    report: str
    period: str
    attempt: int
    outcome: str
    """made, failed, or overtaken: somebody else has claimed it since."""
    reason: str | None
    place: str | None
    """Where its files are, if it was made."""


class Runner:
    """Makes what is due in a ledger."""

    def __init__(
        self,
        ledger: Ledger,
        settings: ScheduleSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self.ledger, self.settings, self.clock = ledger, settings, clock
        self.archive = Archive(settings.archive_of(ledger.path))
        self._alerter = Alerter(ledger.path)
        self._deliverer = Deliverer(ledger.path, self.archive, settings)
        self._origin = ""
        self.holder = f"{socket.gethostname()} {os.getpid()} {uuid4().hex[:8]}"
        self._busy = Lock()
        self._told: dict[str, str] = {}
        self.stopping = False

    def plans(self) -> Plans:
        """Read what is to be made; what is wrong there is logged once."""
        found = read_plans(self.settings.reports)
        for name, what in found.broken.items():
            if self._told.get(name) != what:
                _LOG.error("report cannot be used", report=name, reason=what)
        self._told = dict(found.broken)
        return found

    def run_due(self) -> list[Done]:
        """Do all that is due, the oldest periods first. Gives what was made or failed.

        Raises QuotaledgerError if the ledger cannot be asked what is due. Of two threads one does it.
        """
        if not self._busy.acquire(blocking=False):
            return []
        try:
            plans, done = self.plans(), []
            for plan, period in self._due(plans):
                if self.stopping:
                    break
                if (made := self._make(plan, period, plans.alerts_to)) is not None:
                    done.append(made)
            with self.ledger.reading() as ledger:
                found = standings(ledger.connection)
                self._look(ledger, found, plans)
            self.archive.settle(found)
            if not self.stopping:
                self._deliverer.deliver(found, self.clock)
            return done
        finally:
            self._busy.release()

    def _look(self, ledger: LedgerFile, found: Mapping[tuple[str, str], Standing], plans: Plans) -> None:
        """Raise alerts. Where that cannot be done, what was made goes out all the same."""
        try:
            self._alerter.look(ledger, found, plans.broken, plans.alerts_to, self.clock())
        except QuotaledgerError as error:
            _LOG.error("alerts not looked at", reason=visible(str(error)))

    def _due(self, plans: Plans) -> list[tuple[Plan, str]]:
        """Give what may be claimed now, the oldest period first."""
        now = self.clock()
        with self.ledger.reading() as ledger:
            found, founded = standings(ledger.connection), founded_at(ledger.connection)
            self._origin = key_in_use(ledger.connection).name
        self.archive.settle(found)
        due = [
            (period.last, name, plan, period.text)
            for name, plan in plans.plans.items()
            for period in plan.due(founded, now)
            if may_claim(found.get((name, period.text)), now, *self._pauses)
        ]
        return [(plan, period) for *_, plan, period in sorted(due, key=lambda one: one[:2])]

    @property
    def _pauses(self) -> tuple[timedelta, timedelta]:
        return timedelta(seconds=self.settings.pause_seconds), timedelta(seconds=self.settings.pause_seconds_max)

    def _make(self, plan: Plan, period: str, alerts_to: Sequence[str]) -> Done | None:
        """Make a report for a period, if nobody else does. What goes wrong is told, and holds up no other report."""
        name = plan.report.name
        try:
            claimed = self._claim(plan, period)
            if claimed is None:
                return None
            run, crossed = self._run(plan, claimed)
            if run.outcome == MADE:
                self._alerter.reach(name, crossed, alerts_to, self.clock())
                self._deliverer.plan(plan, period, self._origin, self.clock())
            done = self._record(plan, claimed, run)
        except (QuotaledgerError, OSError) as error:  # it is tried again when its lease has ended
            _LOG.error("report not recorded", report=name, period=period, reason=visible(str(error)))
            return None
        tell = _LOG.info if done.outcome == MADE else _LOG.error
        tell("report", report=name, period=period, attempt=claimed.attempt, outcome=done.outcome, reason=done.reason)
        return done

    def _claim(self, plan: Plan, period: str) -> Claim | None:
        pause, longest = self._pauses
        today = self.clock().astimezone(ZoneInfo(plan.schedule.zone)).date()
        return self.ledger.recording(
            lambda desk: claim(
                desk,
                plan.report.name,
                period,
                today=today,
                definition=plan.definition,
                holder=self.holder,
                lease=timedelta(seconds=self.settings.lease_seconds),
                pause=pause,
                longest=longest,
            )
        )

    def _run(self, plan: Plan, claimed: Claim) -> tuple[Run, list[Crossed]]:
        """Make the files of a report, from the state and with the day of its claim."""
        began, crossed = time.monotonic(), list[Crossed]()
        sha256 = reason = None
        try:
            staged = self.archive.stage(claimed)
            wanted = Wanted(claimed.today, claimed.period, claimed.leaves, plan.parameters)
            with self.ledger.reading() as ledger:
                made = run_report(ledger, plan.report, wanted, staged)
            crossed = made.crossed
            sha256 = self.archive.finish(claimed, plan.report.title, made.summary)
        except (QuotaledgerError, OSError) as error:
            reason = visible(str(error))
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with one report, others are made
            reason = f"an error of quotaledger itself, {type(error).__name__}: {visible(str(error))}"
        milliseconds = round(1000 * (time.monotonic() - began))
        return Run(FAILED if reason else MADE, milliseconds, sha256, reason), crossed

    def _record(self, plan: Plan, claimed: Claim, run: Run) -> Done:
        is_ours = self.ledger.recording(lambda desk: record_run(desk, claimed, run))
        place = None
        if is_ours and run.outcome == MADE:
            with suppress(OSError):  # `settle` gives it its name later
                place = str(self.archive.give_name(claimed))
        else:
            self.archive.drop(claimed)
        outcome = run.outcome if is_ours else "overtaken"
        return Done(plan.report.name, claimed.period, claimed.attempt, outcome, run.reason, place)
