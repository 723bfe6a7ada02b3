"""Making a report: its queries on the views as of the period's end, its pages, and its files, all or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ledger.core.errors import InputRejected
from ledger.core.version import VERSION
from ledger.reporting.drawings import timeline_figure, used_figure
from ledger.reporting.findings import enforcement
from ledger.reporting.folder import Query, Report, report_names
from ledger.reporting.pages import summary
from ledger.reporting.parameters import parameters_sql, settled
from ledger.reporting.period import Period, parse_period, whole_period
from ledger.reporting.thresholds import Crossed, crossed
from ledger.reporting.world import world_figure
from ledger.reporting.writing import Answered, writers
from ledger.rulebook.rulebook import Rulebook
from ledger.store.file import LedgerFile
from ledger.store.log import checkpoint_of
from ledger.store.outputs import write_together
from ledger.store.read import rulebook_texts
from ledger.store.seeds import parse_rulebook
from ledger.store.snapshot import Snapshot, snapshot

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Wanted:
    """What a report is to be of."""

    today: date
    """The day that it is stamped with."""
    period: str | None = None
    """Which days' records it lists; without it, everything recorded."""
    leaves: int | None = None
    """The checkpoint as of which it is made; without it, the last."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Values in the place of those that `report.toml` gives."""


@dataclass(frozen=True)
class Made:
    """A report that was made."""

    summary: list[str]
    """Its first sentences."""
    files: list[Path]
    crossed: list[Crossed]
    """The rows that have come to a threshold."""


@dataclass(frozen=True)
class _Facts:
    """What every page and document knows of the ledger, beside the report's own rows."""

    rulebook: Rulebook
    head: Mapping[str, Any]
    period: Period
    whole: bool
    today: date
    parameters: Mapping[str, Any]


def run_report(ledger: LedgerFile, report: Report, wanted: Wanted, out: Path) -> Made:
    """Make a report and write its files into `out`. The same checkpoint, period and day give the same bytes.

    Raises WrongUsage for a period, checkpoint or parameter that is none, InputRejected for a query or template that
    does not work, QuotaledgerError if a file cannot be written; then none is.
    """
    facts = _facts(ledger, report, wanted)
    with snapshot(ledger, None if facts.whole else facts.period.last, wanted.leaves) as views:
        rows = _answers(views, report, facts)
        reached = crossed(report.thresholds, rows)
        context = _context(report, facts, rows)
        context["summary"] = summary(report, context)
        files = write_together(out, writers(Answered(report, views, context)))
    return Made(context["summary"], files, reached)


def _facts(ledger: LedgerFile, report: Report, wanted: Wanted) -> _Facts:
    checkpoint = checkpoint_of(ledger.connection, wanted.leaves)
    with snapshot(ledger, leaves=checkpoint["leaves"]) as views:
        query = "SELECT latest_date, (SELECT min(date) FROM decisions) AS first_date FROM ledger_state"
        (state,) = views.ask("ledger_state", query)[1]
    latest, first = state["latest_date"], state["first_date"] or state["latest_date"]
    head = {
        "sequence": checkpoint["sequence"],
        "latest_date": latest,
        "software_version": VERSION,
        "checkpoint": checkpoint,
    }
    days = parse_period(wanted.period) if wanted.period else whole_period(min(first, latest), latest)
    rulebook = parse_rulebook(rulebook_texts(ledger.connection, checkpoint["leaves"]))
    given = settled(report, wanted.parameters)
    return _Facts(rulebook, head, days, whole=not wanted.period, today=wanted.today, parameters=given)


def _answers(views: Snapshot, report: Report, facts: _Facts) -> dict[str, Rows]:
    """Ask the queries of the page, in order: each is there for those after it, and so are period and parameters."""
    first, last, today = (day.isoformat() for day in (facts.period.first, facts.period.last, facts.today))
    days = f"DATE '{first}' AS first_day, DATE '{last}' AS last_day, DATE '{today}' AS today"
    views.name("period", f"SELECT {days}, {facts.whole} AS is_whole")
    views.name("report_parameters", parameters_sql(facts.parameters))
    rows: dict[str, Rows] = {}
    for query in report.queries:
        if query.kind == "view" or (query.is_shown and not report.tables[query.name].page):
            views.name(query.name, query.sql)
            continue
        views.keep(query.name, query.sql)
        if query.is_shown:
            rows[query.name] = list(views.ask(query.name, f"FROM {query.name}")[1])
    for query in report.queries:
        if query.is_shown:
            _check_columns(report, query, views.columns(query.name))
    return rows


def _check_columns(report: Report, query: Query, columns: Sequence[str]) -> None:
    """Raise InputRejected if a table has other columns than `report.toml` says."""
    said = tuple(report.tables[query.name].columns)
    if said and tuple(columns) != said:
        raise InputRejected(
            f"the query {query.name} gives the columns {', '.join(columns)}, but report.toml says {', '.join(said)};"
            " make them the same, in the same order"
        )


def _context(report: Report, facts: _Facts, rows: Mapping[str, Rows]) -> dict[str, Any]:
    """Give what templates may use."""
    name = report.name if report.name in report_names() else f"path/to/{report.name}"
    period, today, leaves = facts.period, facts.today, facts.head["checkpoint"]["leaves"]
    changed = "".join(
        f" --set {key}={value}" for key, value in facts.parameters.items() if value != report.parameters[key]
    )
    return {
        "report": report,
        "title": report.title,
        "rows": rows,
        "period": period,
        "whole": facts.whole,
        "today": today,
        "parameters": facts.parameters,
        "ledger": facts.head,
        "rulebook": facts.rulebook,
        "enforcement": enforcement(facts.rulebook),
        "command": f"quotaledger report run {name}{'' if facts.whole else f' --period {period.text}'}"
        f" --today {today.isoformat()} --checkpoint {leaves}{changed} --out DIR",
        "used_chart": used_figure,
        "world": world_figure,
        "timeline": lambda changes, position: timeline_figure(
            changes, position, facts.rulebook.figure("counting_start"), period
        ),
    }
