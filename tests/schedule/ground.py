"""A ledger with a report of its own that is quickly made, a clock that is set by hand, and schedulers for both."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger.reporting.folder import report_names
from ledger.schedule.ledgers import OwnFile
from ledger.schedule.runner import Runner
from ledger.schedule.settings import ScheduleSettings
from ledger.store.alerts import Alert, all_alerts
from ledger.store.file import LedgerFile
from ledger.store.ops import Ops
from tests.harness import NOW, Answer, Bench, Row, bench

QUERY = "-- query: days\nSELECT first_day, last_day, today, (SELECT count(*) FROM decisions) AS records FROM period\n"
BROKEN = "-- query: days\nSELECT nothing FROM period\n"
TOML = """
title = "Days"
question = "Which days?"
audience = "Tests"
formats = ["json"]
[schedule]
"""


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def on(self, **time: float) -> None:
        """Let some time go by."""
        self.now += timedelta(**time)

    def to(self, text: str) -> None:
        """Set it to an instant, UTC."""
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Ground:
    """What a test of the scheduler stands on."""

    path: Path
    reports: Path
    clock: Clock = field(default_factory=Clock)

    def runner(self, **settings: Any) -> Runner:
        """Give another scheduler."""
        usual: dict[str, Any] = {"reports": self.reports, "lease_seconds": 300, "pause_seconds": 60}
        own = OwnFile(self.path, self.clock)
        return Runner(own, ScheduleSettings(**usual | settings), self.clock)

    def add(self, name: str, schedule: str = 'period = "day"', query: str = QUERY) -> Path:
        """Add a report of its own."""
        folder = self.reports / name
        folder.mkdir(exist_ok=True)
        (folder / "report.toml").write_text(TOML + schedule + "\n")
        (folder / "query.sql").write_text(query)
        return folder

    def say(self, text: str) -> None:
        """Change reports by `schedule.toml`; those that come along are not made unless `text` says so."""
        off = "".join(f"[{name}]\nenabled = false\n" for name in report_names() if f"[{name}]" not in text)
        (self.reports / "schedule.toml").write_text(off + text)

    def submit(self, *rows: Row) -> list[Answer]:
        """Have records filed."""
        with LedgerFile.open(self.path, self.clock()) as ledger:
            return Bench(ledger).submit("prov", *rows)

    def alerts(self) -> list[Alert]:
        """Give every alert that was raised."""
        with Ops.open(self.path) as ops:
            return all_alerts(ops)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the ledger."""
        with OwnFile(self.path, self.clock).reading() as ledger:
            return ledger.rows(query)

    def made(self, report: str = "days") -> list[str]:
        """Give the periods for which a report was made, in the order in which that was recorded."""
        return [
            period
            for (period,) in self.rows(
                f"SELECT period FROM report_runs WHERE report = '{report}' AND outcome = 'made' ORDER BY ended_at, 1"
            )
        ]


@contextmanager
def grounded(folder: Path, **amendments: str) -> Iterator[Ground]:
    """Give a ledger that was founded at `NOW`, and an empty folder of reports."""
    with bench(folder, **amendments) as made:
        path = made.ledger.path
    reports = folder / "reports"
    reports.mkdir()
    ground = Ground(path, reports)
    ground.say("")
    yield ground
