"""The files of a report: one function a format, each giving what writes its files."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.reporting.folder import Query, Report
from ledger.reporting.pages import page
from ledger.store.outputs import plain, write_csv
from ledger.store.snapshot import Snapshot

Writer = Callable[[Path], object]
"""Writes one file at a path."""


@dataclass(frozen=True)
class Answered:
    """A report whose queries are answered, and what its pages may say."""

    report: Report
    views: Snapshot
    """On which what is too long for a page is asked while it is written."""
    context: Mapping[str, Any]
    """What templates may use: docs/reports.md."""

    @property
    def shown(self) -> Iterable[tuple[Query, str]]:
        """The queries whose rows have a file of their own, each with that file's name without suffix."""
        for query in self.report.queries:
            file = self.report.tables[query.name].file if query.is_shown else None
            if file:
                yield query, file.removesuffix(".csv")


def writers(answered: Answered) -> dict[str, Writer]:
    """Give the files of a report's formats by name, each with what writes it."""
    found: dict[str, Writer] = {}
    for form in answered.report.formats:
        found |= _FORMATS[form](answered)
    return found


def _html(answered: Answered) -> dict[str, Writer]:
    text = page(answered.report, answered.context)
    return {f"{answered.report.name}.html": lambda path: path.write_text(text, "utf-8", newline="")}


def _json(answered: Answered) -> dict[str, Writer]:
    text = json.dumps(plain(_document(answered)), ensure_ascii=False, indent=1) + "\n"
    return {f"{answered.report.name}.json": lambda path: path.write_text(text, "utf-8", newline="")}


def _document(answered: Answered) -> dict[str, Any]:
    """Give what the page shows, and what it was made from."""
    report, context = answered.report, answered.context
    rulebook, period = context["rulebook"], context["period"]
    return {
        "report": report.name,
        "title": report.title,
        "question": report.question,
        "audience": report.audience,
        "period": {"first": period.first, "last": period.last},
        "today": context["today"],
        "parameters": dict(context["parameters"]),
        "ledger": {
            name: list(value) if isinstance(value, tuple) else value for name, value in context["ledger"].items()
        },
        "rulebook": {"id": rulebook.id, "digest": rulebook.digest, "status": rulebook.status},
        "made_by": context["command"],
        "summary": context["summary"],
        "columns": {name: dict(table.columns) for name, table in report.tables.items() if table.columns},
        "tables": context["rows"],
    }


def _csv(answered: Answered) -> dict[str, Writer]:
    return {f"{stem}.csv": _table_writer(answered, query) for query, stem in answered.shown}


def _table_writer(answered: Answered, query: Query) -> Writer:
    """Give what writes a table row by row, so that it may be of any length."""

    def write(path: Path) -> None:
        columns, rows = answered.views.ask(query.name, f"FROM {query.name}")
        with path.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, columns, rows)

    return write


_FORMATS: Final[Mapping[str, Callable[[Answered], dict[str, Writer]]]] = {
    "html": _html,
    "csv": _csv,
    "json": _json,
}
