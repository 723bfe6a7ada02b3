"""Waking up: when a report is due, and every minute. What is to be done then, the ledger says.

APScheduler's firings decide nothing: it may fire twice in a night with two half past two, or not while a machine
sleeps, and nothing is made twice or left out.
"""

from datetime import UTC, datetime
from typing import Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ledger.schedule.runner import Runner

_LOG: Final = structlog.get_logger("quotaledger.schedule")
_JOBS: Final = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


class Waker:
    """Wakes a runner, in a thread of its own, until it is closed."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(1)}, job_defaults=_JOBS
        )

    def start(self) -> None:
        """Wake at once, and from then on."""
        every = IntervalTrigger(seconds=self._runner.settings.wake_seconds, timezone=UTC)
        self._scheduler.add_job(self._wake, every, id="heartbeat", next_run_time=datetime.now(UTC))
        self._scheduler.start()

    def close(self) -> None:
        """Wake no more; a report that is being made is finished."""
        self._runner.stopping = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _wake(self) -> None:
        try:
            self._runner.run_due()
            due = self._runner.plans().next_due(self._runner.clock())
            if due and not self._runner.stopping:
                self._scheduler.add_job(self._wake, DateTrigger(due), id="next", replace_existing=True)
        except Exception as error:  # noqa: BLE001 -- the next time may go well
            _LOG.error("not scheduled", error=str(error), kind=type(error).__name__)
