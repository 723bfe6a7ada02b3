"""The reports that come along over many entries: seconds and memory of each, beside its bare queries; alerts."""

import statistics
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ledger.reporting.folder import find_report, report_names
from ledger.reporting.parameters import parameters_sql
from ledger.reporting.running import Wanted, run_report
from ledger.schedule.alerting import Alerter
from ledger.sequencer.desk import Desk
from ledger.sequencer.registering import register_sheet
from ledger.store.claims import standings
from ledger.store.file import LedgerFile
from ledger.store.ops import ops_path
from ledger.store.snapshot import snapshot
from tests.benchmarks import measures
from tests.benchmarks.queries import ONCE_FROM
from tests.benchmarks.results import Result, progress
from tests.benchmarks.workload import PARTIES
from tests.harness import copy_ledger, sheet

MUST: Final = 5
"""A report may take so many times what its queries take; of few entries its pages are all that counts."""
_TODAY: Final = date(2026, 12, 1)
_HOLDERS: Final = (("UVEU", None, range(13, PARTIES, 14)), ("NVEU", "AE", range(0, PARTIES, 14)))
"""Whom the reports about validated end users are of: parties with headquarters in the US, and in AE."""


def measure_reports(folder: Path, ledgers: Mapping[int, Path], *, times: int = 3) -> list[Result]:
    """Measure every report on the largest ledger of a million at most, of those given by their entries."""
    size = max(size for size in ledgers if size <= 1_000_000)
    path = copy_ledger(ledgers[size], folder / "reported.duckdb")
    measures.apart(register_holders, path)
    results, must = [], MUST if size >= ONCE_FROM else None
    for name in report_names():
        progress(f"the report {name} of {size:,} entries")
        asked = [measures.apart(ask_bare, path, name) for _ in range(times)]
        made = [measures.apart(make, path, name) for _ in range(times)]
        seconds, floor = (statistics.median(spent for spent, _ in runs) for runs in (made, asked))
        results += [
            Result(f"report {name} of {size:,} entries", seconds, "s", floor, must, base="its queries'"),
            Result("its peak of memory", max(peak for _, peak in made), "MiB"),
            Result("that of its queries", max(peak for _, peak in asked), "MiB"),
        ]
    progress("looks for alerts")
    looks = [measures.apart(look, path) for _ in range(times)]
    first, again = (statistics.median(spent) for spent in zip(*looks, strict=True))
    results += [
        Result(f"first look for alerts at {size:,} entries", first, "s", None, None),
        Result("each look after it, every minute", again, "s", None, None),
    ]
    return results


def look(path: Path) -> tuple[float, float]:
    """Look for alerts, and again when nothing has changed. Gives the seconds of both."""
    alerter, now, spent = Alerter(path), datetime.now(UTC), []
    ops_path(path).unlink(missing_ok=True)
    with LedgerFile.open(path) as ledger:
        for _ in range(2):
            start = time.perf_counter()
            alerter.look(ledger, standings(ledger.connection), {}, (), now)
            spent.append(time.perf_counter() - start)
    return spent[0], spent[1]


def register_holders(path: Path) -> None:
    """Register some parties as validated end users, so that no report is of nobody."""
    rows = [
        {"party": f"P{number:03d}", "basis": basis, "destination": destination, "valid_from": "2025-01-01"}
        for basis, destination, numbers in _HOLDERS
        for number in numbers
    ]
    now = datetime.now(UTC)
    with LedgerFile.open(path, now) as ledger:
        register_sheet(Desk(ledger, measures.PROVIDER, now), "authorizations", sheet(rows))


def make(path: Path, name: str) -> tuple[float, int]:
    """Make a report of everything recorded, with all its files. Gives seconds, and the peak of memory in MiB."""
    with LedgerFile.open(path) as ledger, TemporaryDirectory() as out:
        start = time.perf_counter()
        run_report(ledger, find_report(name), Wanted(_TODAY), Path(out))
        return time.perf_counter() - start, measures.peak()


def ask_bare(path: Path, name: str) -> tuple[float, int]:
    """Answer the queries of a report in order, on such a snapshot, and read every row as Arrow. Gives the same."""
    report = find_report(name)
    with LedgerFile.open(path) as ledger, snapshot(ledger) as views:
        ((first, last),) = ledger.rows("SELECT min(date), max(date) FROM decisions")
        days = f"DATE '{first}' AS first_day, DATE '{last}' AS last_day, DATE '{_TODAY}' AS today"
        start = time.perf_counter()
        views.name("period", f"SELECT {days}, true AS is_whole")
        views.name("report_parameters", parameters_sql(report.parameters))
        for query in report.queries:
            is_kept = query.kind == "table" or (query.is_shown and report.tables[query.name].page)
            (views.keep if is_kept else views.name)(query.name, query.sql)
            if query.is_shown:
                for _ in views.reader(query.name, f"FROM {query.name}"):
                    pass
        return time.perf_counter() - start, measures.peak()
