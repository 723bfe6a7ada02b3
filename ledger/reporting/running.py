"""Making a report: its queries on the views as of the period's end, its pages, and its files, all or none."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TextIO

from jinja2 import TemplateError, TemplateSyntaxError

from ledger.core.errors import InputRejected
from ledger.core.text import visible
from ledger.core.version import VERSION
from ledger.reporting.drawings import timeline_figure, used_figure
from ledger.reporting.environment import page_environment
from ledger.reporting.findings import enforcement
from ledger.reporting.folder import SUMMARY, TEMPLATE, Query, Report, report_names
from ledger.reporting.period import Period, parse_period, whole_period
from ledger.rulebook.rulebook import Rulebook
from ledger.store.file import LedgerFile
from ledger.store.log import last_checkpoint
from ledger.store.outputs import plain, write_csv, write_together
from ledger.store.read import rulebook_texts
from ledger.store.seeds import parse_rulebook
from ledger.store.snapshot import Snapshot, snapshot

_TABLES_TEMPLATE: Final = "tables.html.j2"
"""The page of a report that has no template of its own: a table for each query."""

_TEMPLATE_ERRORS: Final = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What a mistake in a template, or in how it takes its rows, can raise."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Made:
    """A report that was made: its first sentences and its files."""

    summary: list[str]
    files: list[Path]


@dataclass(frozen=True)
class _Facts:
    """What every page and document knows of the ledger, beside the report's own rows."""

    rulebook: Rulebook
    head: Mapping[str, Any]
    period: Period
    whole: bool
    today: date


def run_report(ledger: LedgerFile, report: Report, period: str | None, today: date, out: Path) -> Made:
    """Make a report and write its files into `out`. The same ledger, period and day give the same bytes.

    Without a period, everything recorded is listed. Raises WrongUsage for a period that is none, InputRejected for a
    query or template that does not work, QuotaledgerError if a file cannot be written; then none is.
    """
    facts = _facts(ledger, period, today)
    with snapshot(ledger, None if facts.whole else facts.period.last) as views:
        rows = _answers(views, report, facts)
        context = _context(report, facts, rows)
        summary = _summary(report, context) if SUMMARY in report.texts else []
        context["summary"] = summary
        writers: dict[str, Callable[[TextIO], object]] = {}
        if "html" in report.formats:
            writers[f"{report.name}.html"] = _writer(_page(report, context))
        if "json" in report.formats:
            document = json.dumps(plain(_document(report, context)), ensure_ascii=False, indent=1)
            writers[f"{report.name}.json"] = _writer(document + "\n")
        if "csv" in report.formats:
            writers |= dict(_tables(views, report))
        return Made(summary, write_together(out, writers))


def _facts(ledger: LedgerFile, period: str | None, today: date) -> _Facts:
    sequence, latest = ledger.rows("SELECT sequence, latest_date FROM head")[0]
    ((first,),) = ledger.rows("SELECT min(date) FROM decisions")
    head = {
        "sequence": sequence,
        "latest_date": latest,
        "software_version": VERSION,
        "checkpoint": last_checkpoint(ledger.connection),
    }
    days = parse_period(period) if period else whole_period(min(first or latest, latest), latest)
    rulebook = parse_rulebook(rulebook_texts(ledger.connection))
    return _Facts(rulebook, head, days, whole=not period, today=today)


def _answers(views: Snapshot, report: Report, facts: _Facts) -> dict[str, Rows]:
    """Ask the queries of the page, in order: each is a view for those after it, and so is the period."""
    first, last, today = (day.isoformat() for day in (facts.period.first, facts.period.last, facts.today))
    views.name("period", f"SELECT DATE '{first}' AS first_day, DATE '{last}' AS last_day, DATE '{today}' AS today")
    rows: dict[str, Rows] = {}
    for query in report.queries:
        if query.shown and report.tables[query.name].page:
            columns, found = views.ask(query.name, query.sql)
            rows[query.name] = list(found)
            _check_columns(report, query, columns)
        views.name(query.name, query.sql)
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
    period, today = facts.period, facts.today
    return {
        "report": report,
        "title": report.title,
        "rows": rows,
        "period": period,
        "whole": facts.whole,
        "today": today,
        "ledger": facts.head,
        "rulebook": facts.rulebook,
        "enforcement": enforcement(facts.rulebook),
        "command": f"quotaledger report run {name} --period {period.text} --today {today.isoformat()} --out DIR",
        "used_chart": used_figure,
        "timeline": lambda changes, position: timeline_figure(
            changes, position, facts.rulebook.figure("counting_start"), period
        ),
    }


def _summary(report: Report, context: Mapping[str, Any]) -> list[str]:
    """Give the first sentences, one a line."""
    lines = _rendered(report, SUMMARY, context).splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def _page(report: Report, context: Mapping[str, Any]) -> str:
    return _rendered(report, TEMPLATE if TEMPLATE in report.texts else _TABLES_TEMPLATE, context)


def _rendered(report: Report, template: str, context: Mapping[str, Any]) -> str:
    environment = page_environment(context["rulebook"].figure("h100_equivalent_tpp"), report.texts)
    try:
        return environment.get_template(template).render(context)
    except TemplateSyntaxError as error:
        place, reason = f"{error.name}, line {error.lineno}", error.message
    except _TEMPLATE_ERRORS as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
        place = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else template
        reason = str(error) or type(error).__name__
    raise InputRejected(f"the report {report.name} has a mistake in {place}: {visible(reason or '')}")


def _document(report: Report, context: Mapping[str, Any]) -> dict[str, Any]:
    """Give the JSON: what the page shows, and what it was made from."""
    rulebook, period = context["rulebook"], context["period"]
    return {
        "report": report.name,
        "title": report.title,
        "purpose": report.purpose,
        "audience": report.audience,
        "period": {"first": period.first, "last": period.last},
        "today": context["today"],
        "ledger": {
            name: list(value) if isinstance(value, tuple) else value for name, value in context["ledger"].items()
        },
        "rulebook": {"id": rulebook.id, "digest": rulebook.digest, "status": rulebook.status},
        "made_by": context["command"],
        "summary": context["summary"],
        "columns": {name: dict(table.columns) for name, table in report.tables.items() if table.columns},
        "tables": context["rows"],
    }


def _tables(views: Snapshot, report: Report) -> Iterator[tuple[str, Callable[[TextIO], object]]]:
    """Give each CSV file and what writes it."""
    for query in report.queries:
        file = report.tables[query.name].file if query.shown else None
        if file:
            yield file, _table_writer(views, report, query)


def _writer(text: str) -> Callable[[TextIO], object]:
    return lambda file: file.write(text)


def _table_writer(views: Snapshot, report: Report, query: Query) -> Callable[[TextIO], object]:
    """Give what writes a table row by row, so that it may be of any length."""

    def write(file: TextIO) -> None:
        columns, rows = views.ask(query.name, query.sql)
        _check_columns(report, query, columns)
        write_csv(file, columns, rows)

    return write
